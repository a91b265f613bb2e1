"""Managed and inline policies, attachments and boundaries by program."""

import json
from urllib.parse import unquote

import pytest

from identities.models import User
from policies.models import ManagedPolicy
from tests.api.conftest import READ, ProgramOf
from tests.api.program import Program, Refused
from tests.cast import allow

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


def refusal(program: Program, operation: str, **inputs: object) -> tuple[int, str, str]:
    with pytest.raises(Refused) as refused:
        program.iam(operation, **inputs)
    return refused.value.status, refused.value.code, refused.value.message


def names(answer: dict[str, list[dict[str, str]]], key: str = "AttachedPolicies") -> list[str]:
    return [policy["PolicyName"] for policy in answer[key]]


def test_get_policy_tells_how_often_this_account_uses_it(program: Program, bob: User, mallory: User) -> None:
    policy = program.iam("GetPolicy", PolicyArn=ADMINISTRATOR)["Policy"]
    assert (policy["AttachmentCount"], policy["PermissionsBoundaryUsageCount"]) == (1, 0)
    assert (policy["DefaultVersionId"], policy["IsAttachable"], policy["Tags"]) == ("v1", True, [])


def test_get_policy_version_gives_the_document_url_encoded(program: Program, readers: ManagedPolicy) -> None:
    version = program.iam("GetPolicyVersion", PolicyArn=readers.arn, VersionId="v1")["PolicyVersion"]
    assert version["IsDefaultVersion"] is True
    assert json.loads(unquote(version["Document"])) == json.loads(READ)


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("arn:aws:iam::111122223333:policy/nothing", "NoSuchEntity"),
        ("arn:aws:iam::111122223333:policy/eng/readers", "NoSuchEntity"),
        ("arn:aws:iam::aws:policy/readers", "NoSuchEntity"),
        ("arn:aws:iam::111122223333:user/alice", "InvalidInput"),
        ("arn:aws:s3:::some-bucket-of-mine", "InvalidInput"),
    ],
)
def test_get_policy_finds_it_by_its_whole_arn(program: Program, readers: ManagedPolicy, arn: str, code: str) -> None:
    assert refusal(program, "GetPolicy", PolicyArn=arn)[1] == code


@pytest.mark.parametrize("version", ["v2", "v1.x", "v99999999999999999999"])
def test_get_policy_version_says_when_there_is_none(program: Program, readers: ManagedPolicy, version: str) -> None:
    assert refusal(program, "GetPolicyVersion", PolicyArn=readers.arn, VersionId=version)[:2] == (404, "NoSuchEntity")


def test_create_policy_makes_one(program: Program) -> None:
    inputs = {"PolicyName": "writers", "Path": "/eng/", "Description": "For writers", "PolicyDocument": READ}
    made = program.iam("CreatePolicy", **inputs)["Policy"]
    assert (made["Arn"], made["DefaultVersionId"]) == ("arn:aws:iam::111122223333:policy/eng/writers", "v1")
    assert "Description" not in made
    assert program.iam("GetPolicy", PolicyArn=made["Arn"])["Policy"]["Description"] == "For writers"
    message = "A policy called Writers already exists. Duplicate names are not allowed."
    assert refusal(program, "CreatePolicy", PolicyName="Writers", PolicyDocument=READ) == (
        409,
        "EntityAlreadyExists",
        message,
    )


def test_versions_come_and_go(program: Program, readers: ManagedPolicy) -> None:
    made = program.iam("CreatePolicyVersion", PolicyArn=readers.arn, PolicyDocument=READ)["PolicyVersion"]
    assert (made["VersionId"], made["IsDefaultVersion"]) == ("v2", False)
    program.iam("SetDefaultPolicyVersion", PolicyArn=readers.arn, VersionId="v2")
    listed = program.iam("ListPolicyVersions", PolicyArn=readers.arn)["Versions"]
    assert [(row["VersionId"], row["IsDefaultVersion"]) for row in listed] == [("v2", True), ("v1", False)]
    assert refusal(program, "DeletePolicyVersion", PolicyArn=readers.arn, VersionId="v2")[1] == "DeleteConflict"
    program.iam("DeletePolicyVersion", PolicyArn=readers.arn, VersionId="v1")
    program.iam("DeletePolicy", PolicyArn=readers.arn)
    assert refusal(program, "GetPolicy", PolicyArn=readers.arn)[1] == "NoSuchEntity"


