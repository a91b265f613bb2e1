"""DELETE … RETURNING and UPDATE … RETURNING, which the ORM has not: one statement changes rows and tells what they were
or are. SQLite can't before 3.35; there a second query does it, while a writer is alone anyway."""

import json
from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Aggregate, Exists, Model, QuerySet, TextField
from django.db.models.functions import Cast
from django.db.models.sql import DeleteQuery, Query, UpdateQuery

Row = TypeVar("Row", bound=Model)


def delete_returning(rows: QuerySet[Any], *columns: str) -> list[tuple[Any, ...]]:
    """Delete rows to which no foreign key points; returns these columns of each, as they were when they were deleted:
    what the audit trail says of them can't have changed in between."""
    if not connection.features.can_return_columns_from_insert:
        found = list(rows.values_list(*columns))
        rows.all()._raw_delete(rows.db)
        return found
    return _returned(rows.query.chain(klass=DeleteQuery), columns)


def delete_row_returning(row: Row) -> Row | None:
    """Delete a row before the rows that point to it, which have to go in the same transaction: foreign keys are checked
    at its end. The deletion keeps others from the row as a lock would. Returns it as it was; None if it was gone."""
    kind = type(row)
    columns: list[Any] = [field.get_col(kind._meta.db_table) for field in kind._meta.concrete_fields]
    rows: Any = kind._base_manager.filter(pk=row.pk)
    if not connection.features.can_return_columns_from_insert:
        found: Row | None = rows.first()
        rows._raw_delete(rows.db)
        return found
    for values in delete_returning(rows, *(column.target.column for column in columns)):
        read = (_read(column, value) for column, value in zip(columns, values, strict=True))
        return kind.from_db(rows.db, [column.target.attname for column in columns], list(read))
    return None


def _read(column: Any, value: Any) -> Any:
    for convert in (*connection.ops.get_db_converters(column), *column.get_db_converters(connection)):
        value = convert(value, column, connection)
    return value


def update_returning(rows: QuerySet[Any], *columns: str, **values: Any) -> list[tuple[Any, ...]]:
    """Set the columns named by `values` of all rows; returns these `columns` of each, as they are now."""
    if not connection.features.can_return_columns_from_insert:
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


def delete_unless_used(row: Model, uses: Iterable[QuerySet[Any]]) -> bool:
    """Delete a locked row unless one of these querysets finds anything; returns whether it was deleted. Django does not
    look for what points to it: whatever `uses` forgets makes the database's foreign keys refuse the whole change."""
    rows: Any = type(row)._base_manager.filter(*(~Exists(each) for each in uses), pk=row.pk)
    return bool(rows._raw_delete(rows.db))


class _Table(Aggregate):
    """An aggregate: two columns of all rows as one JSON object, keys and values."""

    output_field = TextField()

    def as_sqlite(self, *args: Any, **kwargs: Any) -> Any:
        return self.as_sql(*args, function="json_group_object", **kwargs)

    def as_postgresql(self, *args: Any, **kwargs: Any) -> Any:
        return self.as_sql(*args, function="json_object_agg", **kwargs)


def delete_tagged_unless_used(row: Model, uses: Iterable[QuerySet[Any]], tags: QuerySet[Any]) -> dict[str, str] | None:
    """As `delete_unless_used`, for a user, whose tags a trigger deletes; returns the tags as they were (key to value),
    or None where nothing was deleted. Whoever changes a tag has to hold the lock of its user as well."""
    rows: Any = type(row)._base_manager.filter(*(~Exists(each) for each in uses), pk=row.pk)
    if not connection.features.can_return_columns_from_insert:
        before = dict(tags.order_by("key").values_list("key", "value"))
        return before if rows._raw_delete(rows.db) else None
    owner = tags.model._meta.get_field("user").attname
    by_owner = tags.order_by().values(owner).annotate(tags=Cast(_Table("key", "value"), TextField())).values("tags")
    sql, parameters = rows.query.chain(klass=DeleteQuery).get_compiler(connection=connection).as_sql()
    subquery, further = by_owner.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} RETURNING ({subquery})", (*parameters, *further))
        found: list[tuple[str | None]] = cursor.fetchall()
    return dict(sorted(json.loads(found[0][0] or "{}").items())) if found else None
