"""Django's PostgreSQL, with a cheaper look at a kept connection before it is used again, and plans that are kept."""

import select
from collections.abc import Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base, operations

from iamconsole.postgres.prepared import DeferredCursor, PlannedCursor, Plans, TimestampLoader, numbered

# A statement is prepared when a connection has run it this many times.
_RUNS_BEFORE_PREPARING = 2
_CursorMixin: Any = base.CursorMixin


class _PreparedCursor(_CursorMixin, psycopg.RawCursor):  # type: ignore[misc] # a mixin of Django's without types
    """For connections on which nothing stays prepared."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        return super().execute(numbered(query), params, **options)


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        """Of a prepared statement nobody keeps the text with its values."""
        if isinstance(cursor, PlannedCursor):
            return sql
        return super().last_executed_query(cursor, sql, params) or sql


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        if settings.DATABASE_PREPARED_STATEMENTS:
            parameters["prepare_threshold"] = _RUNS_BEFORE_PREPARING
        return parameters

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.adapters.register_loader("timestamptz", TimestampLoader)
        self._plans = Plans(connection)
        return connection

    def ask(self, sql: str, values: Sequence[Any], *, may_defer: bool = False) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows, or none if it may be deferred and is. Where no execute wrapper and no
        log of queries watches, the cursor and all that wraps it are left out: they cost as much again as the
        statement."""
        wrapper: Any = self
        if wrapper.execute_wrappers or wrapper.queries_logged or not settings.DATABASE_PREPARED_STATEMENTS:
            with self.prepared_cursor(may_defer=may_defer) as cursor:
                cursor.execute(sql, values)
                found: list[tuple[Any, ...]] = cursor.fetchall()
                return found
        self._ensure_healthy()
        wrapper.validate_no_broken_transaction()
        with wrapper.wrap_database_errors:
            if may_defer and self.in_atomic_block:
                self._plans.defer(numbered(sql), values)
                return []
            return self._plans.run(numbered(sql), values)

    def ask_ahead(self, sql: str, values: Sequence[Any]) -> None:
        """Send a statement in one pipeline with the next one, where nobody watches; its rows are kept for it to be
        run right after that one."""
        wrapper: Any = self
        if wrapper.execute_wrappers or wrapper.queries_logged or not settings.DATABASE_PREPARED_STATEMENTS:
            return
        self._ensure_healthy()
        if not self.in_atomic_block:
            with wrapper.wrap_database_errors:
                self._plans.run_ahead(numbered(sql), values)

    def _ensure_healthy(self) -> None:
        wrapper: Any = self
        if not wrapper.health_check_done:
            self.close_if_health_check_failed()
        if self.connection is None:
            self.ensure_connection()

    def forget_ahead(self) -> None:
        if self.connection is not None:
            self._plans.forget_ahead()

    def prepared_cursor(self, *, may_defer: bool = False) -> Any:
        """A cursor that sends values apart from the statement, so that the server plans one that comes again only once:
        planning the statement that reads a caller's policies takes longer than running it. One whose rows nobody needs
        may be deferred, within a transaction, until the next one or the end."""
        self._ensure_healthy()
        wrapper: Any = self
        with wrapper.wrap_database_errors:
            return wrapper._prepare_cursor(self._cursor_for_plans(may_defer and self.in_atomic_block))

    def _cursor_for_plans(self, may_defer: bool) -> PlannedCursor | _PreparedCursor:
        if not settings.DATABASE_PREPARED_STATEMENTS:
            return _PreparedCursor(self.connection)
        return (DeferredCursor if may_defer else PlannedCursor)(self._plans)

    def create_cursor(self, name: str | None = None) -> Any:
        self._plans.run_deferred()
        return super().create_cursor(name)

    def _commit(self) -> None:
        """Deferred statements go in one pipeline with the COMMIT; then the driver finds nothing left to commit."""
        wrapper: Any = self
        if self.connection is not None:
            with wrapper.wrap_database_errors:
                self._plans.commit_deferred()
        super()._commit()  # type: ignore[misc] # Django's, without types

    def _rollback(self) -> None:
        if self.connection is not None:
            self._plans.drop_deferred()
        super()._rollback()  # type: ignore[misc] # Django's, without types

    def _savepoint_rollback(self, sid: str) -> None:
        """What was deferred before the savepoint was sent with it; what is deferred now would be rolled back at once.
        Sending it could only fail, and take what is outside of the savepoint with it."""
        self._plans.drop_deferred()
        super()._savepoint_rollback(sid)  # type: ignore[misc] # Django's, without types

    def is_usable(self) -> bool:
        """A server that has gone, or has ended the connection, leaves something to read on an idle socket: that is seen
        without a round trip, which each call would otherwise begin with. Only then it is asked."""
        if self.connection is None:
            return False
        look = select.poll()
        try:
            look.register(self.connection.fileno(), select.POLLIN)
        except psycopg.Error:
            return False
        return not look.poll(0) or bool(super().is_usable())
