"""Queries whose SQL the ORM compiles once per process. For those that every call makes, compiling them anew would cost
several times as much as running them."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

Row = TypeVar("Row", bound=Model)
# What needs no quoting in SQL: a word, or the beginning of an ARN.
_WORD = re.compile(r"[\w:/. -]*", re.ASCII)


class Param(str):
    """A named placeholder in a query: stands for the value of that name that each run is given."""

    __slots__ = ()


def constants_inlined(sql: str, parameters: Iterable[Any]) -> tuple[str, tuple[Any, ...]]:
    """The statement and its parameters, with those that are booleans or plain words written into the statement instead
    of being sent along at each run."""
    first, *others = sql.split("%s")
    text, kept = [first], []
    for parameter, rest in zip(parameters, others, strict=True):
        word = _constant(parameter)
        text += [word or "%s", rest]
        kept += [] if word else [parameter]
    return "".join(text), tuple(kept)


def _constant(parameter: Any) -> str:
    if isinstance(parameter, bool):
        return str(parameter).upper()
    return f"'{parameter}'" if type(parameter) is str and _WORD.fullmatch(parameter) else ""


def fetch_all(sql: str, values: Sequence[Any], *, may_defer: bool = False) -> list[tuple[Any, ...]]:
    """Run a statement that comes again and again, and return its rows. PostgreSQL plans it only once
    (`iamconsole.postgres`). With `may_defer`, nobody needs the rows: within a transaction none are returned, and the
    statement may be sent in one pipeline with the next one or with the commit."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    if hasattr(database, "ask"):
        found: list[tuple[Any, ...]] = database.ask(sql, values, may_defer=may_defer)
        return found
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        found = cursor.fetchall()
    return found


def ask_ahead(sql: str, values: Sequence[Any]) -> None:
    """Send a statement in one pipeline with the next one. Its rows are used if it is run right after that one, and
    dropped otherwise. Only PostgreSQL does so; elsewhere nothing happens."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    if hasattr(database, "ask_ahead"):
        database.ask_ahead(sql, values)


def forget_ahead() -> None:
    """Drop the rows of what was asked ahead and not used, at the end of a request."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    if hasattr(database, "forget_ahead"):
        database.forget_ahead()


class _Statement:
    """The compiled SQL of a queryset, and how the rows that it returns become model instances. What is kept of the
    ORM's compiler is only read after this."""

    def __init__(self, queryset: QuerySet[Any]) -> None:
        compiler = queryset.query.get_compiler(connection=connection)
        self.sql, self.parameters = constants_inlined(*compiler.as_sql())
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
        row = self.model.from_db(DEFAULT_DB_ALIAS, self.names, values[self.span])
        for populator in self.populators:
            populator.populate(values, row)
        for name, column in self.annotations.items():
            setattr(row, name, values[column])
        return row

    def _converted(self, values: Sequence[Any]) -> list[Any]:
        """SQLite has no type of its own for a moment or a truth."""
        changed, database = list(values), connections[DEFAULT_DB_ALIAS]
        for column, (converters, expression) in self.converters.items():
            for convert in converters:
                changed[column] = convert(changed[column], expression, database)
        return changed


class Prepared(Generic[Row]):
    """A query for model instances. `build` returns its queryset, with `Param("name")` wherever `rows(name=…)` is to put
    a value."""

    def __init__(self, build: Callable[[], QuerySet[Row]]) -> None:
        self._build = build

    @cached_property
    def _statement(self) -> _Statement:
        return _Statement(self._build())

    def rows(self, **values: str) -> list[Row]:
        statement = self._statement
        return [statement.row(row) for row in fetch_all(statement.sql, self._parameters(values))]

    def ahead(self, **values: str) -> None:
        """Send the query with these values in one pipeline with the next one (see `ask_ahead`)."""
        ask_ahead(self._statement.sql, self._parameters(values))

    def _parameters(self, values: Mapping[str, str]) -> list[Any]:
        return [values[each] if isinstance(each, Param) else each for each in self._statement.parameters]

    def first_row(self, *annotations: str, **values: str) -> tuple[Row | None, list[tuple[Any, ...]]]:
        """The first instance, and of every row the values of these annotations: an instance that is joined with many
        rows comes once for each of them, and is made once."""
        statement = self._statement
        found = fetch_all(statement.sql, self._parameters(values))
        if not found:
            return None, []
        columns = [statement.annotations[name] for name in annotations]
        return statement.row(found[0]), [tuple([row[column] for column in columns]) for row in found]


class PreparedValues:
    """A query for plain tuples with a limit: `build` returns a `values_list` queryset in its order.

    The limits that are `usual` are written into the statement, which PostgreSQL then plans once. Any other is a
    parameter, with which it plans at each run, for fear that it might be a tenth of all there is."""

    def __init__(self, build: Callable[[], QuerySet[Any, tuple[Any, ...]]], usual: Iterable[int] = ()) -> None:
        self._build, self._usual = build, frozenset(usual)

    @cached_property
    def _statement(self) -> tuple[str, tuple[Any, ...]]:
        return constants_inlined(*self._build().query.sql_with_params())

    def rows(self, limit: int, **values: str | int) -> list[tuple[Any, ...]]:
        sql, parameters = self._statement
        given: list[Any] = [values[each] if isinstance(each, Param) else each for each in parameters]
        if limit in self._usual:
            return fetch_all(f"{sql} LIMIT {limit:d}", given)
        return fetch_all(f"{sql} LIMIT %s", [*given, limit])


class FetchedRow(NamedTuple):
    """The column values of one row, and of the related rows that were fetched with it."""

    values: tuple[Any, ...]
    related: list[tuple[Any, ...]]


class PreparedJoin(Prepared[Row]):
    """A query for one instance, joined with the rows of another query on the same values: one statement for both."""

    def __init__(self, build: Callable[[], QuerySet[Row]], build_related: Callable[[], QuerySet[Any, Any]]) -> None:
        super().__init__(build)
        self._build_related = build_related

    @cached_property
    def _joined(self) -> tuple[str, tuple[Any, ...]]:
        statement = self._statement
        related, parameters = constants_inlined(*self._build_related().query.sql_with_params())
        sql = f"SELECT * FROM ({statement.sql}) one LEFT JOIN ({related}) related ON TRUE"  # noqa: S608 # the ORM's own
        return sql, (*statement.parameters, *parameters)

    def row_and_related(self, **values: str) -> tuple[Row | None, list[tuple[Any, ...]]]:
        """The instance and its related rows; None and none without it."""
        fetched = self.fetch(**values)
        return (None, []) if fetched is None else (self.row(fetched), fetched.related)

    def fetch(self, **values: str) -> FetchedRow | None:
        """The same as plain values, for `row` to make an instance of; None without a row."""
        sql, parameters = self._joined
        found = fetch_all(sql, [values[each] if isinstance(each, Param) else each for each in parameters])
        if not found:
            return None
        width = self._statement.width
        return FetchedRow(found[0][:width], [each[width:] for each in found if each[width] is not None])

    def row(self, fetched: FetchedRow) -> Row:
        row: Row = self._statement.row(fetched.values)
        return row
