"""Whether an account has room below a quota for one thing more, decided so that no race makes one too many."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Case, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThanOrEqual

from accounts.counting import number_of
from accounts.models import Account
from accounts.quotas import default
from audit.errors import LimitExceeded
from database.prepared import Param, Prepared

# Makes further annotations of a query, by their names.
Annotations = Callable[[], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Room:
    """An account and how many it had at most of one kind a moment ago; `relation` is what the account calls them."""

    account: Account
    relation: str
    limit: int
    at_most: int

    def check(self, quota_name: str) -> None:
        """Near the quota the account's lock makes counting safe: of two who take the last place, the second waits and
        then sees it taken. Far from it, all who are at work at the same time, each making one, can't reach it, and
        need not wait for each other's commits. Raises LimitExceeded."""
        if self.at_most + most_at_once() <= self.limit:
            return
        Account.objects.select_for_update().get(pk=self.account.pk)
        if getattr(self.account, self.relation).count() >= self.limit:
            raise LimitExceeded(f"Cannot exceed quota for {quota_name}: {self.limit}")


def room_for(account_id: str, relation: str, quota: str = "", annotations: Annotations = dict, **given: str) -> Room:
    """The account, and how many of a relation it has at most, in one query. `quota` is what the quota is called, if not
    as the relation; `annotations` are made in the same query, with the values `given` for its Params, and are
    attributes of the account."""
    (account,) = _accounts(relation, quota or relation, annotations).rows(account_id=account_id, **given)
    return Room(account, relation, account.quota(quota or relation), account.at_most)  # type: ignore[attr-defined] # annotated below


@cache
def most_at_once() -> int:
    """How many transactions can be under way at the same time: one on SQLite, where a writer has the file to itself,
    and one for each connection on PostgreSQL."""
    if connection.vendor != "postgresql":
        return 1
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_connections")
        row: Any = cursor.fetchone()
    return int(row[0])


@cache
def _accounts(relation: str, quota: str, annotations: Annotations) -> Prepared[Account]:
    """Keys count up over all accounts: no account has more than the newest key says, and nobody counts until that comes
    near the quota."""
    enough = default(quota) - most_at_once()

    def build() -> QuerySet[Account]:
        kind: Any = Account._meta.get_field(relation).related_model
        newest = Coalesce(Subquery(kind.objects.order_by("-pk").values("pk")[:1]), 0)
        present = number_of(kind.objects.all(), "account")
        at_most = Case(When(LessThanOrEqual(newest, enough), then=newest), default=present)
        return Account.objects.filter(pk=Param("account_id")).annotate(at_most=at_most, **annotations())

    return Prepared(build)
