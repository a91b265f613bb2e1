"""Deleting rows in one statement that also says what they were, or that nothing hung on them."""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Exists, Model, QuerySet
from django.db.models.sql import DeleteQuery


def taken(rows: QuerySet[Any], *columns: str) -> list[tuple[Any, ...]]:
    """Delete rows on which nothing hangs; returns these columns of each, as the database holds them. What is told of
    them in the trail is what was deleted: nobody can change it between being read and going."""
    if not connection.features.can_return_columns_from_insert:  # SQLite before 3.35, where a writer is alone anyway
        found = list(rows.values_list(*columns))
        rows.all()._raw_delete(rows.db)
        return found
    query = rows.query.chain(klass=DeleteQuery)
    sql, parameters = query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} RETURNING {', '.join(map(connection.ops.quote_name, columns))}", parameters)
        gone: list[tuple[Any, ...]] = cursor.fetchall()
    return gone


def deleted_unless(row: Model, uses: Iterable[QuerySet[Any]]) -> bool:
    """Delete a locked row, unless there are any of these. Without Django's own look at everything that might hang on
    it: whatever was forgotten makes the constraints of the database refuse the whole change."""
    rows: Any = type(row)._base_manager.filter(*(~Exists(each) for each in uses), pk=row.pk)
    return bool(rows._raw_delete(rows.db))
