"""Users by program."""

from typing import Any

import pytest
from django.db.models import CASCADE, ForeignObjectRel

from access.models import ConsoleSession, RecentRole, SignInAttempt
from accounts.models import Account
from audit import clock
from audit.models import Event
from identities.models import (
    AccessKey,
    LoginProfile,
    Membership,
    MFADeviceTag,
    PasswordHistory,
    ServiceSpecificCredential,
    SigningCertificate,
    SSHPublicKey,
    User,
    UserAttachment,
    UserInlinePolicy,
)
from identities.services.mfa import create_virtual_mfa_device
from identities.services.tags import tags_of, write_tags
from policies.models import ManagedPolicy
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused
from tests.cast import allow, make_role, make_user, principal_of

TAGS = [{"Key": "Team", "Value": "red"}, {"Key": "note", "Value": "ünal + co"}]


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


def refusal(program: Program, operation: str, **inputs: object) -> tuple[int, str, str]:
    with pytest.raises(Refused) as refused:
        program.iam(operation, **inputs)
    return refused.value.status, refused.value.code, refused.value.message


def test_create_user_makes_one(program: Program) -> None:
    made = program.iam("CreateUser", UserName="Carol", Path="/eng/", Tags=TAGS)["User"]
    assert (made["Arn"], made["Path"]) == ("arn:aws:iam::111122223333:user/eng/Carol", "/eng/")
    assert made["Tags"] == TAGS
    assert made["UserId"].startswith("AIDA")
    assert program.iam("GetUser", UserName="carol")["User"] == made


def test_create_user_refuses_a_name_that_is_taken_in_any_case(program: Program, bob: User) -> None:
    expected = (409, "EntityAlreadyExists", "User with name BOB already exists.")
    assert refusal(program, "CreateUser", UserName="BOB") == expected
    event = Event.objects.get(action="iam:CreateUser")
    assert (event.outcome, event.error_code) == ("Failure", "EntityAlreadyExists")


def test_create_user_names_every_fault(program: Program) -> None:
    status, code, message = refusal(program, "CreateUser", UserName="a b", Path="eng")
    assert (status, code) == (400, "ValidationError")
    assert message.startswith("2 validation errors detected: Value 'eng' at 'path' failed to satisfy constraint: ")


def test_create_user_refuses_a_tag_named_twice(program: Program) -> None:
    tags = [{"Key": "team", "Value": "red"}, {"Key": "TEAM", "Value": "blue"}]
    message = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
    assert refusal(program, "CreateUser", UserName="carol", Tags=tags) == (400, "InvalidInput", message)


def test_create_user_sets_a_boundary(program: Program, readers: ManagedPolicy) -> None:
    made = program.iam("CreateUser", UserName="carol", PermissionsBoundary=readers.arn)["User"]
    assert made["PermissionsBoundary"]["PermissionsBoundaryArn"] == readers.arn


def test_create_user_is_decided_on_the_path_and_the_tags(program_of: ProgramOf, bob: User) -> None:
    tagged = {"StringEquals": {"aws:RequestTag/team": "red"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    allow(bob, ["iam:CreateUser", "iam:TagUser"], "arn:aws:iam::*:user/eng/*", Condition=tagged)
    program = program_of(bob)
    red, blue = ([{"Key": "team", "Value": colour}] for colour in ("red", "blue"))
    assert program.iam("CreateUser", UserName="carol", Path="/eng/", Tags=red)
    for more in ({"Path": "/eng/", "Tags": blue}, {"Path": "/ops/", "Tags": red}, {"Path": "/eng/"}):
        assert refusal(program, "CreateUser", UserName="dora", **more)[1] == "AccessDenied"


@pytest.mark.parametrize(
    ("condition", "stopped"),
    [
        ({"StringLike": {"aws:RequestTag/team": "*"}}, True),
        ({"Null": {"aws:RequestTag/team": "false"}}, True),
        ({"ForAnyValue:StringEqualsIgnoreCase": {"aws:TagKeys": "team"}}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}}, False),
    ],
)
def test_a_deny_on_a_tag_key_and_another_spelling_of_it(
    program_of: ProgramOf, bob: User, alice: User, condition: dict[str, Any], stopped: bool
) -> None:
    """Names of condition keys have no case, values have. A tag that is there is touched in whatever spelling."""
    allow(bob, "iam:TagUser")
    allow(bob, "iam:TagUser", name="denied", Effect="Deny", Condition=condition)
    program, tags = program_of(bob), [{"Key": "TEAM", "Value": "red"}]
    if stopped:
        assert refusal(program, "TagUser", UserName="alice", Tags=tags)[1] == "AccessDenied"
    else:
        program.iam("TagUser", UserName="alice", Tags=tags)
        alice.tags.update(key="team")
        assert refusal(program, "TagUser", UserName="alice", Tags=tags)[1] == "AccessDenied"


