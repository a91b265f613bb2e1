"""Several querysets of values in one statement: one round trip for all, and all of them as of one moment.

Each is a common table expression that the database aggregates into a JSON text. Read back from it, the rows are those
that the queryset alone would have returned.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import BooleanField, F, Field, ForeignKey, Func, QuerySet, TextField, Value

from database.prepared import Param, constants_inlined, fetch_all

Rows = list[tuple[Any, ...]]
Build = Callable[[], QuerySet[Any, Any]]

_NUMBERS = {"BigAutoField", "IntegerField", "PositiveIntegerField", "PositiveSmallIntegerField"}
_TEXTS = {"CharField", "TextField"}
# How the rows of a list are written: all of them, and each.
_WRITTEN = {"postgresql": ("json_agg", "json_build_array"), "sqlite": ("json_group_array", "json_array")}


def _moment(text: str) -> datetime:
    """Read a timestamp. SQLite keeps them in UTC and does not say so."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# What JSON keeps as it is needs no reading.
_READ: dict[str, Callable[[Any], Any] | None] = {
    **dict.fromkeys(_NUMBERS | _TEXTS),
    "BooleanField": bool,
    "DateTimeField": _moment,
}


class AnyOf(Func):
    """`column IN (values)` for a sequence of values that each run is given. However many they are, they are one
    parameter, a JSON text, so that the statement is always the same."""

    template = "(%(expressions)s)))"
    arg_joiner = " IN (SELECT value FROM json_each("
    output_field = BooleanField()

    def __init__(self, column: str, given: Param) -> None:
        super().__init__(F(column), Value(given, TextField()))

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        kind = "bigint" if _kind(self.get_source_expressions()[0]) in _NUMBERS else "text"
        joiner = " = ANY(CAST(ARRAY(SELECT json_array_elements_text(CAST("
        template = f"(%(expressions)s AS json))) AS {kind}[])))"
        return self.as_sql(compiler, connection, template=template, arg_joiner=joiner, **context)


class _List:
    """One of the querysets: its SQL, and how the columns that JSON does not keep as they are, are read back."""

    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        compiler = queryset.query.get_compiler(connection=connection)
        self.sql, self.parameters = constants_inlined(*compiler.as_sql(with_col_aliases=True))
        readers = [_reader(expression) for expression, _, _ in compiler.select]
        self.readers = [(place, read) for place, read in enumerate(readers) if read]
        whole, each = _WRITTEN[connection.vendor]
        names = ", ".join(connection.ops.quote_name(alias) for _, _, alias in compiler.select)
        self.written = f"SELECT CAST({whole}({each}({names})) AS text) FROM"

    def rows(self, text: str | None) -> Rows:
        """PostgreSQL writes nothing at all of no rows."""
        found = json.loads(text) if text else []
        for place, read in self.readers:
            for row in found:
                row[place] = row[place] if row[place] is None else read(row[place])
        return [tuple(row) for row in found]


class QueryBatch:
    """`lists` gives each list's name and what builds its queryset of values, in its order, with `Param("name")` where
    `rows(name=…)` is to put a value.

    With a limit, there are at most so many rows in all, those of the first lists before those of the next. Limits that
    are `usual` are written into the statement (see `PreparedValues`).
    """

    def __init__(self, lists: Mapping[str, Build], usual: Iterable[int] = ()) -> None:
        self._build, self._usual = lists, frozenset(usual)

    @cached_property
    def _lists(self) -> dict[str, _List]:
        return {name: _List(build()) for name, build in self._build.items()}

    def rows(
        self,
        names: Iterable[str] | None = None,
        /,
        *,
        limit: int | None = None,
        **values: str | int | Sequence[int | str],
    ) -> dict[str, Rows]:
        """The rows of each list by its name, or only of the named ones."""
        lists = self._lists if names is None else {name: self._lists[name] for name in names}
        if not lists:
            return {}
        given = {name: value if isinstance(value, str | int) else json.dumps(value) for name, value in values.items()}
        at_most = [limit] if limit is not None and limit not in self._usual else []
        parameters: list[Any] = []
        for each in lists.values():
            parameters += [given[one] if isinstance(one, Param) else one for one in each.parameters]
            parameters += at_most
        ((*texts,),) = fetch_all(self._statement([*lists.values()], limit), parameters)
        return {name: each.rows(text) for (name, each), text in zip(lists.items(), texts, strict=True)}

    def _statement(self, lists: Sequence[_List], limit: int | None) -> str:
        found = [f"list_{number}" for number in range(len(lists))]
        parts = [
            f"{name} AS ({each.sql}{self._limited(limit, found[:number])})"
            for number, (name, each) in enumerate(zip(found, lists, strict=True))
        ]
        written = [f"({each.written} {name})" for name, each in zip(found, lists, strict=True)]
        return f"WITH {', '.join(parts)} SELECT {', '.join(written)}"

    def _limited(self, limit: int | None, before: Sequence[str]) -> str:
        """The LIMIT clause: what the lists before have left of the limit."""
        if limit is None:
            return ""
        counts = [f"(SELECT COUNT(*) FROM {name})" for name in before]  # noqa: S608 # names of `_statement`
        return " - ".join([f" LIMIT {limit:d}" if limit in self._usual else " LIMIT %s", *counts])


def _reader(expression: Any) -> Callable[[Any], Any] | None:
    if (kind := _kind(expression)) not in _READ:
        raise TypeError(f"JSON does not keep a {kind} so that it could be read back.")
    return _READ[kind]


def _kind(expression: Any) -> str:
    field: Field[Any, Any] = expression.output_field
    while isinstance(field, ForeignKey):
        field = field.target_field
    return field.get_internal_type()


def by_first(rows: Iterable[tuple[Any, ...]]) -> dict[Any, Rows]:
    """Rows grouped by their first column, which is left out of them."""
    found: dict[Any, Rows] = {}
    for first, *others in rows:
        found.setdefault(first, []).append(tuple(others))
    return found
