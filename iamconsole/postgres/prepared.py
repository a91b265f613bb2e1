"""Statements that every call runs, spoken on the driver's level of libpq (psycopg.org, "pq – libpq wrapper module").

The driver's cursors find out at each run what is the same at every run: how values are written, how columns are read.
A plan keeps that beside the prepared statement, which makes a run half as dear; it waits in libpq, without the GIL.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count
from typing import Any

import psycopg
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from psycopg import pq
from psycopg.adapt import Buffer, PyFormat, Transformer

from iamconsole.postgres.pipeline import Statement, send_together

_Transformer = Any  # written in C, without types
# What the server says of a plan whose table has changed since ("cached plan must not change result type"), and of one
# that somebody has removed.
_OUTDATED = (psycopg.errors.FeatureNotSupported, psycopg.errors.InvalidSqlStatementName)


class TimestampLoader(BaseTzLoader):  # type: ignore[misc] # a class of Django's without types
    """Timestamps, read by Python's own reader. The connection has them in UTC, as Django sees to."""

    timezone = UTC

    def load(self, data: Buffer) -> datetime:
        try:
            return datetime.fromisoformat(str(data, "ascii"))
        except ValueError:  # before Christ, or infinity: the driver says what is wrong with it
            moment: datetime = super().load(data)
            return moment


@lru_cache(maxsize=256)
def numbered(sql: str) -> str:
    """The statement with the server's own placeholders, so that the driver need not read it at each run."""
    first, *others = sql.split("%s")
    numbered = (f"${number}{text}" for number, text in enumerate(others, start=1))
    return "".join((first, *numbered)).replace("%%", "%")


