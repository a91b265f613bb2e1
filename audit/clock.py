"""The one clock: everything that depends on the time asks here, so that tests can stop it."""

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)
