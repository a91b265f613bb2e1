"""Quotas as columns: a row takes the lowest free slot of its owner, and a unique constraint on (owner, slot) decides
races on any database. Used for access keys, MFA devices, groups of a user, attachments and policy versions."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import IntegrityError, models, transaction
from django.db.models import Case, Exists, F, OuterRef, Subquery, Value, When

from audit.errors import LimitExceeded

Row = TypeVar("Row", bound=models.Model)


def create_in_slot(
    siblings: models.QuerySet[Row], quota: int, create: Callable[[int], Row], *, quota_name: str, first: int = 0
) -> Row:
    """Call `create(slot)` with a free slot among 1..quota. Raises LimitExceeded in AWS's words when there is none.
    `first` is the slot that was free a moment ago, for who has looked already.

    An IntegrityError that is not about the slot (a duplicate of something else) is raised as it came.
    """
    for _ in range(quota + 1):
        free = first or lowest_free(siblings.values_list("slot", flat=True))
        first = 0
        if free > quota:
            break
        try:
            with transaction.atomic():
                return create(free)
        except IntegrityError:
            if free not in set(siblings.values_list("slot", flat=True)):
                raise
    raise _exceeded(quota_name, quota)


def create_in_free_slot(free: int, quota: int, create: Callable[[int], Row], *, quota_name: str) -> Row:
    """Call `create(free)` with a slot that was found free under its owner's lock: nobody else can have taken it, so no
    savepoint is needed to try another one. Raises LimitExceeded."""
    if free > quota:
        raise _exceeded(quota_name, quota)
    return create(free)


def _exceeded(quota_name: str, quota: int) -> LimitExceeded:
    return LimitExceeded(f"Cannot exceed quota for {quota_name}: {quota}")


def lowest_free(slots: Iterable[int]) -> int:
    """The lowest slot that is none of these."""
    taken = set(slots)
    return next(slot for slot in range(1, len(taken) + 2) if slot not in taken)


def free_slot(siblings: models.QuerySet[Row]) -> Case:
    """The lowest free slot, as an expression for another query."""
    followed = siblings.filter(slot=OuterRef("slot") + 1)
    last = siblings.filter(~Exists(followed)).order_by("slot").values(next=F("slot") + 1)[:1]
    return Case(When(~Exists(siblings.filter(slot=1)), then=Value(1)), default=Subquery(last))
