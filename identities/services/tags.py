"""Tags of users, roles and instance profiles: adding, changing, removing, one quota."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models

from accounts import rules
from audit.errors import InvalidInput, LimitExceeded
from identities.models import InstanceProfile, Role, User

Tagged = User | Role | InstanceProfile
BeforeAndAfter = tuple[dict[str, str], dict[str, str]]


def tags_of(row: Tagged) -> dict[str, str]:
    return dict(_rows(row).order_by("key").values_list("key", "value"))


def check_tags(tags: Mapping[str, str], quota: int, *, ignore_case: bool = True) -> None:
    """Raises InvalidInput. Keys of instance profiles are compared exactly."""
    if problem := rules.tags_problem(tags, quota, ignore_case=ignore_case):
        raise InvalidInput(problem, field="tags")


def put_tags(row: Tagged, tags: Mapping[str, str]) -> BeforeAndAfter:
    """Add tags or change their values; returns the table before and after. Whoever calls this holds the row's lock.

    Raises InvalidInput for a bad tag, LimitExceeded for more than the quota.
    """
    quota, folds = row.account.quota("tags"), not isinstance(row, InstanceProfile)
    if problem := rules.tags_problem(tags, quota, ignore_case=folds):
        raise InvalidInput(problem, field="key")
    before = tags_of(row)
    after = {**_without(row, before, tags), **tags}
    if len(after) > quota:
        raise LimitExceeded(f"Cannot exceed quota for TagsPer{type(row).__name__}: {quota}")
    write_tags(row, tags)
    return before, dict(sorted(after.items()))


def remove_tags(row: Tagged, keys: Iterable[str]) -> BeforeAndAfter:
    """Remove tags by key; one that is not there is no error. Keys of users and roles compare without case. Returns the
    table before and after."""
    keys, before = list(keys), tags_of(row)
    after = _without(row, before, keys)
    if len(after) < len(before):
        _rows(row).filter(key__in=before.keys() - after.keys()).delete()
    return before, after


def write_tags(row: Tagged, tags: Mapping[str, str]) -> None:
    """Store tags that have been checked, in one statement; a key that is there in other case is written anew."""
    rows: Any = _rows(row)
    model, owner = rows.model, {rows.field.name: row}
    folds = not isinstance(row, InstanceProfile)
    made = [
        model(**owner, key=key, value=value, **({"key_folded": key.casefold()} if folds else {}))
        for key, value in tags.items()
    ]
    model.objects.bulk_create(
        made,
        update_conflicts=True,
        unique_fields=[*owner, "key_folded" if folds else "key"],
        update_fields=["key", "value"] if folds else ["value"],
    )


def _without(row: Tagged, tags: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    fold = str if isinstance(row, InstanceProfile) else str.casefold
    gone = {fold(key) for key in keys}
    return {key: value for key, value in tags.items() if fold(key) not in gone}


def _rows(row: Tagged) -> "models.Manager[Any]":
    """The three relations of this name are made alike."""
    return row.tags
