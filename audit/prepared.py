"""Queries that the ORM writes once per process. For those that every call makes, writing the SQL anew would cost
several times as much as running it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import CharField, Model, QuerySet, TextField
from django.db.models.query import get_related_populators
from django.db.transaction import mark_for_rollback_on_error

Row = TypeVar("Row", bound=Model)
_AS_THEY_ARE = (CharField, TextField)
_HANDED_OVER = "_handed_over"
# What needs no quoting in SQL: a word, or the beginning of an ARN.
_WORD = re.compile(r"[\w:/. -]*", re.ASCII)


class Given(str):
    """Stands for a text in a query: the name of the value that each run brings."""

    __slots__ = ()


def constants_inlined(sql: str, parameters: Iterable[Any]) -> tuple[str, tuple[Any, ...]]:
    """Words that are the same at each run become part of the statement, instead of being sent along each time."""
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


def asked(sql: str, values: Sequence[Any], *, may_wait: bool = False) -> list[tuple[Any, ...]]:
    """What a statement finds that comes again and again: PostgreSQL plans it only once (`iamconsole.postgres`). One
    that finds nothing may wait there until the transaction asks for something else, or ends."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    if hasattr(database, "ask"):
        found: list[tuple[Any, ...]] = database.ask(sql, values, may_wait=may_wait)
        return found
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        found = cursor.fetchall()
    return found


def asked_ahead(sql: str, values: Sequence[Any]) -> None:
    """Let PostgreSQL answer this beside the next question, if it is what will be asked right after that."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    if hasattr(database, "ask_ahead"):
        database.ask_ahead(sql, values)


def forget_ahead() -> None:
    """What was asked ahead and not used, at the end of a request."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    if hasattr(database, "forget_ahead"):
        database.forget_ahead()


class _Statement:
    """SQL, and how its rows become models. What is kept of the ORM's compiler is only read after this."""

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
    """`build` writes the query, with `Given("name")` where `rows(name=…)` puts a value."""

    def __init__(self, build: Callable[[], QuerySet[Row]]) -> None:
        self._build = build

    @cached_property
    def _statement(self) -> _Statement:
        return _Statement(self._build())

    def rows(self, **values: str) -> list[Row]:
        statement = self._statement
        return [statement.row(row) for row in asked(statement.sql, self._parameters(values))]

    def ahead(self, **values: str) -> None:
        """Ask for the rows of these values together with the next question."""
        asked_ahead(self._statement.sql, self._parameters(values))

    def _parameters(self, values: Mapping[str, str]) -> list[Any]:
        return [values[each] if isinstance(each, Given) else each for each in self._statement.parameters]

    def first_row(self, *each: str, **values: str) -> tuple[Row | None, list[tuple[Any, ...]]]:
        """The first row, and of every row the annotations of these names: a row that is joined with many comes once
        for each of them, and is made once."""
        statement = self._statement
        found = asked(statement.sql, self._parameters(values))
        if not found:
            return None, []
        columns = [statement.annotations[name] for name in each]
        return statement.row(found[0]), [tuple([row[column] for column in columns]) for row in found]


class PreparedValues:
    """Rows as the database tells them, at most so many of them: `build` writes a query of values in their order.

    The limits that are `usual` stand in the statement. PostgreSQL plans any other at each run, for fear that it might
    be a tenth of all there is."""

    def __init__(self, build: Callable[[], QuerySet[Any, tuple[Any, ...]]], usual: Iterable[int] = ()) -> None:
        self._build, self._usual = build, frozenset(usual)

    @cached_property
    def _statement(self) -> tuple[str, tuple[Any, ...]]:
        return constants_inlined(*self._build().query.sql_with_params())

    def rows(self, limit: int, **values: str | int) -> list[tuple[Any, ...]]:
        sql, parameters = self._statement
        given: list[Any] = [values[each] if isinstance(each, Given) else each for each in parameters]
        if limit in self._usual:
            return asked(f"{sql} LIMIT {limit:d}", given)
        return asked(f"{sql} LIMIT %s", [*given, limit])


class Told(NamedTuple):
    """The values of one row, and the rows beside it."""

    values: tuple[Any, ...]
    beside: list[tuple[Any, ...]]


