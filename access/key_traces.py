"""What the audit trail tells of an access key: how it came, what was done with it and from where, and what was made
with it. Asks nobody's permission: whoever shows it asks for the trail."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet

from access.principals import TEMPORARY
from audit.models import Event, Outcome

LENGTH = 20
_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b")
_LIFE = ("iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey")
# More roles in a row nobody takes on; a chain that is longer is told from its end.
_LONGEST_CHAIN = 10
# What a page shows of each; the trail itself has the rest.
ROWS = 100


@dataclass(frozen=True, slots=True)
class Uses:
    """`actions` and `addresses` are counts, with the first and the last time; the latest first."""

    count: int
    first_at: datetime | None
    last: Event | None
    actions: list[dict[str, Any]]
    addresses: list[dict[str, Any]]


def found_in(text: str) -> str:
    """The first access key id in a text, such as a line of a log; "" when there is none."""
    found = _KEY_ID.search(text)
    return found[0] if found else ""


def is_temporary(key_id: str) -> bool:
    return key_id.startswith(TEMPORARY)


def uses_of(account_id: str, key_id: str) -> Uses:
    """Everything that was done or tried with a key. (Reading is not in the trail.)"""
    events = _done_with(account_id, key_id)
    return Uses(
        **events.aggregate(count=Count("id"), first_at=Min("at")),
        last=events.order_by("-id").first(),
        actions=_counted(events, "action", "outcome"),
        addresses=_counted(events, "address", "door"),
    )


def made_with(account_id: str, key_id: str) -> list[Event]:
    """The temporary credentials that were made with a key, and what was created with it: it may outlive the key."""
    made = Q(action__startswith="iam:Create") | Q(action__startswith="sts:")
    events = _done_with(account_id, key_id).filter(made, outcome=Outcome.SUCCESS)
    return list(events.order_by("-id")[:ROWS])


def chain_to(account_id: str, key_id: str) -> list[Event]:
    """How temporary credentials came about: the event that made them, the one that made those that asked, and so on."""
    return list(_chain(account_id, key_id))


def life_of(account_id: str, key_id: str) -> list[Event]:
    """The making, the changes and the deletion of a long-term key, the newest first."""
    events = Event.objects.of_account(account_id).filter(action__in=_LIFE, detail__access_key_id=key_id)
    return list(events.filter(outcome=Outcome.SUCCESS).order_by("-id")[:ROWS])


def _chain(account_id: str, key_id: str) -> Iterator[Event]:
    events = Event.objects.of_account(account_id)
    for _ in range(_LONGEST_CHAIN):
        made = events.that_made(key_id)[:1] if is_temporary(key_id) else ()
        if not made:
            return
        yield (event := made[0])
        key_id = event.access_key_id


def _counted(events: QuerySet[Event], *names: str) -> list[dict[str, Any]]:
    rows: Any = events.values(*names)
    counted = rows.annotate(count=Count("id"), first_at=Min("at"), last_at=Max("at"))
    return list(counted.order_by("-last_at", *names)[:ROWS])


def _done_with(account_id: str, key_id: str) -> QuerySet[Event]:
    return Event.objects.of_account(account_id).filter(access_key_id=key_id)
