"""How many questions to the database a call takes: a number that does not grow with what there is."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from identities.models import User, UserTag
from tests.api.conftest import ProgramOf
from tests.api.program import Program
from tests.cast import make_user

CONTROL = ("BEGIN", "SAVEPOINT", "RELEASE SAVEPOINT", "COMMIT")


def asked(call: Callable[[], object]) -> int:
    """Statements that read or write; beginning and ending a transaction is none."""
    with CaptureQueriesContext(connection) as queries:
        call()
    return len([query for query in queries if not str(query["sql"]).startswith(CONTROL)])


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    """Alice's, after a first call: what is learned once per process, or noted once in a while, is behind it."""
    UserTag.objects.create(user=alice, key="team", value="red")
    UserTag.objects.create(user=alice, key="cost", value="1")
    program = program_of(alice)
    program.iam("ListUsers")
    return program


def test_proving_who_one_is_takes_one(program: Program) -> None:
    assert asked(lambda: program.sts("GetCallerIdentity")) == 1


@pytest.mark.parametrize("users", [0, 30])
def test_a_read_takes_three(program: Program, alice: User, users: int) -> None:
    for number in range(users):
        make_user(alice.account, f"user-{number}", console=False)
    assert asked(lambda: program.iam("GetUser", UserName="alice")) == 3
    assert asked(lambda: program.iam("ListUsers")) == 3


def test_a_write_takes_six_at_most(program: Program) -> None:
    program.iam("CreateUser", UserName="dora")
    assert asked(lambda: program.iam("CreateUser", UserName="carol")) <= 6


def test_tags_read_with_a_key_are_the_users(program: Program, alice: User) -> None:
    tags = program.iam("GetUser")["User"]["Tags"]
    assert tags == [{"Key": "cost", "Value": "1"}, {"Key": "team", "Value": "red"}]