class PreparedWith(Prepared[Row]):
    """One row, and beside it the rows of another statement on the same values: together they take one question."""

    def __init__(self, build: Callable[[], QuerySet[Row]], build_beside: Callable[[], QuerySet[Any, Any]]) -> None:
        super().__init__(build)
        self._build_beside = build_beside

    @cached_property
    def _joined(self) -> tuple[str, tuple[Any, ...]]:
        statement = self._statement
        beside, parameters = constants_inlined(*self._build_beside().query.sql_with_params())
        sql = f"SELECT * FROM ({statement.sql}) one LEFT JOIN ({beside}) beside ON TRUE"  # noqa: S608 # the ORM's own
        return sql, (*statement.parameters, *parameters)

    def row_and_beside(self, **values: str) -> tuple[Row | None, list[tuple[Any, ...]]]:
        """The row and what is beside it; without a row there is nothing beside it."""
        told = self.told(**values)
        return (None, []) if told is None else (self.row(told), told.beside)

    def told(self, **values: str) -> Told | None:
        """The same as the database tells it; None without a row."""
        sql, parameters = self._joined
        found = asked(sql, [values[each] if isinstance(each, Given) else each for each in parameters])
        if not found:
            return None
        width = self._statement.width
        return Told(found[0][:width], [each[width:] for each in found if each[width] is not None])

    def row(self, told: Told) -> Row:
        row: Row = self._statement.row(told.values)
        return row


class PreparedInsert(Generic[Row]):
    """Writes one row of a model. It does what `save` does for a new row, but for signals, which nothing here has."""

    def __init__(self, model: type[Row]) -> None:
        self._model = model

    @cached_property
    def _fields(self) -> tuple[list[tuple[str, Any]], list[Any]]:
        """The attributes whose values a row brings, each with its field unless it is a text, which goes as it is; and
        the fields that the database works out."""
        options: Any = self._model._meta
        given = [each for each in options.concrete_fields if not (each.generated or each is options.auto_field)]
        made = list(options.db_returning_fields) or [options.pk]
        return [(each.attname, None if type(each) in _AS_THEY_ARE else each) for each in given], made

    @cached_property
    def _values(self) -> str:
        return self._sql("VALUES ({})")

    def _sql(self, source: str) -> str:
        """`source` has a place for the values."""
        given, made = self._fields
        options: Any = self._model._meta
        quoted = connection.ops.quote_name
        columns = ", ".join(quoted(options.get_field(name).column) for name, _ in given)
        back = ", ".join(quoted(each.column) for each in made)
        rows = source.format(", ".join(["%s"] * len(given)))
        return f"INSERT INTO {quoted(options.db_table)} ({columns}) {rows} RETURNING {back}"

    def insert(self, row: Row, *, may_wait: bool = False) -> Row:
        """With `may_wait` nobody asks what the database works out of the row, its key for one: it may not be known."""
        if _can_return():
            self._insert(row, self._values, may_wait=may_wait)
        else:
            row.save(force_insert=True)
        return row

    def insert_below(self, quota: int, row: Row, *, of: str) -> bool:
        """The same unless its owner has so many already; returns whether it was done. The statement that writes counts
        them, too: under the owner's lock nobody can have added one that it does not see."""
        owner: Any = self._model._meta.get_field(of)
        if not _can_return():
            has_room = self._model._base_manager.filter(**{of: getattr(row, of)}).count() < quota
            if has_room:
                row.save(force_insert=True)
            return has_room
        table, column = map(connection.ops.quote_name, (self._model._meta.db_table, owner.column))
        number = f"SELECT COUNT(*) FROM {table} WHERE {column} = %s"  # noqa: S608 # names of columns
        return self._insert(row, self._sql(f"SELECT {{}} WHERE ({number}) < %s"), getattr(row, owner.attname), quota)

    def _insert(self, row: Row, sql: str, *others: Any, may_wait: bool = False) -> bool:
        database: Any = connections[DEFAULT_DB_ALIAS]
        given, made = self._fields
        values = [
            field.get_db_prep_save(field.pre_save(row, True), database) if field else getattr(row, name)
            for name, field in given
        ]
        with mark_for_rollback_on_error():
            found = asked(sql, [*values, *others], may_wait=may_wait)
        for told in found:
            for field, value in zip(made, told, strict=True):
                setattr(row, field.attname, value)
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
        return bool(found)


def _can_return() -> bool:
    """SQLite can't before 3.35."""
    return connection.features.can_return_columns_from_insert


def hand_over(row: Model, name: str, related: Iterable[Any]) -> None:
    """Give a row what a query of its own would find in `row.name.all()`, for whoever asks for what is `at_hand`."""
    row.__dict__.setdefault(_HANDED_OVER, {})[name] = list(related)


def at_hand(row: Model, name: str) -> Iterable[Any]:
    """What `row.name.all()` gives; where it was handed over, or read along, without making a manager to ask for it."""
    for place in (_HANDED_OVER, "_prefetched_objects_cache"):
        known: Iterable[Any] | None = row.__dict__.get(place, {}).get(name)
        if known is not None:
            return known
    everything: Iterable[Any] = getattr(row, name).all()
    return everything
