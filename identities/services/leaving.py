"""Deleting what nothing hangs on any more: looking for what is left, and taking the row away."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, Model, QuerySet

from audit.errors import DeleteConflict


def refuse_leftovers(row: Model, leftovers: Mapping[str, QuerySet[Any]], *, tagged: bool = False) -> dict[str, str]:
    """`leftovers` says what must be done first where there are such rows, in the order in which they are named; all
    are looked for in one question. Returns the tags of what is tagged. Raises DeleteConflict."""
    rows = type(row)._default_manager.filter(pk=row.pk).order_by()
    columns = ("tags__key", "tags__value") if tagged else ()
    found = list(rows.values_list(*(Exists(each) for each in leftovers.values()), *columns))
    for what, is_left in zip(leftovers, found[0], strict=False):
        if is_left:
            raise DeleteConflict(f"Cannot delete entity, must {what} first.")
    return dict(sorted((each[-2], each[-1]) for each in found if tagged and each[-2] is not None))


def delete_bare(row: Model) -> None:
    """Delete a row after `refuse_leftovers`. Without Django's own look at everything that might hang on it: whatever
    was forgotten makes the constraints of the database refuse the whole change."""
    rows: Any = type(row)._base_manager.filter(pk=row.pk)
    rows._raw_delete(rows.db)