def test_get_user_without_a_name_tells_the_caller(program: Program, program_of: ProgramOf, acme: Account) -> None:
    assert program.iam("GetUser")["User"]["UserName"] == "alice"
    root = program_of(acme).iam("GetUser")["User"]
    assert (root["Arn"], root["UserId"]) == ("arn:aws:iam::111122223333:root", "111122223333")


def test_get_user_says_when_there_is_none(program: Program) -> None:
    expected = (404, "NoSuchEntity", "The user with name nobody cannot be found.")
    assert refusal(program, "GetUser", UserName="nobody") == expected


def test_list_users_leaves_tags_and_boundaries_out(program: Program, readers: ManagedPolicy) -> None:
    program.iam("CreateUser", UserName="carol", Tags=TAGS, PermissionsBoundary=readers.arn)
    for user in program.iam("ListUsers")["Users"]:
        assert not {"Tags", "PermissionsBoundary"} & user.keys()


def test_list_users_lists_the_own_account(program: Program, alice: User, mallory: User) -> None:
    assert [user["UserName"] for user in program.iam("ListUsers")["Users"]] == ["alice"]


def test_update_user_renames_and_moves(program: Program, bob: User) -> None:
    program.iam("UpdateUser", UserName="bob", NewUserName="robert", NewPath="/eng/")
    moved = program.iam("GetUser", UserName="robert")["User"]
    assert (moved["Arn"], moved["UserId"]) == ("arn:aws:iam::111122223333:user/eng/robert", bob.unique_id)


def test_update_user_needs_the_permission_on_both_names(program_of: ProgramOf, bob: User) -> None:
    allow(bob, "iam:UpdateUser", "arn:aws:iam::*:user/bob")
    status, code, message = refusal(program_of(bob), "UpdateUser", UserName="bob", NewUserName="robert")
    assert (status, code) == (403, "AccessDenied")
    assert "on resource: arn:aws:iam::111122223333:user/robert " in message


def test_delete_user_says_what_is_left(program: Program, bob: User) -> None:
    expected = (409, "DeleteConflict", "Cannot delete entity, must delete login profile first.")
    assert refusal(program, "DeleteUser", UserName="bob") == expected
    program.iam("DeleteLoginProfile", UserName="bob")
    program.iam("DeleteUser", UserName="bob")
    assert not User.objects.filter(pk=bob.pk).exists()


# What has to be gone first: DeleteConflict names it.
FIRST = {LoginProfile, AccessKey, SigningCertificate, SSHPublicKey, ServiceSpecificCredential, UserInlinePolicy,
         UserAttachment, Membership}  # fmt: skip


def going_along(user: User) -> dict[str, bool]:
    """All that hangs on a user and goes with it, and whether there is any."""
    relations = [each for each in User._meta.get_fields(include_hidden=True) if isinstance(each, ForeignObjectRel)]
    hanging = [each for each in relations if each.on_delete is CASCADE and each.related_model not in FIRST]
    return {
        each.related_model.__name__: each.related_model._base_manager.filter(**{each.field.name: user}).exists()
        for each in hanging
    }


