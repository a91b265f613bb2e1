"""Route tables: making, changing and deleting them, and the token by which a proxy proves whose table it asks."""

import hashlib
from functools import lru_cache

from django.db import IntegrityError, transaction

from access.models import RouteTable
from access.routes import Route, RouteProblem, parse_routes
from access.tokens import new_token, token_hash
from accounts import rules
from accounts.models import Account
from accounts.slots import create_in_slot
from audit import clock
from audit.errors import ConcurrentModification, EntityAlreadyExists, InvalidInput, NoSuchEntity, ValidationError
from audit.principal import Principal
from audit.services import record
from database.prepared import Param, Prepared

NAME_LIMIT = 64
PURPOSE = "route-table"

_BY_TOKEN = Prepared(lambda: RouteTable.objects.filter(token_hash=Param("token_hash")))


def create_route_table(*, by: Principal, name: str, signing_name: str, routes: str) -> RouteTable:
    """Make a table, without a token yet. Raises ValidationError, InvalidInput, EntityAlreadyExists, LimitExceeded."""
    account = Account.objects.get(pk=by.account_id)
    if problem := rules.name_problem(name, NAME_LIMIT, "name of a route table"):
        raise ValidationError(problem, field="name")
    check_routes(routes)

    def insert(slot: int) -> RouteTable:
        return RouteTable.objects.create(
            account=account, name=name, signing_name=signing_name, routes=routes, slot=slot
        )

    siblings = RouteTable.objects.filter(account=account)
    try:
        with transaction.atomic():
            table = create_in_slot(siblings, account.quota("route_tables"), insert, quota_name="RouteTablesPerAccount")
            record(by, "iamconsole:CreateRouteTable", table.arn, after=facts(table))
    except IntegrityError as exc:
        raise EntityAlreadyExists(f"A route table with name {name} already exists.", field="name") from exc
    return table


@transaction.atomic
def update_route_table(*, by: Principal, table: RouteTable, signing_name: str, routes: str, seen: str) -> None:
    """Change what the table says; it counts at the next request. `seen` is the digest of what the page showed."""
    check_routes(routes)
    table = _locked(table)
    if seen and seen != digest(table):
        raise ConcurrentModification("Somebody changed this table since you opened the page. Look at it again.")
    before = facts(table)
    table.signing_name, table.routes, table.updated_at = signing_name, routes, clock.now()
    table.save(update_fields=["signing_name", "routes", "updated_at"])
    record(by, "iamconsole:UpdateRouteTable", table.arn, before=before, after=facts(table))


@transaction.atomic
def rotate_route_table_token(*, by: Principal, table: RouteTable) -> str:
    """A new token in the place of the old one, which is refused from now on. Returned the only time."""
    table, token = _locked(table), new_token()
    had_one = table.token_hash is not None
    table.token_hash, table.token_made_at = token_hash(token, PURPOSE), clock.now()
    table.save(update_fields=["token_hash", "token_made_at"])
    record(by, "iamconsole:RotateRouteTableToken", table.arn, replaced=had_one)
    return token


@transaction.atomic
def delete_route_table(*, by: Principal, table: RouteTable) -> None:
    """Delete a table with its token: every request to what it protects is refused from now on."""
    table = _locked(table)
    table.delete()
    record(by, "iamconsole:DeleteRouteTable", table.arn, before=facts(table))


def _locked(table: RouteTable) -> RouteTable:
    found = RouteTable.objects.select_for_update().filter(pk=table.pk).first()
    if found is None:
        raise NoSuchEntity(f"The route table with name {table.name} cannot be found.")
    return found


def check_routes(text: str) -> None:
    """Raises InvalidInput for a text that is no route table."""
    try:
        parse_routes(text)
    except RouteProblem as problem:
        raise InvalidInput(str(problem), field="routes") from problem


def find_by_token(token: str) -> RouteTable | None:
    return next(iter(_BY_TOKEN.rows(token_hash=token_hash(token, PURPOSE))), None)


@lru_cache(maxsize=256)
def _compiled(text: str) -> tuple[Route, ...]:
    return parse_routes(text)


def routes_of(table: RouteTable) -> tuple[Route, ...]:
    """Compiled once per text and process; a text that can't be read has no routes, so that nothing is let in."""
    try:
        return _compiled(table.routes)
    except RouteProblem:
        return ()


def digest(table: RouteTable) -> str:
    return hashlib.sha256(f"{table.signing_name}\n{table.routes}".encode()).hexdigest()


def facts(table: RouteTable) -> dict[str, str]:
    return {"name": table.name, "signing_name": table.signing_name, "routes": table.routes}
