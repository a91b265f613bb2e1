"""Access keys by program: make, list, switch, delete, and when last used."""

import re

import pytest

from accounts.models import Account
from audit.models import Event
from identities.models import AccessKey, User, UserTag
from tests.api.conftest import SECRET, ProgramOf, key_of
from tests.api.program import Program, Refused
from tests.cast import allow


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


def refusal(program: Program, operation: str, **inputs: str) -> tuple[int, str, str]:
    with pytest.raises(Refused) as refused:
        program.iam(operation, **inputs)
    return refused.value.status, refused.value.code, refused.value.message


def test_create_access_key_makes_one_that_works(program: Program, bob: User) -> None:
    key = program.iam("CreateAccessKey", UserName="bob")["AccessKey"]
    assert (key["UserName"], key["Status"]) == ("bob", "Active")
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", key["AccessKeyId"])
    theirs = Program(key["AccessKeyId"], key["SecretAccessKey"])
    assert theirs.sts("GetCallerIdentity")["Arn"] == bob.arn


def test_create_access_key_without_a_name_is_for_the_caller(program: Program, alice: User) -> None:
    assert program.iam("CreateAccessKey")["AccessKey"]["UserName"] == "alice"
    assert alice.access_keys.count() == 2


def test_create_access_key_without_a_name_is_for_root_itself(program_of: ProgramOf, acme: Account) -> None:
    key = program_of(acme).iam("CreateAccessKey")["AccessKey"]
    row = AccessKey.objects.get(pk=key["AccessKeyId"])
    assert (row.account_id, row.user) == (acme.id, None)


