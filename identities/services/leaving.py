"""Deleting what nothing hangs on any more: looking for what is left, and taking the row away."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, Model, QuerySet

from audit.errors import DeleteConflict


def refuse_leftovers(row: Model, leftovers: Mapping[str, QuerySet[Any]]) -> None:
    """`leftovers` says what must be done first where there are such rows, in the order in which they are named; all
    are looked for in one question. Raises DeleteConflict."""
    rows = type(row)._default_manager.filter(pk=row.pk).order_by()
    (found,) = rows.values_list(*(Exists(each) for each in leftovers.values()))
    for what, is_left in zip(leftovers, found, strict=True):
        if is_left:
            raise DeleteConflict(f"Cannot delete entity, must {what} first.")


def delete_bare(row: Model, leftovers: Mapping[str, QuerySet[Any]]) -> None:
    """Delete a locked row on which nothing of this is left. Without Django's own look at everything that might hang on
    it: whatever was forgotten makes the constraints of the database refuse the whole change. Raises DeleteConflict."""
    rows: Any = type(row)._base_manager.filter(*(~Exists(each) for each in leftovers.values()), pk=row.pk)
    if not rows._raw_delete(rows.db):
        refuse_leftovers(row, leftovers)
