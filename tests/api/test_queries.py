"""How many questions to the database a call takes: a number that does not grow with what there is."""

from collections.abc import Callable
from tempfile import TemporaryFile
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from identities.models import User, UserAttachment, UserTag
from policies.models import ManagedPolicy
from tests.api.bounds import bound, counts
from tests.api.conftest import READ, ProgramOf
from tests.api.program import Program
from tests.cast import ACME, make_role, make_user, trusting


def asked(call: Callable[[], object]) -> int:
    """Statements that read or write; what is none is said in `bounds`."""
    with CaptureQueriesContext(connection) as queries:
        call()
    return len([query for query in queries if counts(str(query["sql"]))])


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
def test_a_read_takes_two(program: Program, alice: User, users: int) -> None:
    for number in range(users):
        make_user(alice.account, f"user-{number}", console=False)
    assert asked(lambda: program.iam("GetUser", UserName="alice")) == 2
    assert asked(lambda: program.iam("ListUsers")) == 2


def test_a_write_takes_six_at_most(program: Program) -> None:
    program.iam("CreateUser", UserName="dora")
    assert asked(lambda: program.iam("CreateUser", UserName="carol")) <= 6


def messages(call: Callable[[], object]) -> int:
    """How many times the server was waited for, by the driver's own record of what was said."""
    server: Any = connection
    with TemporaryFile("w+") as record:
        server.connection.pgconn.trace(record.fileno())
        call()
        server.connection.pgconn.untrace()
        record.seek(0)
        return sum("ReadyForQuery" in line for line in record)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_write_waits_for_the_server_four_times(program: Program) -> None:
    """For who asks, room and the beginning, the user, and the event with the end; where an owner is locked, for that
    one, and for what is given to them."""
    program.iam("CreateUser", UserName="dora")
    program.iam("CreateGroup", GroupName="makers")
    program.iam("AddUserToGroup", UserName="alice", GroupName="makers")
    assert messages(lambda: program.iam("CreateUser", UserName="carol")) == 4
    assert messages(lambda: program.iam("CreateGroup", GroupName="others")) == 4
    assert messages(lambda: program.iam("AddUserToGroup", UserName="carol", GroupName="makers")) == 6


ARN = f"arn:aws:iam::{ACME}:policy/readers"
CAROL, WORKER = {"UserName": "carol"}, {"RoleName": "worker"}
TAGS = [{"Key": "team", "Value": "red"}]
# One after the other. None of them is an exception as it is called here.
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("CreateUser", CAROL),
    ("TagUser", CAROL | {"Tags": TAGS}),
    ("ListUserTags", CAROL),
    ("AttachUserPolicy", CAROL | {"PolicyArn": ARN}),
    ("ListAttachedUserPolicies", CAROL),
    ("DetachUserPolicy", CAROL | {"PolicyArn": ARN}),
    ("CreateGroup", {"GroupName": "team"}),
    ("AddUserToGroup", CAROL | {"GroupName": "team"}),
    ("GetGroup", {"GroupName": "team"}),
    ("ListGroups", {}),
    ("CreateRole", WORKER | {"AssumeRolePolicyDocument": trusting(f"arn:aws:iam::{ACME}:root"), "Tags": TAGS}),
    ("GetRole", WORKER),
    ("ListRoles", {}),
    ("ListRoleTags", WORKER),
    ("PutRolePolicy", WORKER | {"PolicyName": "own", "PolicyDocument": READ}),
    ("GetRolePolicy", WORKER | {"PolicyName": "own"}),
    ("GetPolicy", {"PolicyArn": ARN}),
    ("GetPolicyVersion", {"PolicyArn": ARN, "VersionId": "v1"}),
    ("ListPolicies", {}),
    ("TagPolicy", {"PolicyArn": ARN, "Tags": TAGS}),
    ("ListPolicyTags", {"PolicyArn": ARN}),
    ("ListAccessKeys", CAROL),
    ("ListServerCertificates", {}),
    ("ListSAMLProviders", {}),
    ("ListInstanceProfiles", {}),
    ("RemoveUserFromGroup", CAROL | {"GroupName": "team"}),
    ("DeleteGroup", {"GroupName": "team"}),
    ("DeleteRolePolicy", WORKER | {"PolicyName": "own"}),
    ("UntagRole", WORKER | {"TagKeys": ["team"]}),
    ("DeleteRole", WORKER),
)


@pytest.mark.parametrize("more", [0, 30])
def test_no_call_takes_more_when_there_is_more(
    program: Program, alice: User, readers: ManagedPolicy, more: int
) -> None:
    for number in range(more):
        user = make_user(alice.account, f"user-{number}", console=False)
        UserAttachment.objects.create(user=user, policy=readers, slot=1)
        make_role(alice.account, f"role-{number}")
    took = {name: asked(lambda: program.iam(name, **inputs)) for name, inputs in CALLS}  # noqa: B023 # called at once
    assert not {name: number for name, number in took.items() if number > bound(name)}


def test_taking_on_a_role_takes_three(program: Program, alice: User) -> None:
    role = make_role(alice.account, "worker", trusting(alice.arn))
    requested = {"RoleArn": role.arn, "RoleSessionName": "now"}
    program.sts("AssumeRole", **requested)
    assert asked(lambda: program.sts("AssumeRole", **requested)) == 3


def test_tags_read_with_a_key_are_the_users(program: Program, alice: User) -> None:
    tags = program.iam("GetUser")["User"]["Tags"]
    assert tags == [{"Key": "cost", "Value": "1"}, {"Key": "team", "Value": "red"}]
