"""Deleting users, groups and roles, which AWS refuses as long as they still have something."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, Model, QuerySet

from audit.errors import DeleteConflict
from database.returning import delete_tagged_unless_used, delete_unless_used


def refuse_if_used(row: Model, leftovers: Mapping[str, QuerySet[Any]]) -> None:
    """Raise DeleteConflict if one of the querysets of `leftovers` finds anything; its key says what must be done first,
    and the first in their order is named. All are asked in one query."""
    rows = type(row)._default_manager.filter(pk=row.pk).order_by()
    (found,) = rows.values_list(*(Exists(each) for each in leftovers.values()))
    for what, is_left in zip(leftovers, found, strict=True):
        if is_left:
            raise DeleteConflict(f"Cannot delete entity, must {what} first.")


def delete_if_unused(row: Model, leftovers: Mapping[str, QuerySet[Any]]) -> None:
    """Delete a locked row, if none of the querysets of `leftovers` finds anything. Raises DeleteConflict."""
    if not delete_unless_used(row, leftovers.values()):
        refuse_if_used(row, leftovers)


def delete_tagged_if_unused(row: Model, leftovers: Mapping[str, QuerySet[Any]], tags: QuerySet[Any]) -> dict[str, str]:
    """As `delete_if_unused`, for a user, whose tags a trigger deletes; returns the tags."""
    deleted_tags = delete_tagged_unless_used(row, leftovers.values(), tags)
    if deleted_tags is None:
        refuse_if_used(row, leftovers)
    return deleted_tags or {}
