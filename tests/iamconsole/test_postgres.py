"""A kept connection is looked at before it is used again, without a question to the server; plans are kept with it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import (
    DataError,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.test.utils import CaptureQueriesContext
from psycopg.pq import TransactionStatus

from accounts.models import Account

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


@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_statement_that_the_server_refuses_raises_what_it_is(kept: Any, in_transaction: bool) -> None:
    refused = {"SELECT %s::int / 0": DataError, "SELECT %s::int FROM nowhere": ProgrammingError}
    for sql, error in refused.items():
        with pytest.raises(error), _transaction(in_transaction), kept.prepared_cursor() as cursor:
            cursor.execute(sql, [1])
        assert _ask(kept, "SELECT %s::int", 2) == 2


def test_a_connection_that_ends_below_a_statement_is_an_operational_error(kept: Any) -> None:
    with kept.prepared_cursor() as cursor:
        end(kept)
        with pytest.raises(OperationalError):
            cursor.execute("SELECT %s::int", [1])


def test_a_statement_may_be_the_first_of_a_transaction(kept: Any) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            _ask(kept, INSERT, NEW)
            assert _ask(kept, "SELECT count(*) FROM accounts_account WHERE id = %s", NEW) == 1
            raise ZeroDivisionError
        assert _ask(kept, "SELECT count(*) FROM accounts_account WHERE id = %s", NEW) == 0


def test_values_of_other_types_have_a_plan_of_their_own(kept: Any) -> None:
    for value in ("text", 7, 2**40, None, b"\x00\xff", True):
        assert _ask(kept, "SELECT concat(%s::text, '.')", value) == _ask_as_ever(kept, value)


@pytest.mark.parametrize("text", ["2026-11-26 01:23:45", "2026-11-26 01:23:45.123456", "0001-01-01 00:00:00.5"])
def test_moments_are_read_to_the_microsecond(kept: Any, text: str) -> None:
    read = _ask(kept, "SELECT (%s::text || '+00')::timestamptz", text)
    assert (read, read.tzinfo) == (datetime.fromisoformat(f"{text}+00:00"), UTC)


@pytest.mark.parametrize("text", ["infinity", "0044-03-15 12:00:00+00 BC", "12026-01-01 00:00:00+00"])
def test_a_moment_that_python_cannot_hold_is_bad_data(kept: Any, text: str) -> None:
    with pytest.raises(DataError):
        _ask(kept, "SELECT %s::timestamptz", text)


@pytest.fixture
def migrated(kept: Any) -> Iterator[Any]:
    """A connection that has asked a table, whose column somebody else has made wider since."""
    other = kept.copy()
    with other.cursor() as cursor:
        cursor.execute("CREATE TABLE migrated AS SELECT 'word'::varchar(8) AS word")
    with transaction.atomic():
        _ask(kept, MIGRATED, "word")
    with other.cursor() as cursor:
        cursor.execute("ALTER TABLE migrated ALTER COLUMN word TYPE varchar(16)")
    yield kept
    with other.cursor() as cursor:
        cursor.execute("DROP TABLE migrated")
    other.close()


MIGRATED = "SELECT word FROM migrated WHERE word = %s"


def test_a_plan_that_a_migration_has_made_outdated_is_made_anew(migrated: Any) -> None:
    assert _ask(migrated, MIGRATED, "word") == "word"


def test_a_transaction_that_fails_with_an_outdated_plan_is_the_only_one(migrated: Any) -> None:
    with pytest.raises(NotSupportedError), transaction.atomic():
        _ask(migrated, MIGRATED, "word")
    with transaction.atomic():
        _later(migrated, NEW)
        assert _ask(migrated, MIGRATED, "word") == "word"
    assert _names_of_new(migrated) == 1


def test_plans_that_somebody_has_removed_fail_one_transaction(kept: Any) -> None:
    with transaction.atomic():
        _later(kept, NEW)
    with kept.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    with pytest.raises(ProgrammingError), transaction.atomic():
        _later(kept, "000000000043")
    with transaction.atomic():
        _later(kept, "000000000044")
    assert set(Account.objects.values_list("pk", flat=True)) == {NEW, "000000000044"}


NEW = "000000000042"
INSERT = (
    "INSERT INTO accounts_account (id, name, created_at, quota_overrides, properties, token_version)"
    " VALUES (%s, 'One', now(), '{}', '{}', 1) RETURNING id"
)


def _ask(kept: Any, sql: str, value: object) -> Any:
    with kept.prepared_cursor() as cursor:
        cursor.execute(sql, [value])
        return cursor.fetchone()[0]


def _ask_as_ever(kept: Any, value: object) -> Any:
    with psycopg.RawCursor(kept.connection) as cursor:
        found: Any = cursor.execute("SELECT concat($1::text, '.')", [value]).fetchone()
        return found[0]


def _transaction(wanted: bool) -> AbstractContextManager[Any]:
    return transaction.atomic() if wanted else nullcontext()


def _later(kept: Any, value: object) -> None:
    with kept.prepared_cursor(may_defer=True) as cursor:
        cursor.execute(INSERT, [value])


def _names_of_new(kept: Any) -> int:
    found: int = _ask(kept, "SELECT count(*) FROM accounts_account WHERE id = %s", NEW)
    return found


def test_what_may_wait_is_sent_with_the_next_statement_whoever_asks_it(kept: Any) -> None:
    with transaction.atomic():
        _later(kept, NEW)
        assert kept.connection.info.transaction_status == TransactionStatus.IDLE
        assert Account.objects.filter(pk=NEW).exists()
        transaction.set_rollback(True)
    with transaction.atomic():
        _later(kept, NEW)
        assert _names_of_new(kept) == 1
        transaction.set_rollback(True)
    assert _names_of_new(kept) == 0


def test_what_may_wait_is_kept_by_the_commit_and_forgotten_by_a_rollback(kept: Any) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        _later(kept, NEW)
        raise ZeroDivisionError
    with transaction.atomic():
        _ask(kept, "SELECT %s::int", 1)
    assert _names_of_new(kept) == 0
    with transaction.atomic():
        _later(kept, NEW)
    assert _names_of_new(kept) == 1


def test_outside_a_transaction_nothing_waits(kept: Any) -> None:
    _later(kept, NEW)
    other = kept.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_account WHERE id = %s", [NEW])
        assert cursor.fetchone() == (1,)
    other.close()


@pytest.mark.parametrize("asks_on", [False, True])
def test_what_is_wrong_with_what_waited_undoes_everything(kept: Any, asks_on: bool) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        assert _ask(kept, INSERT, NEW) == NEW
        _later(kept, "no 12 digits")
        if asks_on:
            _ask(kept, "SELECT %s::int", 1)
    assert _names_of_new(kept) == 0


def test_a_savepoint_takes_back_what_waited_in_it_and_no_more(kept: Any) -> None:
    with transaction.atomic():
        _later(kept, NEW)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            _later(kept, "000000000043")
            raise ZeroDivisionError
    assert set(Account.objects.values_list("pk", flat=True)) == {NEW}


@pytest.mark.parametrize("asks_first", [False, True])
def test_a_savepoint_that_is_taken_back_takes_its_broken_statements_with_it(kept: Any, asks_first: bool) -> None:
    with transaction.atomic():
        _later(kept, NEW)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            if asks_first:
                with pytest.raises(DataError):
                    _ask(kept, "SELECT 1 / %s::int", 0)
            _later(kept, "no 12 digits")
            raise ZeroDivisionError
        assert _names_of_new(kept) == 1
    assert _names_of_new(kept) == 1


def test_what_is_larger_than_a_socket_takes_begins_a_transaction_too(kept: Any) -> None:
    with transaction.atomic():
        assert _ask(kept, "SELECT length(%s::text)", "x" * 3_000_000) == 3_000_000


@pytest.mark.parametrize("waits", [False, True])
def test_a_connection_that_ends_below_a_transaction_is_an_operational_error(kept: Any, waits: bool) -> None:
    with pytest.raises(OperationalError), transaction.atomic():
        if waits:
            _ask(kept, "SELECT %s::int", 1)
            _later(kept, NEW)
        end(kept)
        if not waits:
            _ask(kept, "SELECT %s::int", 1)
    assert _names_of_new(kept) == 0


FIRST, NAME_OF = "SELECT %s::int", "SELECT name FROM accounts_account WHERE id = %s"


def _runs(kept: Any, sql: str) -> int:
    """How many times the server has run a prepared statement of this connection."""
    with kept.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(generic_plans + custom_plans), 0) FROM pg_prepared_statements WHERE statement = %s",
            [sql.replace("%s", "$1")],
        )
        return int(cursor.fetchone()[0])


@pytest.fixture
def two_accounts(kept: Any) -> Any:
    for key in (NEW, "000000000043"):
        _ask(kept, INSERT, key)
    Account.objects.filter(pk=NEW).update(name="Two")
    return kept


def test_what_is_asked_ahead_is_answered_with_the_question_before_it(two_accounts: Any) -> None:
    for _ in range(3):
        two_accounts.ask_ahead(NAME_OF, [NEW])
        assert two_accounts.ask(FIRST, [7]) == [(7,)]
        assert two_accounts.ask(NAME_OF, [NEW]) == [("Two",)]
    assert _runs(two_accounts, NAME_OF) == 3


def test_what_is_asked_ahead_is_seen_as_of_the_question_before(two_accounts: Any) -> None:
    """Once. Who asks again is told what is there then."""
    other = two_accounts.copy()
    two_accounts.ask_ahead(NAME_OF, [NEW])
    two_accounts.ask(FIRST, [7])
    with other.cursor() as cursor:
        cursor.execute("UPDATE accounts_account SET name = 'Later' WHERE id = %s", [NEW])
    assert [two_accounts.ask(NAME_OF, [NEW]) for _ in range(2)] == [[("Two",)], [("Later",)]]
    other.close()


FORGETS: dict[str, Any] = {
    "a transaction": lambda kept: _in_a_transaction(kept),
    "a question of Django's": lambda kept: Account.objects.count(),
    "the end": lambda kept: kept.forget_ahead(),
    "a change": lambda kept: Account.objects.filter(pk=NEW).update(name="Changed"),
}


def _in_a_transaction(kept: Any) -> None:
    with transaction.atomic():
        kept.ask(FIRST, [8])


def test_other_questions_do_not_forget_it(two_accounts: Any) -> None:
    two_accounts.ask_ahead(NAME_OF, [NEW])
    assert [two_accounts.ask(FIRST, [number]) for number in range(2)] == [[(0,)], [(1,)]]
    assert two_accounts.ask(NAME_OF, ["000000000043"]) == [("One",)]
    assert two_accounts.ask(NAME_OF, [NEW]) == [("Two",)]
    assert _runs(two_accounts, NAME_OF) == 2


def test_what_is_found_ahead_is_forgotten_after_a_change(two_accounts: Any) -> None:
    other = two_accounts.copy()
    for what, between in FORGETS.items():
        two_accounts.ask_ahead(NAME_OF, [NEW])
        two_accounts.ask(FIRST, [7])
        between(two_accounts)
        with other.cursor() as cursor:
            cursor.execute("UPDATE accounts_account SET name = %s WHERE id = %s", [what, NEW])
        assert two_accounts.ask(NAME_OF, [NEW]) == [(what,)]
    other.close()


def test_within_a_transaction_nothing_is_asked_ahead(two_accounts: Any) -> None:
    two_accounts.ask_ahead(NAME_OF, [NEW])
    two_accounts.ask(FIRST, [7])
    with transaction.atomic():
        two_accounts.ask_ahead(NAME_OF, [NEW])
        Account.objects.filter(pk=NEW).update(name="Changed")
        two_accounts.ask(FIRST, [7])
        assert two_accounts.ask(NAME_OF, [NEW]) == [("Changed",)]


def test_what_is_wrong_with_it_is_told_to_who_asks_it(two_accounts: Any) -> None:
    for _ in range(2):
        two_accounts.ask_ahead("SELECT 1 / %s::int", [0])
        assert two_accounts.ask(FIRST, [7]) == [(7,)]
        with pytest.raises(DataError):
            two_accounts.ask("SELECT 1 / %s::int", [0])
    with pytest.raises(DataError):
        two_accounts.ask_ahead(NAME_OF, [NEW])
        two_accounts.ask("SELECT 1 / %s::int", [0])
    assert two_accounts.ask(NAME_OF, [NEW]) == [("Two",)]


def test_what_a_migration_has_made_outdated_is_asked_anew(migrated: Any) -> None:
    migrated.ask_ahead(MIGRATED, ["word"])
    assert migrated.ask(FIRST, [7]) == [(7,)]
    assert migrated.ask(MIGRATED, ["word"]) == [("word",)]
