"""An SDK that has not heard an answer sends the call again: that changes nothing more, and is told so as AWS does."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.ids import new_unique_id
from accounts.models import Account
from audit.models import Event
from identities.models import Group, InstanceProfile, Membership, User, UserAttachment, UserTag
from policies.models import ManagedPolicy
from tests.api.conftest import SECRET, ProgramOf, key_of
from tests.api.program import Program, Refused, xml
from tests.cast import ACME, make_role, make_user
from tests.rig.programs import Credentials, Programs

CAROL, ARN = {"UserName": "carol"}, f"arn:aws:iam::{ACME}:policy/readers"
TAGS = [{"Key": "team", "Value": "red"}]
# What is sent twice, and what there is of it afterwards.
REPEATABLE: list[tuple[str, dict[str, Any], Callable[[], object]]] = [
    (
        "AddUserToGroup",
        CAROL | {"GroupName": "team"},
        lambda: list(Membership.objects.values_list("slot", "joined_at")),
    ),
    ("TagUser", CAROL | {"Tags": TAGS}, lambda: list(UserTag.objects.values_list("id", "key", "value"))),
    (
        "AttachUserPolicy",
        CAROL | {"PolicyArn": ARN},
        lambda: list(UserAttachment.objects.filter(user__name="carol").values_list("id", "slot", "attached_at")),
    ),
]


@pytest.fixture
def program(program_of: ProgramOf, alice: User, readers: ManagedPolicy) -> Program:
    make_user(alice.account, "carol", console=False)
    Group.objects.create(account=alice.account, name="team", unique_id=new_unique_id("AGPA"))
    return program_of(alice)


@pytest.mark.parametrize(("operation", "inputs", "present"), REPEATABLE, ids=[name for name, _, _ in REPEATABLE])
def test_sent_again_it_succeeds_and_changes_nothing(
    program: Program, operation: str, inputs: dict[str, Any], present: Callable[[], object]
) -> None:
    program.iam(operation, **inputs)
    once = present()
    program.iam(operation, **inputs)
    assert present() == once != []


def test_a_tag_in_other_case_takes_the_place_of_the_one_there(program: Program) -> None:
    program.iam("TagUser", **CAROL, Tags=TAGS)
    program.iam("TagUser", **CAROL, Tags=[{"Key": "Team", "Value": "blue"}])
    assert list(UserTag.objects.values_list("key", "value")) == [("Team", "blue")]


def test_a_creation_sent_again_is_told_that_it_is_there(program: Program) -> None:
    with pytest.raises(Refused) as refused:
        program.iam("CreateUser", **CAROL)
    assert (refused.value.status, refused.value.code) == (409, "EntityAlreadyExists")
    assert User.objects.filter(name="carol").count() == 1


@pytest.mark.parametrize(("form", "status"), [("CreateUser&UserName=dora", 200), ("CreateUser&UserName=carol", 409)])
def test_one_id_names_the_request_in_header_body_and_trail(program: Program, form: str, status: int) -> None:
    reply = program.post("iam", f"Action={form}&Version=2010-05-08")
    told, root = reply.headers["x-amzn-RequestId"], xml(reply.content)
    assert reply.status_code == status
    assert told == (root.findtext("{*}RequestId") or root.findtext("{*}ResponseMetadata/{*}RequestId"))
    assert Event.objects.latest("id").request_id == told != ""


def test_one_id_names_a_refusal_too(program_of: ProgramOf, bob: User) -> None:
    reply = program_of(bob).post("iam", "Action=ListUsers&Version=2010-05-08")
    assert reply.status_code == 403
    assert Event.objects.latest("id").request_id == reply.headers["x-amzn-RequestId"] != ""
    assert xml(reply.content).findtext("{*}RequestId") == reply.headers["x-amzn-RequestId"]


def test_the_sdks_waiters_find_what_was_made(
    programs: Programs, alice: User, acme: Account, readers: ManagedPolicy
) -> None:
    make_role(acme, "worker")
    InstanceProfile.objects.create(account=acme, name="machines", unique_id=new_unique_id("AIPA"))
    iam = programs.iam(Credentials(key_of(alice).access_key_id, SECRET))
    once = {"Delay": 0, "MaxAttempts": 1}
    iam.get_waiter("user_exists").wait(UserName="alice", WaiterConfig=once)  # type: ignore[arg-type] # whole seconds will do
    iam.get_waiter("role_exists").wait(RoleName="worker", WaiterConfig=once)  # type: ignore[arg-type] # as above
    iam.get_waiter("policy_exists").wait(PolicyArn=ARN, WaiterConfig=once)  # type: ignore[arg-type] # as above
    iam.get_waiter("instance_profile_exists").wait(InstanceProfileName="machines", WaiterConfig=once)  # type: ignore[arg-type] # as above