@pytest.mark.bar(121)
def test_delete_user_takes_along_all_that_hangs_on_it(program: Program, alice: User, bob: User) -> None:
    """Whatever there is, it asks no more questions; of two others nothing goes."""
    sees = {"kind": "user", "account": bob.account, "expires_at": clock.now()}
    for user in (alice, bob):
        write_tags(user, {"Team": "red", "note": 'ünal "co" \\'})
        PasswordHistory.objects.create(user=user, password="old")
        ConsoleSession.objects.create(user=user, token_hash=user.name, **sees)
        RecentRole.objects.create(user=user, account_name="acme", role_name="ops")
        SignInAttempt.objects.create(
            user=user, token_hash=user.name, is_root=False, step="password", expires_at=clock.now()
        )
        for number in range(2):
            create_virtual_mfa_device(
                by=principal_of(alice), user=user, name=f"{user.name}{number}", path="/eng/", tags={"floor": "2"}
            )
    program.iam("DeleteLoginProfile", UserName="bob")
    assert len(before := going_along(bob)) == 6 and all(before.values())
    program.iam("DeleteUser", UserName="bob")
    assert not any(going_along(bob).values()) and not User.objects.filter(pk=bob.pk).exists()
    assert all(going_along(alice).values()) and MFADeviceTag.objects.count() == 2
    told = Event.objects.get(action="iam:DeleteUser").detail
    assert told["tags"] == {"Team": "red", "note": 'ünal "co" \\'} and told["before"]["name"] == "bob"
    gone = Event.objects.filter(action="iam:DeleteVirtualMFADevice").order_by("id").values_list("resource", flat=True)
    assert list(gone) == [f"arn:aws:iam::111122223333:mfa/eng/bob{number}" for number in range(2)]


def test_tag_user_replaces_a_key_in_other_case(program: Program, bob: User) -> None:
    program.iam("TagUser", UserName="bob", Tags=TAGS)
    program.iam("TagUser", UserName="bob", Tags=[{"Key": "team", "Value": ""}])
    assert {"Key": "team", "Value": ""} in program.iam("ListUserTags", UserName="bob")["Tags"]
    program.iam("UntagUser", UserName="bob", TagKeys=["TEAM", "nothing"])
    assert program.iam("ListUserTags", UserName="bob")["Tags"] == TAGS[1:]


@pytest.mark.bar(73)
@pytest.mark.parametrize("kind", ["User", "Role"])
def test_a_tag_that_must_not_be_touched_is_kept_from_other_spellings(
    program_of: ProgramOf, alice: User, bob: User, kind: str
) -> None:
    row = alice if kind == "User" else make_role(alice.account, "deploy")
    write_tags(row, {"team": "red"})
    allow(bob, [f"iam:Tag{kind}", f"iam:Untag{kind}"])
    kept = {"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}}
    allow(bob, [f"iam:Tag{kind}", f"iam:Untag{kind}"], name="kept", Effect="Deny", Condition=kept)
    program, named = program_of(bob), {f"{kind}Name": row.name}
    assert refusal(program, f"Tag{kind}", Tags=[{"Key": "TEAM", "Value": "blue"}], **named)[1] == "AccessDenied"
    assert refusal(program, f"Untag{kind}", TagKeys=["note", "Team"], **named)[1] == "AccessDenied"
    program.iam(f"Tag{kind}", Tags=[{"Key": "note", "Value": ""}], **named)
    program.iam(f"Untag{kind}", TagKeys=["NOTE"], **named)
    assert tags_of(row) == {"team": "red"}


def test_tags_are_condition_keys(program_of: ProgramOf, alice: User, bob: User) -> None:
    allow(bob, "iam:DeleteUser", Condition={"StringEquals": {"aws:ResourceTag/team": "red"}})
    for name, colour in (("carol", "red"), ("dora", "blue")):
        make_user(alice.account, name, console=False).tags.create(key="team", value=colour)
    program_of(bob).iam("DeleteUser", UserName="carol")
    bob.access_keys.all().delete()
    assert refusal(program_of(bob), "DeleteUser", UserName="dora")[1] == "AccessDenied"


@pytest.mark.bar(58, 73)
def test_create_user_with_tags_needs_the_permission_to_tag(program_of: ProgramOf, bob: User) -> None:
    allow(bob, "iam:CreateUser")
    program = program_of(bob)
    assert refusal(program, "CreateUser", UserName="carol", Tags=TAGS)[:2] == (403, "AccessDenied")
    assert program.iam("CreateUser", UserName="dave")["User"]["UserName"] == "dave"
    allow(bob, ["iam:CreateUser", "iam:TagUser"])
    assert program.iam("CreateUser", UserName="carol", Tags=TAGS)["User"]["Tags"] == TAGS
