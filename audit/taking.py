"""Deleting or changing rows in one statement that also says what they were or are, or that nothing hung on them."""

import json
from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Aggregate, Exists, Model, QuerySet, TextField
from django.db.models.functions import Cast
from django.db.models.sql import DeleteQuery, Query, UpdateQuery

Row = TypeVar("Row", bound=Model)


def taken(rows: QuerySet[Any], *columns: str) -> list[tuple[Any, ...]]:
    """Delete rows on which nothing hangs; returns these columns of each, as the database holds them. What is told of
    them in the trail is what was deleted: nobody can change it between being read and going."""
    if not connection.features.can_return_columns_from_insert:  # SQLite before 3.35, where a writer is alone anyway
        found = list(rows.values_list(*columns))
        rows.all()._raw_delete(rows.db)
        return found
    return _returned(rows.query.chain(klass=DeleteQuery), columns)


def taken_row(row: Row) -> Row | None:
    """Delete a row before what hangs on it, which has to follow in the same transaction: the database asks for it at
    the end. Deleting it keeps it from others as a lock would. Returns it as the database held it; None if it had gone.
    """
    kind = type(row)
    columns: list[Any] = [field.get_col(kind._meta.db_table) for field in kind._meta.concrete_fields]
    rows: Any = kind._base_manager.filter(pk=row.pk)
    if not connection.features.can_return_columns_from_insert:  # as above
        found: Row | None = rows.first()
        rows._raw_delete(rows.db)
        return found
    for values in taken(rows, *(column.target.column for column in columns)):
        read = (_read(column, value) for column, value in zip(columns, values, strict=True))
        return kind.from_db(rows.db, [column.target.attname for column in columns], list(read))
    return None


def _read(column: Any, value: Any) -> Any:
    for convert in (*connection.ops.get_db_converters(column), *column.get_db_converters(connection)):
        value = convert(value, column, connection)
    return value


def changed(rows: QuerySet[Any], *columns: str, **values: Any) -> list[tuple[Any, ...]]:
    """Change rows by columns of their own; returns these columns of each, as they are now."""
    if not connection.features.can_return_columns_from_insert:  # as above
        keys = list(rows.values_list("pk", flat=True))
        QuerySet(rows.model).filter(pk__in=keys).update(**values)
        return list(QuerySet(rows.model).filter(pk__in=keys).values_list(*columns))
    query: Any = rows.query.chain(klass=UpdateQuery)
    query.add_update_values(values)
    return _returned(query, columns)


def _returned(query: Query, columns: Iterable[str]) -> list[tuple[Any, ...]]:
    sql, parameters = query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} RETURNING {', '.join(map(connection.ops.quote_name, columns))}", parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def deleted_unless(row: Model, uses: Iterable[QuerySet[Any]]) -> bool:
    """Delete a locked row, unless there are any of these. Without Django's own look at everything that might hang on
    it: whatever was forgotten makes the constraints of the database refuse the whole change."""
    rows: Any = type(row)._base_manager.filter(*(~Exists(each) for each in uses), pk=row.pk)
    return bool(rows._raw_delete(rows.db))


class _Table(Aggregate):
    """Two columns as one JSON object."""

    output_field = TextField()

    def as_sqlite(self, *args: Any, **kwargs: Any) -> Any:
        return self.as_sql(*args, function="json_group_object", **kwargs)

    def as_postgresql(self, *args: Any, **kwargs: Any) -> Any:
        return self.as_sql(*args, function="json_object_agg", **kwargs)


def taken_unless(row: Model, uses: Iterable[QuerySet[Any]], tags: QuerySet[Any]) -> dict[str, str] | None:
    """The same; returns the tags (key and value) that the database deletes with the row, by key: whoever changes one
    has to hold the row's lock as well. None where there is such a use."""
    rows: Any = type(row)._base_manager.filter(*(~Exists(each) for each in uses), pk=row.pk)
    if not connection.features.can_return_columns_from_insert:  # as above
        before = dict(tags.order_by("key").values_list("key", "value"))
        return before if rows._raw_delete(rows.db) else None
    owner = tags.model._meta.get_field("user").attname
    told = tags.order_by().values(owner).annotate(told=Cast(_Table("key", "value"), TextField())).values("told")
    sql, parameters = rows.query.chain(klass=DeleteQuery).get_compiler(connection=connection).as_sql()
    beside, further = told.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} RETURNING ({beside})", (*parameters, *further))
        found: list[tuple[str | None]] = cursor.fetchall()
    return dict(sorted(json.loads(found[0][0] or "{}").items())) if found else None