def test_a_version_that_counts_at_once_takes_the_place_of_the_one_before(
    program: Program, readers: ManagedPolicy
) -> None:
    for number in (2, 3):
        inputs = {"PolicyDocument": READ, "SetAsDefault": True}
        made = program.iam("CreatePolicyVersion", PolicyArn=readers.arn, **inputs)["PolicyVersion"]
        assert (made["VersionId"], made["IsDefaultVersion"]) == (f"v{number}", True)
    told = list(readers.versions.order_by("number").values_list("number", "slot", "is_default"))
    assert told == [(1, 1, False), (2, 2, False), (3, 3, True)]


def test_a_sixth_version_is_refused(program: Program, readers: ManagedPolicy) -> None:
    for _ in range(4):
        program.iam("CreatePolicyVersion", PolicyArn=readers.arn, PolicyDocument=READ)
    refused = refusal(program, "CreatePolicyVersion", PolicyArn=readers.arn, PolicyDocument=READ)
    assert refused[:2] == (409, "LimitExceeded")


@pytest.mark.parametrize("operation", ["DeletePolicy", "CreatePolicyVersion"])
def test_built_in_policies_stay_as_they_are(program: Program, operation: str) -> None:
    more = {"PolicyDocument": READ} if operation == "CreatePolicyVersion" else {}
    assert refusal(program, operation, PolicyArn=ADMINISTRATOR, **more)[1] == "UnmodifiableEntity"


def test_list_policies_lists_own_and_built_in_ones(program: Program, readers: ManagedPolicy) -> None:
    assert names(program.iam("ListPolicies", Scope="Local"), "Policies") == ["readers"]
    built_in = names(program.iam("ListPolicies", Scope="AWS"), "Policies")
    assert "AdministratorAccess" in built_in and "readers" not in built_in
    assert names(program.iam("ListPolicies", OnlyAttached=True), "Policies") == ["AdministratorAccess"]
    assert names(program.iam("ListPolicies", PolicyUsageFilter="PermissionsBoundary"), "Policies") == []


def test_list_policies_pages_through_names_that_are_there_twice(program: Program, alice: User) -> None:
    twin = ManagedPolicy.objects.create(account=alice.account, name="AdministratorAccess", unique_id="ANPATWIN")
    twin.versions.create(number=1, slot=1, is_default=True, document=READ)
    seen: list[str] = []
    marker: dict[str, str] = {}
    while not seen or marker:
        page = program.iam("ListPolicies", MaxItems=1, **marker)
        seen += [policy["Arn"] for policy in page["Policies"]]
        marker = {"Marker": page["Marker"]} if page["IsTruncated"] else {}
    assert len(seen) == len(set(seen)) == ManagedPolicy.objects.count()
    assert {twin.arn, ADMINISTRATOR} <= set(seen)


def test_list_entities_for_policy_lists_users_and_groups(program: Program, bob: User, readers: ManagedPolicy) -> None:
    program.iam("CreateGroup", GroupName="all")
    program.iam("AttachGroupPolicy", GroupName="all", PolicyArn=readers.arn)
    program.iam("AttachUserPolicy", UserName="bob", PolicyArn=readers.arn)
    found = program.iam("ListEntitiesForPolicy", PolicyArn=readers.arn)
    assert [user["UserName"] for user in found["PolicyUsers"]] == ["bob"]
    assert [group["GroupName"] for group in found["PolicyGroups"]] == ["all"]
    assert found["PolicyRoles"] == []
    only = program.iam("ListEntitiesForPolicy", PolicyArn=readers.arn, EntityFilter="Group")
    assert only["PolicyUsers"] == []


def test_attaching_is_idempotent_and_detaching_is_not(program: Program, bob: User, readers: ManagedPolicy) -> None:
    for _ in range(2):
        program.iam("AttachUserPolicy", UserName="bob", PolicyArn=readers.arn)
    assert names(program.iam("ListAttachedUserPolicies", UserName="bob")) == ["readers"]
    program.iam("DetachUserPolicy", UserName="bob", PolicyArn=readers.arn)
    assert names(program.iam("ListAttachedUserPolicies", UserName="bob")) == []
    again = refusal(program, "DetachUserPolicy", UserName="bob", PolicyArn=readers.arn)
    assert again[:2] == (404, "NoSuchEntity")


