"""Django's PostgreSQL, with a cheaper look at a kept connection before it is used again, and plans that are kept."""

import select
from functools import lru_cache
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base, operations

# A statement is prepared when a connection has run it this many times.
_RUNS_BEFORE_PREPARING = 2
_CursorMixin: Any = base.CursorMixin


@lru_cache(maxsize=256)
def _numbered(sql: str) -> str:
    """The statement with the server's own placeholders, so that the driver need not read it at each run."""
    first, *others = sql.split("%s")
    numbered = (f"${number}{text}" for number, text in enumerate(others, start=1))
    return "".join((first, *numbered)).replace("%%", "%")


class _PreparedCursor(_CursorMixin, psycopg.RawCursor):  # type: ignore[misc] # a mixin of Django's without types
    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        return super().execute(_numbered(query), params, **options)


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        """Of a prepared statement the driver keeps no text."""
        return super().last_executed_query(cursor, sql, params) or sql


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        if settings.DATABASE_PREPARED_STATEMENTS:
            parameters["prepare_threshold"] = _RUNS_BEFORE_PREPARING
        return parameters

    def prepared_cursor(self) -> Any:
        """A cursor that sends values apart from the statement, so that the server plans one that comes again only once:
        planning the statement that reads a caller's policies takes longer than running it."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        wrapper: Any = self
        with wrapper.wrap_database_errors:
            return wrapper._prepare_cursor(_PreparedCursor(self.connection))

    def is_usable(self) -> bool:
        """A server that has gone, or has ended the connection, leaves something to read on an idle socket: that is seen
        without a question to it, which each call would otherwise begin with. Only then it is asked."""
        if self.connection is None:
            return False
        look = select.poll()
        try:
            look.register(self.connection.fileno(), select.POLLIN)
        except psycopg.Error:
            return False
        return not look.poll(0) or bool(super().is_usable())
