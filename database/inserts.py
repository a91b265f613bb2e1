"""Inserts whose SQL is written once per process, as that of `database.prepared`."""

from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import CharField, Model, TextField
from django.db.transaction import mark_for_rollback_on_error

from database.prepared import fetch_all

Row = TypeVar("Row", bound=Model)
_NEED_NO_CONVERSION = (CharField, TextField)


class PreparedInsert(Generic[Row]):
    """Inserts one instance of a model, as its `save` does for a new one, but for signals, which nothing here has."""

    def __init__(self, model: type[Row]) -> None:
        self._model = model

    @cached_property
    def _fields(self) -> tuple[list[tuple[str, Any]], list[Any]]:
        """The attributes whose values an instance brings, each with its field, or with None where it is a text, which
        needs no conversion; and the fields whose values the database makes."""
        options: Any = self._model._meta
        given = [each for each in options.concrete_fields if not (each.generated or each is options.auto_field)]
        made = list(options.db_returning_fields) or [options.pk]
        return [(each.attname, None if type(each) in _NEED_NO_CONVERSION else each) for each in given], made

    @cached_property
    def _values(self) -> str:
        return self._sql("VALUES ({})")

    def _sql(self, source: str) -> str:
        """The INSERT statement; `source` is a format with one place for the list of values."""
        given, made = self._fields
        options: Any = self._model._meta
        quoted = connection.ops.quote_name
        columns = ", ".join(quoted(options.get_field(name).column) for name, _ in given)
        back = ", ".join(quoted(each.column) for each in made)
        rows = source.format(", ".join(["%s"] * len(given)))
        return f"INSERT INTO {quoted(options.db_table)} ({columns}) {rows} RETURNING {back}"

    def insert(self, row: Row, *, may_defer: bool = False) -> Row:
        """Insert and return the instance. With `may_defer` nobody needs what the database makes, as its primary key: it
        may not be set afterwards (see `fetch_all`)."""
        if _can_return():
            self._insert(row, self._values, may_defer=may_defer)
        else:
            row.save(force_insert=True)
        return row

    def insert_below(self, quota: int, row: Row, *, of: str) -> bool:
        """Insert the instance unless its owner, the foreign key `of`, has `quota` of them already; returns whether it
        was done. One statement counts and inserts: under the owner's lock nobody can have added one that it does not
        see."""
        owner: Any = self._model._meta.get_field(of)
        if not _can_return():
            has_room = self._model._base_manager.filter(**{of: getattr(row, of)}).count() < quota
            if has_room:
                row.save(force_insert=True)
            return has_room
        table, column = map(connection.ops.quote_name, (self._model._meta.db_table, owner.column))
        number = f"SELECT COUNT(*) FROM {table} WHERE {column} = %s"  # noqa: S608 # names of columns
        return self._insert(row, self._sql(f"SELECT {{}} WHERE ({number}) < %s"), getattr(row, owner.attname), quota)

    def _insert(self, row: Row, sql: str, *others: Any, may_defer: bool = False) -> bool:
        database: Any = connections[DEFAULT_DB_ALIAS]
        given, made = self._fields
        values = [
            field.get_db_prep_save(field.pre_save(row, True), database) if field else getattr(row, name)
            for name, field in given
        ]
        with mark_for_rollback_on_error():
            found = fetch_all(sql, [*values, *others], may_defer=may_defer)
        for values_made in found:
            for field, value in zip(made, values_made, strict=True):
                setattr(row, field.attname, value)
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
        return bool(found)


def _can_return() -> bool:
    """SQLite can't before 3.35."""
    return connection.features.can_return_columns_from_insert