class Plans:
    """The prepared statements of one connection; they go with it. The statements are written in the code, so that
    there is only a small number of them, once for each combination of types that they meet.

    A transaction takes as few round trips as it can: BEGIN goes with its first statement, and a statement whose rows
    nobody needs is deferred until the next one or the COMMIT. Outside of one, a statement may be sent ahead, in one
    pipeline with the one before it.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._names: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._columns: dict[bytes, _Transformer] = {}
        self._values: _Transformer = Transformer(connection)
        self._controls: dict[bytes, bytes] = {}
        self._deferred: list[Statement] = []
        self._ahead: Statement | None = None
        self._found_ahead: tuple[Statement, pq.abc.PGresult] | None = None
        self._numbers = count()

    def run(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows. Raises psycopg.Error, also for what was deferred. A plan that the server
        refuses as outdated, as after a migration, is made anew: at once, unless a transaction has failed with it."""
        try:
            return self._run(sql, values)
        except _OUTDATED:
            if not self._connection.autocommit:
                raise
            return self._run(sql, values)

    def _run(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        statement = self._statement(sql, values)
        result = self._taken(statement) or self._sent(statement)
        columns = self._columns.get(statement.name)
        if columns is None:
            columns = self._columns[statement.name] = Transformer(self._connection)
            columns.set_pgresult(result)
        else:  # How they are read is known: a plan whose columns have changed would have been refused.
            columns.set_pgresult(result, set_loaders=False)
        rows: list[tuple[Any, ...]] = columns.load_rows(0, result.ntuples, tuple)
        return rows

    def run_ahead(self, sql: str, values: Sequence[Any]) -> None:
        """Send this in one pipeline with the next statement, and keep its rows for when it is run itself, once. Before
        that nothing may be changed; a transaction, or a statement by another way than this, drops them."""
        self._ahead = self._statement(sql, values)

    def forget_ahead(self) -> None:
        self._ahead = self._found_ahead = None

    def _taken(self, statement: Statement) -> pq.abc.PGresult | None:
        """The result of exactly this statement, if it was sent ahead; within a transaction it is run again."""
        if not self._connection.autocommit or self._found_ahead is None or self._found_ahead[0] != statement:
            return None
        found, self._found_ahead = self._found_ahead[1], None
        return found

    def defer(self, sql: str, values: Sequence[Any]) -> None:
        """Put off a statement of a transaction whose rows nobody needs. Its error is raised when it is sent."""
        self._deferred.append(self._statement(sql, values))

    def run_deferred(self) -> None:
        """Send what was deferred, before a statement that takes another way over this connection."""
        self.forget_ahead()
        if self._deferred:
            self._sent()

    def commit_deferred(self) -> None:
        """Send what was deferred together with the COMMIT; nothing if there is none."""
        if self._deferred:
            self._sent(self._control(b"COMMIT"))

    def drop_deferred(self) -> None:
        self._deferred.clear()

    def _sent(self, *statements: Statement) -> pq.abc.PGresult:
        """Send these statements behind what goes before them; returns the result of the last one."""
        ahead, self._ahead = self._ahead, None
        if ahead and self._connection.autocommit:
            return self._sent_with_ahead(ahead, *statements)
        waiting, self._deferred = self._deferred, []
        together = [*self._beginning(), *waiting, *statements]
        if len(together) == 1:
            only = together[0]
            return self._checked(self._connection.pgconn.exec_prepared(only.name, only.values))
        return [self._checked(each) for each in send_together(self._connection, together)][-1]

    def _sent_with_ahead(self, ahead: Statement, statement: Statement) -> pq.abc.PGresult:
        """An error of the statement sent ahead is not raised: it will be when that one is run."""
        answer, found = send_together(self._connection, [statement, ahead])
        with suppress(psycopg.Error):
            self._found_ahead = (ahead, self._checked(found))
        return self._checked(answer)

    def _beginning(self) -> list[Statement]:
        """BEGIN, before the first statement of a transaction, as the driver does it."""
        connection = self._connection
        if connection.autocommit:
            return []
        self.forget_ahead()
        if connection.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            return []
        return [self._control(b"BEGIN")]

    def _control(self, word: bytes) -> Statement:
        name = self._controls.get(word)
        if name is None:
            name = self._new_name()
            self._checked(self._connection.pgconn.prepare(name, word))
            self._controls[word] = name
        return Statement(name)

    def _statement(self, sql: str, values: Sequence[Any]) -> Statement:
        written: Any = self._values.dump_sequence(values, [PyFormat.TEXT] * len(values))
        return Statement(self._names.get((sql, self._types())) or self._prepare(sql), written)

    def _types(self) -> tuple[int, ...]:
        return self._values.types or ()

    def _prepare(self, sql: str) -> bytes:
        name = self._new_name()
        self._checked(self._connection.pgconn.prepare(name, sql.encode(), self._types()))
        self._names[sql, self._types()] = name
        return name

    def _new_name(self) -> bytes:
        """One that none had before it: what was forgotten may still be there."""
        return b"plan_%d" % next(self._numbers)

    def _forget(self) -> None:
        """Let all be prepared anew. What one change has made outdated seldom is one statement."""
        self._names.clear()
        self._columns.clear()
        self._controls.clear()

    def _checked(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            return result
        error = psycopg.errors.error_from_result(result, encoding=self._connection.info.encoding)
        if isinstance(error, _OUTDATED):
            self._forget()
        # Of an end of the connection the server could not say what it was.
        is_over = self._connection.pgconn.status != pq.ConnStatus.OK
        raise psycopg.OperationalError(str(error)) if is_over else error


class PlannedCursor:
    """As much of a cursor (PEP 249) as a statement needs that is run once and read to its end."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, query: str, params: Sequence[Any] = ()) -> None:
        self._rows = self._plans.run(numbered(query), params)

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows, self._rows = self._rows, []
        return rows

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def close(self) -> None:
        self._rows = []


class DeferredCursor(PlannedCursor):
    """For a statement whose rows nobody needs."""

    def execute(self, query: str, params: Sequence[Any] = ()) -> None:
        self._plans.defer(numbered(query), params)
