"""What a call is about is looked for together with who asks: on PostgreSQL, as servers run, with nobody watching."""

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connection

from accounts.models import Account
from api import authentication
from iamconsole.programs import ProgramsFirst
from identities.models import AccessKey, User
from tests.api.conftest import SECRET, key_of
from tests.api.program import Program
from tests.cast import acme, alice, allow, bob, globex
from tests.iamconsole.test_programs import answer, environ_of

__all__ = ["acme", "alice", "bob", "globex"]

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
GET_BOB = "Action=GetUser&UserName=bob&Version=2010-05-08"


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> ProgramsFirst:
    monkeypatch.setattr(authentication, "_CACHED_KEYS", {})
    connection.close()  # what others looked for is counted with it
    return ProgramsFirst(get_wsgi_application())


@pytest.fixture
def program(alice: User, bob: User) -> Program:
    allow(alice, "iam:Get*")
    return Program(key_of(alice).access_key_id, SECRET)


def ask(console: ProgramsFirst, program: Program, body: str = GET_BOB) -> tuple[str, str]:
    status, _, told = answer(console, environ_of(program, body))
    return status, told.decode()


def lookups() -> int:
    """How many times users were looked for by name on this connection."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(generic_plans + custom_plans), 0) FROM pg_prepared_statements"
            " WHERE statement LIKE 'SELECT \"identities_user\"%' AND statement LIKE '%name_key\" = $%'"
        )
        return int(cursor.fetchone()[0])


def test_every_call_looks_once_and_sees_what_is_there_now(console: ProgramsFirst, program: Program, bob: User) -> None:
    for number in range(4):
        User.objects.filter(pk=bob.pk).update(path=f"/team{number}/")
        status, told = ask(console, program)
        assert status == "200 OK" and f"<Path>/team{number}/</Path>" in told
    assert lookups() == 4


def test_a_key_that_was_good_lately_opens_nothing(console: ProgramsFirst, program: Program) -> None:
    """Looked for, as the first thing of a call whose signature fits, and told nobody."""
    ask(console, program)
    AccessKey.objects.update(status="Inactive")
    status, told = ask(console, program)
    assert status == "403 Forbidden" and "InvalidClientTokenId" in told
    assert lookups() == 2


@pytest.mark.bar(92)
def test_for_a_stranger_nothing_is_looked_for(
    console: ProgramsFirst, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long the answer takes must not tell who is there."""
    ask(console, program)
    assert ask(console, Program(program.access_key_id, "x" * 40))[0] == "403 Forbidden"
    monkeypatch.setattr(authentication, "_CACHED_KEYS", {})
    AccessKey.objects.update(status="Inactive")
    assert ask(console, program)[0] == "403 Forbidden"
    assert lookups() == 1


def test_of_another_account_nothing_is_found(console: ProgramsFirst, program: Program, globex: Account) -> None:
    User.objects.create(account=globex, name="zoe", unique_id="AIDAZOE", path="/")
    for _ in range(2):
        status, told = ask(console, program, GET_BOB.replace("bob", "zoe"))
        assert status == "404 Not Found" and "NoSuchEntity" in told


def test_only_so_many_are_remembered(
    console: ProgramsFirst, program: Program, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "_MOST_KEYS", 1)
    for one in (program, Program(key_of(bob).access_key_id, SECRET)):
        ask(console, one)
    assert [key for key, _ in authentication._CACHED_KEYS] == [one.access_key_id]
