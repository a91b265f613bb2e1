"""Tags of users, roles and instance profiles: adding, changing, removing, one quota."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models

from accounts import rules
from audit.errors import InvalidInput, LimitExceeded
from identities.models import InstanceProfile, Role, User

Tagged = User | Role | InstanceProfile


def tags_of(row: Tagged) -> dict[str, str]:
    return dict(_rows(row).order_by("key").values_list("key", "value"))


def check_tags(tags: Mapping[str, str], quota: int, *, ignore_case: bool = True) -> None:
    """Raises InvalidInput. Keys of instance profiles are compared exactly."""
    if problem := rules.tags_problem(tags, quota, ignore_case=ignore_case):
        raise InvalidInput(problem, field="tags")


def put_tags(row: Tagged, tags: Mapping[str, str]) -> None:
    """Add tags or change their values. Raises InvalidInput for a bad tag, LimitExceeded for more than the quota."""
    quota, folds = row.account.quota("tags"), not isinstance(row, InstanceProfile)
    if problem := rules.tags_problem(tags, quota, ignore_case=folds):
        raise InvalidInput(problem, field="key")
    fold = str.casefold if folds else str
    if len({fold(key) for key in (*tags_of(row), *tags)}) > quota:
        raise LimitExceeded(f"Cannot exceed quota for TagsPer{type(row).__name__}: {quota}")
    remove_tags(row, tags)
    for key, value in tags.items():
        _rows(row).create(key=key, value=value)


def remove_tags(row: Tagged, keys: Iterable[str]) -> None:
    """Remove tags by key; one that is not there is no error. Keys of users and roles compare without case."""
    if isinstance(row, InstanceProfile):
        _rows(row).filter(key__in=list(keys)).delete()
    else:
        _rows(row).filter(key_folded__in=[key.casefold() for key in keys]).delete()


def _rows(row: Tagged) -> "models.Manager[Any]":
    """The three relations of this name are made alike."""
    return row.tags
