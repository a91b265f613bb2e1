"""Deleting rows and learning what they were, in one statement."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet
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
