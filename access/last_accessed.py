"""Who last tried what. Every decision at the two doors is noted; reports tell it by service (access advisor).

Notes are kept in memory and written once a minute, so that reading costs no writing. A process that dies forgets its
last minute; AWS promises four hours.
"""

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta

from access.models import ActionUse
from audit import clock
from audit.principal import Principal

WRITE_EVERY = timedelta(minutes=1)
# More different notes than this are written at once.
_MOST_WAITING = 5_000

Key = tuple[str, str, str]


class Notes:
    """What waits to be written, by account, principal and action."""

    def __init__(self) -> None:
        self._waiting: dict[Key, datetime] = {}
        self._written_at: datetime | None = None
        self._lock = threading.Lock()

    def add(self, key: Key, now: datetime) -> None:
        with self._lock:
            self._waiting[key] = now
            due = self._written_at is None or not timedelta() <= now - self._written_at < WRITE_EVERY
            due = due or len(self._waiting) >= _MOST_WAITING
        if due:
            self.write(now)

    def write(self, now: datetime) -> None:
        """Put everything that waits into the database, in one statement."""
        with self._lock:
            taken, self._waiting, self._written_at = self._waiting, {}, now
        rows = [
            ActionUse(account_id=account_id, principal_id=principal_id, action=action, at=at)
            for (account_id, principal_id, action), at in sorted(taken.items())
        ]
        ActionUse.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["account_id", "principal_id", "action"],
            update_fields=["at"],
        )


_notes = Notes()


def note(principal: Principal, action: str) -> None:
    """Somebody who proved who they are asks for an action. Strangers and the command line are not noted."""
    if who := _id_of(principal):
        _notes.add((principal.account_id, who, action[:128]), clock.now())


def _id_of(principal: Principal) -> str:
    if principal.type in ("user", "root"):
        return principal.unique_id
    return principal.issuer_id if principal.type in ("role-session", "federated-user") else ""


def uses_of(account_id: str, principal_ids: Iterable[str]) -> list[ActionUse]:
    """What these users and roles last tried, this process's last minute included."""
    _notes.write(clock.now())
    return list(ActionUse.objects.filter(account_id=account_id, principal_id__in=list(principal_ids)).order_by("at"))
