"""How much work something is, counted in calls: the same on every machine, however busy it is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TooMuchWork(AssertionError):
    """It was stopped in the middle."""


@contextmanager
def at_most(most: int) -> Iterator[None]:
    """Stops what is done in it when it calls more functions than this, built-in ones included."""
    count = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1
            if count > most:
                sys.setprofile(None)
                raise TooMuchWork(f"This makes more than {most} calls.")

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)
