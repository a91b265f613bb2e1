"""Whether an account may have one more of what is limited by number, decided so that no race makes one too many."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from accounts.counting import number_of
from accounts.models import Account
from audit.errors import LimitExceeded
from audit.prepared import Given, Prepared


@dataclass(frozen=True, slots=True)
class Room:
    """An account and how many it had of one kind a moment ago; `relation` is what the account calls them."""

    account: Account
    relation: str
    present: int

    def check(self, quota_name: str, quota: str = "") -> None:
        """Near the quota the account's lock makes counting safe: of two who take the last place, the second waits and
        then sees it taken. Far from it, all who are at work at the same time, each making one, can't reach it, and
        need not wait for each other's commits. Raises LimitExceeded."""
        limit = self.account.quota(quota or self.relation)
        if self.present + most_at_once() <= limit:
            return
        Account.objects.select_for_update().get(pk=self.account.pk)
        if getattr(self.account, self.relation).count() >= limit:
            raise LimitExceeded(f"Cannot exceed quota for {quota_name}: {limit}")


def room_for(account_id: str, relation: str) -> Room:
    """Account and number in one question."""
    (account,) = _accounts(relation).rows(account_id=account_id)
    return Room(account, relation, account.present)  # type: ignore[attr-defined] # annotated below


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
def _accounts(relation: str) -> Prepared[Account]:
    def build() -> QuerySet[Account]:
        kind: Any = Account._meta.get_field(relation).related_model
        present = number_of(kind.objects.all(), "account")
        return Account.objects.filter(pk=Given("account_id")).annotate(present=present)

    return Prepared(build)
