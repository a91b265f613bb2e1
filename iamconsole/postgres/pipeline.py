"""Several prepared statements in one round trip (postgresql.org, libpq, "Pipeline Mode")."""

import select
from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import pq

Values = Sequence[Any] | None


class Statement(NamedTuple):
    """A prepared statement, and its values as the server reads them."""

    name: bytes
    values: Values = None


def send_together(connection: psycopg.Connection[Any], statements: Sequence[Statement]) -> list[pq.abc.PGresult]:
    """The result of each, in their order. After one that fails the server runs none of the others."""
    pgconn = connection.pgconn
    try:
        pgconn.enter_pipeline_mode()
        for statement in statements:
            pgconn.send_query_prepared(statement.name, statement.values)
        pgconn.pipeline_sync()
        answers = _answers(pgconn, len(statements))
        pgconn.exit_pipeline_mode()
    except BaseException:
        # What is on its way would be read as the answer to something else.
        connection.close()
        raise
    return answers


def _answers(pgconn: pq.abc.PGconn, number: int) -> list[pq.abc.PGresult]:
    """The results: libpq returns a None behind each, and the pipeline's sync behind all. Python waits, without the GIL,
    which libpq would keep."""
    look = select.poll()
    look.register(pgconn.socket, select.POLLIN | select.POLLOUT)
    while pgconn.flush():  # more than fits into the socket
        look.poll()
        pgconn.consume_input()
    look.modify(pgconn.socket, select.POLLIN)
    answers: list[Any] = []
    for _ in range(2 * number + 1):
        while pgconn.is_busy():
            look.poll()
            pgconn.consume_input()
        answers.append(pgconn.get_result())
    return answers[:-1:2]