@pytest.mark.bar(84)
def test_create_access_key_refuses_a_third(program: Program, bob: User) -> None:
    for _ in range(2):
        program.iam("CreateAccessKey", UserName="bob")
    expected = (409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
    assert refusal(program, "CreateAccessKey", UserName="bob") == expected


@pytest.mark.bar(78, 122)
def test_a_secret_is_told_once_and_recorded_nowhere(program: Program, bob: User) -> None:
    secret = program.iam("CreateAccessKey", UserName="bob")["AccessKey"]["SecretAccessKey"]
    assert secret not in str(program.iam("ListAccessKeys", UserName="bob"))
    assert secret not in str(list(Event.objects.values()))
    assert Event.objects.get(action="iam:CreateAccessKey").resource == bob.arn


def test_list_access_keys_lists_the_named_users_oldest_first(program: Program, bob: User) -> None:
    made = [program.iam("CreateAccessKey", UserName="bob")["AccessKey"]["AccessKeyId"] for _ in range(2)]
    listed = program.iam("ListAccessKeys", UserName="bob")
    assert [key["AccessKeyId"] for key in listed["AccessKeyMetadata"]] == made
    assert listed["IsTruncated"] is False
    first = program.iam("ListAccessKeys", UserName="bob", MaxItems=1)
    second = program.iam("ListAccessKeys", UserName="bob", MaxItems=1, Marker=first["Marker"])
    assert second["AccessKeyMetadata"][0]["AccessKeyId"] == made[1]


def test_list_access_keys_without_a_name_lists_roots_own(program_of: ProgramOf, acme: Account, alice: User) -> None:
    key_of(alice)
    program = program_of(acme)
    keys = program.iam("ListAccessKeys")["AccessKeyMetadata"]
    assert [key["AccessKeyId"] for key in keys] == [program.access_key_id]


def test_update_access_key_switches_a_key_off_and_on(program: Program, bob: User) -> None:
    key = program.iam("CreateAccessKey", UserName="bob")["AccessKey"]
    theirs = Program(key["AccessKeyId"], key["SecretAccessKey"])
    words = {"UserName": "bob", "AccessKeyId": key["AccessKeyId"]}
    program.iam("UpdateAccessKey", Status="Inactive", **words)
    with pytest.raises(Refused, match="InvalidClientTokenId"):
        theirs.sts("GetCallerIdentity")
    program.iam("UpdateAccessKey", Status="Active", **words)
    assert theirs.sts("GetCallerIdentity")["Arn"] == bob.arn


def test_delete_access_key_deletes(program: Program, bob: User) -> None:
    key_id = program.iam("CreateAccessKey", UserName="bob")["AccessKey"]["AccessKeyId"]
    program.iam("DeleteAccessKey", UserName="bob", AccessKeyId=key_id)
    assert not AccessKey.objects.filter(pk=key_id).exists()


@pytest.mark.parametrize("operation", ["UpdateAccessKey", "DeleteAccessKey"])
def test_a_key_is_found_only_at_its_owner(program: Program, bob: User, operation: str) -> None:
    key_id = key_of(bob).access_key_id
    more = {"Status": "Inactive"} if operation == "UpdateAccessKey" else {}
    status, code, message = refusal(program, operation, AccessKeyId=key_id, **more)
    assert (status, code, message) == (404, "NoSuchEntity", f"The Access Key with id {key_id} cannot be found.")
    assert AccessKey.objects.get(pk=key_id).is_active


@pytest.mark.bar(62)
def test_a_key_cannot_be_reached_by_naming_its_owner_in_another_account(
    program: Program, mallory: User, globex: Account
) -> None:
    key_id = key_of(mallory).access_key_id
    assert refusal(program, "DeleteAccessKey", UserName="mallory", AccessKeyId=key_id)[1] == "NoSuchEntity"
    assert refusal(program, "DeleteAccessKey", AccessKeyId=key_id)[1] == "NoSuchEntity"
    assert refusal(program, "GetAccessKeyLastUsed", AccessKeyId=key_id)[1] == "NoSuchEntity"


def test_get_access_key_last_used_tells_when_and_for_what(program: Program, bob: User) -> None:
    key = key_of(bob)
    unused = program.iam("GetAccessKeyLastUsed", AccessKeyId=key.access_key_id)
    assert (unused["UserName"], unused["AccessKeyLastUsed"]) == ("bob", {"ServiceName": "N/A", "Region": "N/A"})
    Program(key.access_key_id, SECRET, region="eu-west-1").sts("GetCallerIdentity")
    used = program.iam("GetAccessKeyLastUsed", AccessKeyId=key.access_key_id)["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("sts", "eu-west-1")
    assert "LastUsedDate" in used


@pytest.mark.bar(127)
def test_get_access_key_last_used_does_not_tell_whose_key_it_is(program_of: ProgramOf, alice: User, bob: User) -> None:
    program = program_of(bob)
    _, code, message = refusal(program, "GetAccessKeyLastUsed", AccessKeyId=key_of(alice).access_key_id)
    assert (code, "alice" in message) == ("AccessDenied", False)
    assert refusal(program, "GetAccessKeyLastUsed", AccessKeyId="AKIAIOSFODNN7EXAMPLE")[2] == message


@pytest.mark.bar(53, 72)
def test_get_access_key_last_used_is_decided_by_the_tags_of_whose_key_it_is(
    program_of: ProgramOf, alice: User, bob: User
) -> None:
    UserTag.objects.create(user=alice, key="class", value="secret")
    allow(bob, "iam:GetAccessKeyLastUsed")
    hidden = {"StringEquals": {"aws:ResourceTag/class": "secret"}}
    allow(bob, "iam:GetAccessKeyLastUsed", name="hidden", Effect="Deny", Condition=hidden)
    program = program_of(bob)
    assert refusal(program, "GetAccessKeyLastUsed", AccessKeyId=key_of(alice).access_key_id)[1] == "AccessDenied"
    assert program.iam("GetAccessKeyLastUsed", AccessKeyId=key_of(bob, slot=2).access_key_id)["UserName"] == "bob"


def test_a_user_may_be_let_to_manage_their_own_keys_only(program_of: ProgramOf, alice: User, bob: User) -> None:
    allow(bob, "iam:*AccessKey*", "arn:aws:iam::*:user/${aws:username}")
    program = program_of(bob)
    made = program.iam("CreateAccessKey")["AccessKey"]["AccessKeyId"]
    program.iam("UpdateAccessKey", UserName="bob", AccessKeyId=made, Status="Inactive")
    program.iam("DeleteAccessKey", AccessKeyId=made)
    assert refusal(program, "CreateAccessKey", UserName="alice")[1] == "AccessDenied"
