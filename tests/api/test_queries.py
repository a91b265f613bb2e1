"""How many questions to the database a call takes: a number that does not grow with what there is."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from identities.models import User, UserAttachment, UserTag
from policies.models import ManagedPolicy
from tests.api.conftest import READ, ProgramOf
from tests.api.program import Program
from tests.cast import ACME, make_role, make_user, trusting

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
def test_a_read_takes_two(program: Program, alice: User, users: int) -> None:
    for number in range(users):
        make_user(alice.account, f"user-{number}", console=False)
    assert asked(lambda: program.iam("GetUser", UserName="alice")) == 2
    assert asked(lambda: program.iam("ListUsers")) == 2


def test_a_write_takes_six_at_most(program: Program) -> None:
    program.iam("CreateUser", UserName="dora")
    assert asked(lambda: program.iam("CreateUser", UserName="carol")) <= 6


ARN = f"arn:aws:iam::{ACME}:policy/readers"
CAROL, WORKER = {"UserName": "carol"}, {"RoleName": "worker"}
TAGS = [{"Key": "team", "Value": "red"}]
# One after the other, with the most that each may ask: what a thing has takes one more than the thing itself, and a
# change that holds a lock and notes what was before takes two for that.
CALLS: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("CreateUser", CAROL, 6),
    ("TagUser", CAROL | {"Tags": TAGS}, 11),
    ("ListUserTags", CAROL, 3),
    ("AttachUserPolicy", CAROL | {"PolicyArn": ARN}, 11),
    ("ListAttachedUserPolicies", CAROL, 4),
    ("DetachUserPolicy", CAROL | {"PolicyArn": ARN}, 6),
    ("CreateGroup", {"GroupName": "team"}, 6),
    ("AddUserToGroup", CAROL | {"GroupName": "team"}, 11),
    ("GetGroup", {"GroupName": "team"}, 4),
    ("ListGroups", {}, 3),
    ("CreateRole", WORKER | {"AssumeRolePolicyDocument": trusting(f"arn:aws:iam::{ACME}:root"), "Tags": TAGS}, 9),
    ("GetRole", WORKER, 3),
    ("ListRoles", {}, 3),
    ("ListRoleTags", WORKER, 3),
    ("PutRolePolicy", WORKER | {"PolicyName": "own", "PolicyDocument": READ}, 9),
    ("GetRolePolicy", WORKER | {"PolicyName": "own"}, 4),
    ("GetPolicy", {"PolicyArn": ARN}, 5),
    ("GetPolicyVersion", {"PolicyArn": ARN, "VersionId": "v1"}, 4),
    ("ListPolicies", {}, 5),
    ("TagPolicy", {"PolicyArn": ARN, "Tags": TAGS}, 9),
    ("ListPolicyTags", {"PolicyArn": ARN}, 3),
    ("ListAccessKeys", CAROL, 4),
    ("ListServerCertificates", {}, 3),
    ("ListSAMLProviders", {}, 3),
    ("ListInstanceProfiles", {}, 3),
)


@pytest.mark.parametrize("more", [0, 30])
def test_no_call_takes_more_when_there_is_more(
    program: Program, alice: User, readers: ManagedPolicy, more: int
) -> None:
    for number in range(more):
        user = make_user(alice.account, f"user-{number}", console=False)
        UserAttachment.objects.create(user=user, policy=readers, slot=1)
        make_role(alice.account, f"role-{number}")
    took = {name: (asked(lambda: program.iam(name, **inputs)), most) for name, inputs, most in CALLS}  # noqa: B023 # called at once
    assert not {name: pair for name, pair in took.items() if pair[0] > pair[1]}


def test_tags_read_with_a_key_are_the_users(program: Program, alice: User) -> None:
    tags = program.iam("GetUser")["User"]["Tags"]
    assert tags == [{"Key": "cost", "Value": "1"}, {"Key": "team", "Value": "red"}]
