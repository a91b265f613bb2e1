"""Quotas as columns: a row takes the lowest free slot of its owner, and a unique constraint on (owner, slot) decides
races on any database. Used for access keys, MFA devices, groups of a user, attachments and policy versions."""

from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, models, transaction

from audit.errors import LimitExceeded

Row = TypeVar("Row", bound=models.Model)


def create_in_slot(siblings: models.QuerySet[Row], quota: int, create: Callable[[int], Row], *, quota_name: str) -> Row:
    """Call `create(slot)` with a free slot among 1..quota. Raises LimitExceeded in AWS's words when there is none.

    An IntegrityError that is not about the slot (a duplicate of something else) is raised as it came.
    """
    for _ in range(quota + 1):
        taken = set(siblings.values_list("slot", flat=True))
        free = next((slot for slot in range(1, quota + 1) if slot not in taken), None)
        if free is None:
            break
        try:
            with transaction.atomic():
                return create(free)
        except IntegrityError:
            if free not in set(siblings.values_list("slot", flat=True)):
                raise
    raise LimitExceeded(f"Cannot exceed quota for {quota_name}: {quota}")
