"""Replacing an access key by another one. Where a rotation stands is read from the keys themselves, so it can be left
and taken up again in any browser, and nothing can disagree with it. Pure: the time is handed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from identities.models import AccessKey

# Programs that run once a night or once a week should have had their turn.
QUIET_ENOUGH = timedelta(days=7)
USE_IS_NOTED_EVERY = timedelta(minutes=15)


class Stage(Enum):
    NO_KEY = 0
    MAKE = 1
    WATCH = 2
    DELETE = 4
    NEW_IS_INACTIVE = 5
    BOTH_INACTIVE = 6


@dataclass(frozen=True, slots=True)
class Rotation:
    stage: Stage
    old: AccessKey | None = None
    new: AccessKey | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """`level` is the kind of alert; `text` says what is known and what to do."""

    level: str
    text: str


def rotation_of(keys: Sequence[AccessKey]) -> Rotation:
    """`keys` by age, oldest first: the oldest is the one to replace, the newest replaces it."""
    if not keys:
        return Rotation(Stage.NO_KEY)
    if len(keys) == 1:
        return Rotation(Stage.MAKE, old=keys[0])
    old, new = keys[0], keys[-1]
    if new.is_active:
        return Rotation(Stage.WATCH if old.is_active else Stage.DELETE, old, new)
    return Rotation(Stage.NEW_IS_INACTIVE if old.is_active else Stage.BOTH_INACTIVE, old, new)


def advice_on_deactivating(old: AccessKey, new: AccessKey, now: datetime) -> Advice:
    """From when the old key was last used, against when the new one was made."""
    if old.last_used_at is None:
        return Advice("success", "The old key was never used. Nothing seems to depend on it: deactivate it.")
    if old.last_used_at >= new.created_at:
        return Advice(
            "warning",
            "The old key was used after the new one was made: some program still has it. Find that program and give "
            "it the new key before you deactivate the old one.",
        )
    if now - old.last_used_at < USE_IS_NOTED_EVERY:
        return Advice(
            "warning",
            "The old key was used in the last 15 minutes, and further uses within that time are not noted. Give your "
            "programs the new key, and look again later.",
        )
    if now - new.created_at < QUIET_ENOUGH:
        return Advice(
            "info",
            "The old key was not used since the new one was made, but that is less than a week ago. If a program of "
            "yours runs once a night or once a week, let it have its turn first.",
        )
    return Advice("success", "The old key was not used since the new one was made. Deactivate it.")


def warning_on_deleting(key: AccessKey, now: datetime) -> str:
    """Why it may be too early to delete a key; '' when nothing speaks against it."""
    if key.last_used_at is not None and now - key.last_used_at < QUIET_ENOUGH:
        return (
            "This key was used within the last seven days. A program may still have it: leaving the key inactive for "
            "a few days shows whether one fails, and can be undone."
        )
    return ""
