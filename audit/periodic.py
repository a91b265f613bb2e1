"""Work that no request should pay for each time: each process does it once in a while, with the next request."""

from datetime import datetime, timedelta

from audit import clock


class Periodic:
    """Work that is due once per interval in each process. Two threads that ask at once may both be told so."""

    def __init__(self, every: timedelta) -> None:
        self._every = every
        self._done_at: datetime | None = None

    def is_due(self) -> bool:
        now = clock.now()
        if self._done_at is not None and timedelta() <= now - self._done_at < self._every:
            return False
        self._done_at = now
        return True
