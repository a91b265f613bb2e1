"""Lists whose rows go from the database to the wire as they are: no models between, and nothing done field by field.

The columns of a table are named as the members of the model's structure and are texts as the answer has them, NULL for
what it leaves out. So one statement, written once, is all that a list is, however long it is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

from django.db.models import CharField, F, Func, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Left, Length
from django.db.models.lookups import Exact, GreaterThan

from database.batch import QueryBatch
from database.prepared import Param, PreparedValues

# Of a row each column's text, or rows of their own.
Texts = tuple[Any, ...]

# A page by default, and the largest one, with the row that says whether there are more.
_USUAL = (101, 1001)


@dataclass(frozen=True, slots=True)
class Rows:
    """Structures of one kind: the names of their members, and the texts of each."""

    columns: tuple[str, ...]
    rows: Sequence[Texts]

    def as_fields(self) -> list[dict[str, Any]]:
        """Each with its members by name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def converted(self, column: str, convert: Callable[[Iterable[str]], Iterable[str]]) -> "Rows":
        """With the texts of one column converted, all at once."""
        place = self.columns.index(column)
        texts = convert([row[place] or "" for row in self.rows])
        changed = [(*row[:place], text, *row[place + 1 :]) for row, text in zip(self.rows, texts, strict=True)]
        return replace(self, rows=changed)

    def nested(self, member: str) -> "Rows":
        """With the last columns, `member.This` and `member.That`, as a list of one structure, or of none where the
        first of them is NULL."""
        inner = tuple(column.removeprefix(f"{member}.") for column in self.columns if column.startswith(f"{member}."))
        width = len(self.columns) - len(inner)
        changed = [(*row[:width], Rows(inner, () if row[width] is None else (row[width:],))) for row in self.rows]
        return Rows((*self.columns[:width], member), changed)


class Joined(Func):
    """Texts one after the other; NULL as soon as one of them is, which `Concat` has not."""

    template = "(%(expressions)s)"
    arg_joiner = " || "
    output_field = TextField()


class Timestamp(Func):
    """A timestamp as the API writes it, to the second. Both databases write timestamps in UTC and in this form."""

    template = "(REPLACE(SUBSTR(CAST(%(expressions)s AS text), 1, 19), ' ', 'T') || 'Z')"
    output_field = TextField()


def arn(kind: str, account: Combinable | str = "account_id", of: str = "") -> Joined:
    """The ARN of a row that has a path and a name; `of` leads to it."""
    return Joined(Value("arn:aws:iam::"), account, Value(f":{kind}"), f"{of}path", f"{of}name")


def text(number: Combinable | str) -> Cast:
    return Cast(number, TextField())


class Table:
    """The query has `Param("account_id")` and so on for what each call brings; the text `key` is unique in it and gives
    the order."""

    def __init__(self, query: QuerySet[Any], key: Combinable | str, **columns: Combinable | str) -> None:
        self.columns = tuple(columns)
        self._query, self._key = query, _expression(key)
        self._selected = [*map(_expression, columns.values()), self._key]
        shapes = product((False, True), repeat=2)
        self._pages = {shape: PreparedValues(partial(self._page, *shape), _USUAL) for shape in shapes}

    def rows(self, limit: int, after: str | None, prefix: str, **values: str | int) -> list[Texts]:
        """The rows under a path that come after a key, each with its key behind its columns."""
        page = self._pages[prefix != "/", after is not None]
        return page.rows(limit, **values, after=after or "", prefix=prefix)

    def page(self, *, goes_on: bool) -> QuerySet[Any, Any]:
        """What a page is cut from: all rows in their order, or those that come after `Param("after")`."""
        return self._page(under_path=False, goes_on=goes_on)

    def _page(self, under_path: bool, goes_on: bool) -> QuerySet[Any, Any]:
        rows = self._query
        if under_path:  # compared exactly: SQLite's LIKE would ignore case
            prefix = Value(Param("prefix"), CharField())
            rows = rows.filter(Exact(Left("path", Length(prefix)), prefix))
        if goes_on:
            rows = rows.filter(GreaterThan(self._key, Value(Param("after"), CharField())))
        return rows.order_by(self._key).values_list(*self._selected)


class Tables:
    """Several tables as one list, one after the other."""

    def __init__(self, **tables: Table) -> None:
        self._columns = {name: table.columns for name, table in tables.items()}
        begun = {name: partial(table.page, goes_on=False) for name, table in tables.items()}
        going_on = {f"{name} after": partial(table.page, goes_on=True) for name, table in tables.items()}
        self._pages = QueryBatch(begun | going_on, _USUAL)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def rows(self, limit: int, names: Sequence[str], after: str | None, **values: str) -> dict[str, list[Texts]]:
        """The rows of the named tables, of the first one those that come after a key; each with its key behind its
        columns. There are at most so many in all, and all of them are read in one query."""
        lists = [names[0] if after is None else f"{names[0]} after", *names[1:]]
        pages = self._pages.rows(lists, limit=limit, after=after or "", **values)
        return dict(zip(names, pages.values(), strict=True))

    def page_of(self, name: str, rows: Iterable[Texts]) -> Rows:
        """The rows of one of the tables, without their keys."""
        return Rows(self._columns[name], [row[:-1] for row in rows])


def _expression(column: Combinable | str) -> Combinable:
    return F(column) if isinstance(column, str) else column
