"""Queries that the ORM writes once per process. For those that every call makes, writing the SQL anew would cost
several times as much as running it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

Row = TypeVar("Row", bound=Model)


class Given(str):
    """Stands for a text in a query: the name of the value that each run brings."""

    __slots__ = ()


def prepared_cursor() -> Any:
    """For statements that come again and again: PostgreSQL then plans them once (`iamconsole.postgres`)."""
    return getattr(connection, "prepared_cursor", connection.cursor)()


class _Statement:
    """SQL, and how its rows become models. What is kept of the ORM's compiler is only read after this."""

    def __init__(self, queryset: QuerySet[Any]) -> None:
        compiler = queryset.query.get_compiler(connection=connection)
        self.sql, self.parameters = compiler.as_sql()
        kind: Any = compiler.klass_info
        self.model = kind["model"]
        fields = kind["select_fields"]
        self.span = slice(fields[0], fields[-1] + 1)
        self.width = len(compiler.select)
        self.names = [column[0].target.attname for column in compiler.select[self.span]]
        self.populators = get_related_populators(kind, compiler.select, connection.alias)  # type: ignore[call-arg] # the types are Django 6's
        self.annotations: Mapping[str, int] = compiler.annotation_col_map or {}
        self.converters = compiler.get_converters([column[0] for column in compiler.select])

    def row(self, values: Sequence[Any]) -> Any:
        if self.converters:
            values = self._converted(values)
        row = self.model.from_db(connection.alias, self.names, values[self.span])
        for populator in self.populators:
            populator.populate(values, row)
        for name, column in self.annotations.items():
            setattr(row, name, values[column])
        return row

    def _converted(self, values: Sequence[Any]) -> list[Any]:
        """SQLite has no type of its own for a moment or a truth."""
        changed = list(values)
        for column, (converters, expression) in self.converters.items():
            for convert in converters:
                changed[column] = convert(changed[column], expression, connection)
        return changed


class Prepared(Generic[Row]):
    """`build` writes the query, with `Given("name")` where `rows(name=…)` puts a value."""

    def __init__(self, build: Callable[[], QuerySet[Row]]) -> None:
        self._build = build

    @cached_property
    def _statement(self) -> _Statement:
        return _Statement(self._build())

    def rows(self, **values: str) -> list[Row]:
        statement = self._statement
        parameters = [values[each] if isinstance(each, Given) else each for each in statement.parameters]
        with prepared_cursor() as cursor:
            cursor.execute(statement.sql, parameters)
            return [statement.row(row) for row in cursor.fetchall()]


class PreparedWith(Prepared[Row]):
    """One row, and beside it the rows of another statement on the same values: together they take one question."""

    def __init__(self, build: Callable[[], QuerySet[Row]], build_beside: Callable[[], QuerySet[Any, Any]]) -> None:
        super().__init__(build)
        self._build_beside = build_beside

    @cached_property
    def _joined(self) -> tuple[str, tuple[Any, ...]]:
        statement, (beside, parameters) = self._statement, self._build_beside().query.sql_with_params()
        sql = f"SELECT * FROM ({statement.sql}) one LEFT JOIN ({beside}) beside ON TRUE"  # noqa: S608 # the ORM's own
        return sql, (*statement.parameters, *parameters)

    def row_and_beside(self, **values: str) -> tuple[Row | None, list[tuple[Any, ...]]]:
        """The row and what is beside it; without a row there is nothing beside it."""
        sql, parameters = self._joined
        with prepared_cursor() as cursor:
            cursor.execute(sql, [values[each] if isinstance(each, Given) else each for each in parameters])
            found = cursor.fetchall()
        if not found:
            return None, []
        width = self._statement.width
        row: Row = self._statement.row(found[0][:width])
        return row, [each[width:] for each in found if each[width] is not None]


def prefetched(row: Model, name: str, related: Iterable[Model]) -> None:
    """Hand a row what a query of its own would find in `row.name.all()`. Asked for anything else, it asks."""
    relation: Any = row._meta.get_field(name)
    found: Any = QuerySet(relation.related_model)
    found._deferred_filter = (False, (), {relation.remote_field.name: row})
    found._result_cache, found._prefetch_done = list(related), True
    row.__dict__.setdefault("_prefetched_objects_cache", {})[name] = found
