"""MaxItems and Marker: one page of a list, and an opaque marker for the next."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core import signing
from django.db.models import Model, QuerySet

from api.tables import Rows, Table, Tables
from audit.errors import ValidationError

Item = TypeVar("Item")
Row = TypeVar("Row", bound=Model)

DEFAULT_ITEMS = 100


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """`fields` go into the answer beside the items: IsTruncated, and Marker when there is more."""

    items: Sequence[Item]
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class MixedPage:
    """A page that may begin among the rows of one table and end among those of another."""

    rows: Mapping[str, Rows]
    fields: Mapping[str, object]

    def of(self, *names: str) -> list[dict[str, Any]]:
        """The rows of some of the tables, by the names of their columns."""
        return [row for name in names if name in self.rows for row in self.rows[name].as_fields()]


@dataclass(frozen=True, slots=True)
class TablePage:
    """One page of a table, as the serializer takes it."""

    rows: Rows
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Pager:
    """Pages for one call. A marker is signed and bound to the action, so a made-up or foreign one is refused."""

    action: str
    max_items: int = DEFAULT_ITEMS
    marker: str | None = None

    def rows(self, queryset: QuerySet[Row], key: str) -> Page[Row]:
        """Continue after the last row of the page before, whatever was added or removed since. `key` names a column
        that is unique in the queryset and gives its order."""
        after = self._position((str, int))
        if after is not None:
            queryset = queryset.filter(**{f"{key}__gt": after})
        found = list(queryset.order_by(key)[: self.max_items + 1])
        items = found[: self.max_items]
        return self._page(items, getattr(items[-1], key) if len(found) > len(items) else None)

    def table(self, table: Table, prefix: str, **values: str | int) -> TablePage:
        """The page of a table that comes after the page before, of rows under a path."""
        found = table.rows(self.max_items + 1, self._position(str), prefix, **values)
        items = found[: self.max_items]
        fields = self._page((), items[-1][-1] if len(found) > len(items) else None).fields
        return TablePage(Rows(table.columns, [row[:-1] for row in items]), fields)

    def slice(self, items: Sequence[Item]) -> Page[Item]:
        """A page of a short list that is in memory anyway."""
        start = self._position(int) or 0
        end = start + self.max_items
        return self._page(items[start:end], end if end < len(items) else None)

    def tables(self, tables: Tables, names: Sequence[str], **values: str) -> MixedPage:
        """A page through several tables, one after the other."""
        name, _, after = (self._position(str) or "").partition(" ")
        if name and name not in names:
            raise _invalid(self.marker or "")
        begun = names[names.index(name) :] if name else names
        found = tables.rows(self.max_items + 1, begun, after if name else None, **values)
        fields = self._page((), self._cut(found)).fields
        return MixedPage({name: tables.page_of(name, rows) for name, rows in found.items()}, fields)

    def _cut(self, found: Mapping[str, list[Any]]) -> str | None:
        """Where one row too many was read, to know that there is more, it goes, and the next page begins after the last
        one that is given."""
        if sum(map(len, found.values())) <= self.max_items:
            return None
        next(rows for rows in reversed([*found.values()]) if rows).pop()
        name, rows = next((name, rows) for name, rows in reversed([*found.items()]) if rows)
        return f"{name} {rows[-1][-1]}"

    def _page(self, items: Sequence[Item], position: Any) -> Page[Item]:
        if position is None:
            return Page(items, {"IsTruncated": False})
        return Page(items, {"IsTruncated": True, "Marker": self._signer().sign_object(position, _Compact)})

    def _position(self, kind: type[Any] | tuple[type[Any], ...]) -> Any:
        if self.marker is None:
            return None
        try:
            position = self._signer().unsign_object(self.marker, _Compact)
        except (signing.BadSignature, ValueError) as exc:
            raise _invalid(self.marker) from exc
        if not isinstance(position, kind):
            raise _invalid(self.marker)
        return position

    def _signer(self) -> signing.Signer:
        return signing.Signer(salt=f"api.marker.{self.action}")


class _Compact:
    """A position as short JSON; a marker may have 320 characters."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


def _invalid(marker: str) -> ValidationError:
    return ValidationError(f"Invalid Marker '{marker}': pass on the Marker of the answer before.")
