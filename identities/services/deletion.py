"""Deleting what nothing hangs on any more: looking for what is left, and taking the row away."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, Model, QuerySet

from audit.errors import DeleteConflict
from database.returning import delete_tagged_unless_used, delete_unless_used


def refuse_leftovers(row: Model, leftovers: Mapping[str, QuerySet[Any]]) -> None:
    """`leftovers` says what must be done first where there are such rows, in the order in which they are named; all
    are looked for in one question. Raises DeleteConflict."""
    rows = type(row)._default_manager.filter(pk=row.pk).order_by()
    (found,) = rows.values_list(*(Exists(each) for each in leftovers.values()))
    for what, is_left in zip(leftovers, found, strict=True):
        if is_left:
            raise DeleteConflict(f"Cannot delete entity, must {what} first.")


def delete_bare(row: Model, leftovers: Mapping[str, QuerySet[Any]]) -> None:
    """Delete a locked row on which nothing of this is left. Raises DeleteConflict."""
    if not delete_unless_used(row, leftovers.values()):
        refuse_leftovers(row, leftovers)


def delete_tagged(row: Model, leftovers: Mapping[str, QuerySet[Any]], tags: QuerySet[Any]) -> dict[str, str]:
    """The same for what the database deletes the tags of, which are returned."""
    told = delete_tagged_unless_used(row, leftovers.values(), tags)
    if told is None:
        refuse_leftovers(row, leftovers)
    return told or {}