def test_a_missing_policy_is_not_attachable(program: Program, bob: User) -> None:
    arn = "arn:aws:iam::111122223333:policy/nothing"
    expected = (404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
    assert refusal(program, "AttachUserPolicy", UserName="bob", PolicyArn=arn) == expected


@pytest.mark.bar(73)
def test_what_may_be_attached_can_be_limited(program_of: ProgramOf, bob: User, readers: ManagedPolicy) -> None:
    allow(bob, "iam:AttachUserPolicy", Condition={"ArnEquals": {"iam:PolicyARN": readers.arn}})
    program = program_of(bob)
    program.iam("AttachUserPolicy", UserName="bob", PolicyArn=readers.arn)
    assert refusal(program, "AttachUserPolicy", UserName="bob", PolicyArn=ADMINISTRATOR)[1] == "AccessDenied"


@pytest.mark.parametrize(("kind", "owner"), [("User", {"UserName": "bob"}), ("Group", {"GroupName": "all"})])
def test_inline_policies_come_and_go(program: Program, bob: User, kind: str, owner: dict[str, str]) -> None:
    program.iam("CreateGroup", GroupName="all")
    program.iam(f"Put{kind}Policy", **owner, PolicyName="reading", PolicyDocument=READ)
    read = program.iam(f"Get{kind}Policy", **owner, PolicyName="reading")
    assert json.loads(unquote(read["PolicyDocument"])) == json.loads(READ)
    assert program.iam(f"List{kind}Policies", **owner)["PolicyNames"] == ["reading"]
    program.iam(f"Delete{kind}Policy", **owner, PolicyName="reading")
    message = f"The {kind.lower()} policy with name reading cannot be found."
    assert refusal(program, f"Get{kind}Policy", **owner, PolicyName="reading") == (404, "NoSuchEntity", message)


def test_a_broken_document_is_refused(program: Program, bob: User) -> None:
    inputs = {"UserName": "bob", "PolicyName": "reading", "PolicyDocument": '{"Version": '}
    assert refusal(program, "PutUserPolicy", **inputs)[:2] == (400, "MalformedPolicyDocument")


def test_a_boundary_comes_and_goes(program: Program, bob: User, readers: ManagedPolicy) -> None:
    program.iam("PutUserPermissionsBoundary", UserName="bob", PermissionsBoundary=readers.arn)
    shown = program.iam("GetUser", UserName="bob")["User"]["PermissionsBoundary"]
    assert shown == {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": readers.arn}
    program.iam("DeleteUserPermissionsBoundary", UserName="bob")
    assert "PermissionsBoundary" not in program.iam("GetUser", UserName="bob")["User"]


@pytest.mark.bar(70, 73)
@pytest.mark.parametrize("arn", [ADMINISTRATOR.lower(), ADMINISTRATOR.replace("Admin", "ADMIN")])
def test_another_spelling_does_not_get_past_a_deny_that_names_the_policy(
    program_of: ProgramOf, bob: User, arn: str
) -> None:
    allow(bob, "iam:*", Condition={"ArnNotEquals": {"iam:PolicyARN": ADMINISTRATOR}})
    with pytest.raises(Refused) as refused:
        program_of(bob).iam("AttachUserPolicy", UserName="bob", PolicyArn=arn)
    assert refused.value.code in ("AccessDenied", "InvalidInput", "NoSuchEntity")
    assert not bob.attachments.exists()


@pytest.mark.bar(70, 73)
def test_another_spelling_of_the_resource_reaches_no_policy(
    program_of: ProgramOf, bob: User, readers: ManagedPolicy
) -> None:
    allow(bob, "iam:*")
    arn = readers.arn.replace("readers", "READERS")
    with pytest.raises(Refused) as refused:
        program_of(bob).iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=READ)
    assert (refused.value.code, readers.versions.count()) == ("NoSuchEntity", 1)
