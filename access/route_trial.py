"""Trying a route table out: what it makes of a request that nobody sent, and what a user would be told."""

from dataclasses import dataclass, replace

from access.gate import PrincipalGate
from access.models import RouteTable
from access.principals import user_principal
from access.resources import load_user
from access.route_tables import routes_of
from access.routes import AmbiguousPath, RoutedAction, match
from audit.http import Gate
from audit.principal import Origin, Principal
from identities.models import User
from policies.engine import Decision


@dataclass(frozen=True, slots=True)
class Trial:
    """`problem` says why nothing is asked; `refused` that the one who tries may not see a decision."""

    asked: RoutedAction | None = None
    problem: str = ""
    user_name: str = ""
    decision: Decision | None = None
    refused: bool = False

    def decided_for(self, principal: Principal, gate: Gate, user_name: str, action: str) -> "Trial":
        """The decision for a user of the account, for those who may simulate it; others learn not even whether it is
        there."""
        found = load_user(principal, user_name)
        if not gate.may(action, found.arn, found.context).allowed:
            return replace(self, user_name=user_name, refused=True)
        if not isinstance(found.row, User) or self.asked is None:
            return replace(self, user_name=user_name, problem=f"There is no user {user_name} in this account.")
        decision = PrincipalGate(user_principal(found.row, Origin(door="api"))).decide(
            self.asked.action, self.asked.resource
        )
        return replace(self, user_name=user_name, decision=decision)


def try_route(table: RouteTable, *, method: str, host: str, path: str) -> Trial:
    try:
        asked = match(routes_of(table), method=method, host=host, path=path, account_id=table.account_id)
    except AmbiguousPath as error:
        return Trial(problem=f"Refused: {error}")
    return Trial(asked) if asked else Trial(problem="Refused: no route fits.")
