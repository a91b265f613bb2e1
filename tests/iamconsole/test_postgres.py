"""A kept connection is looked at before it is used again, without a question to the server."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def kept() -> Any:
    connection.ensure_connection()
    yield connection
    connection.close()


def end(kept: Any) -> None:
    """Another connection ends this one, as a restart of the server does, and waits until it has."""
    other = kept.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [kept.connection.info.backend_pid])
    other.close()


def test_a_living_connection_costs_no_question(kept: Any) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert kept.is_usable()
    assert len(queries) == 0


def test_one_that_the_server_has_ended_is_noticed(kept: Any) -> None:
    end(kept)
    assert not kept.is_usable()


def test_a_closed_one_is_not_usable(kept: Any) -> None:
    kept.connection.close()
    assert not kept.is_usable()


def test_a_statement_that_comes_again_is_planned_once(kept: Any) -> None:
    for number in range(4):
        with kept.prepared_cursor() as cursor:
            cursor.execute("SELECT %s::int + 1", [number])
            assert cursor.fetchone() == (number + 1,)
    with kept.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1::int + 1'")
        assert cursor.fetchone() == (1,)
