"""Roles and instance profiles over the wire."""

import json
from typing import Any
from urllib.parse import unquote

import pytest

from accounts.models import Account
from audit.models import Event
from identities.models import InstanceProfile, Role, User
from policies.models import ManagedPolicy
from policies.services import create_policy
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused
from tests.cast import ACME, GLOBEX, allow, make_role, principal_of, trusting

TRUST = trusting(f"arn:aws:iam::{ACME}:root")
READ = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}]}'


@pytest.fixture
def alices(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


@pytest.fixture
def bobs(program_of: ProgramOf, bob: User) -> Program:
    return program_of(bob)


def document(text: str) -> Any:
    return json.loads(unquote(text))


def create(program: Program, name: str = "deploy", **inputs: Any) -> Any:
    return program.iam("CreateRole", RoleName=name, **{"AssumeRolePolicyDocument": TRUST, **inputs})["Role"]


def test_it_walks_the_life_of_a_role(alices: Program, acme: Account) -> None:
    made = create(
        alices, Path="/ci/", Description="ships", MaxSessionDuration=7200, Tags=[{"Key": "team", "Value": "red"}]
    )
    assert made["Arn"] == f"arn:aws:iam::{ACME}:role/ci/deploy" and made["RoleId"].startswith("AROA")
    got = alices.iam("GetRole", RoleName="DEPLOY")["Role"]
    assert got == {**made, "RoleLastUsed": {}}
    assert (got["MaxSessionDuration"], got["Description"]) == (7200, "ships")
    assert got["Tags"] == [{"Key": "team", "Value": "red"}]
    alices.iam("UpdateRole", RoleName="deploy", MaxSessionDuration=3600)
    got = alices.iam("GetRole", RoleName="deploy")["Role"]
    assert (got["MaxSessionDuration"], got["Description"]) == (3600, "ships")
    changed = alices.iam("UpdateRoleDescription", RoleName="deploy", Description="sails")["Role"]
    assert changed["Description"] == "sails"
    alices.iam("DeleteRole", RoleName="deploy")
    with pytest.raises(Refused, match=r"The role with name deploy cannot be found\.") as refused:
        alices.iam("GetRole", RoleName="deploy")
    assert (refused.value.status, refused.value.code) == (404, "NoSuchEntity")


@pytest.mark.parametrize("boundary", [f"arn:aws:iam::{ACME}:policy/readers", "arn:aws:iam::aws:policy/ReadOnlyAccess"])
def test_it_is_born_with_all_that_it_may_have(
    alices: Program, alice: User, bob: User, mallory: User, readers: ManagedPolicy, boundary: str
) -> None:
    trusted = [alice.arn, bob.unique_id, make_role(alice.account, "first").arn, mallory.account_id]
    tags, trust = [{"Key": "team", "Value": "red"}], trusting(*trusted)
    made = create(alices, AssumeRolePolicyDocument=trust, Tags=tags, PermissionsBoundary=boundary)
    told = document(made["AssumeRolePolicyDocument"])["Statement"][0]["Principal"]["AWS"]
    assert told == [alice.arn, bob.arn, trusted[2], f"arn:aws:iam::{mallory.account_id}:root"]
    assert made["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    assert alices.iam("GetRole", RoleName="deploy")["Role"] == {**made, "RoleLastUsed": {}}


@pytest.mark.bar(61)
@pytest.mark.parametrize("account_id", [ACME, GLOBEX])
def test_a_boundary_of_another_path_name_or_account_is_not_there(
    alices: Program, readers: ManagedPolicy, mallory: User, account_id: str
) -> None:
    create_policy(by=principal_of(mallory), name="foreign", document=READ)
    for name in ("/Readers", "/x/readers", "/nothing", "/foreign"):
        arn = f"arn:aws:iam::{account_id}:policy{name}"
        with pytest.raises(Refused, match=f"Policy {arn} does not exist or is not attachable."):
            create(alices, PermissionsBoundary=arn)
        with pytest.raises(Refused, match=f"Policy {arn} does not exist or is not attachable."):
            alices.iam("CreateUser", UserName="carol", PermissionsBoundary=arn)
    assert not Role.objects.exists() and not User.objects.filter(name="carol").exists()


def test_lists_leave_out_tags_boundary_and_last_use(alices: Program) -> None:
    create(alices, "b", Tags=[{"Key": "team", "Value": "red"}])
    create(alices, "A", Path="/x/")
    listed = alices.iam("ListRoles")["Roles"]
    assert [role["RoleName"] for role in listed] == ["A", "b"]
    assert all(not role.get("Tags") and "RoleLastUsed" not in role for role in listed)
    assert [role["RoleName"] for role in alices.iam("ListRoles", PathPrefix="/x")["Roles"]] == ["A"]


def test_a_trust_policy_comes_back_with_names(alices: Program, acme: Account, bob: User) -> None:
    create(alices)
    alices.iam("UpdateAssumeRolePolicy", RoleName="deploy", PolicyDocument=trusting(bob.arn))
    got = alices.iam("GetRole", RoleName="deploy")["Role"]
    assert document(got["AssumeRolePolicyDocument"]) == json.loads(trusting(bob.arn))
    with pytest.raises(Refused, match='Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/eve"'):
        alices.iam("UpdateAssumeRolePolicy", RoleName="deploy", PolicyDocument=trusting(bob.arn.replace("bob", "eve")))


def test_policies_of_a_role(alices: Program, readers: ManagedPolicy) -> None:
    create(alices)
    alices.iam("AttachRolePolicy", RoleName="deploy", PolicyArn=readers.arn)
    alices.iam("PutRolePolicy", RoleName="deploy", PolicyName="inline", PolicyDocument=READ)
    alices.iam("PutRolePermissionsBoundary", RoleName="deploy", PermissionsBoundary=readers.arn)
    attached = alices.iam("ListAttachedRolePolicies", RoleName="deploy")["AttachedPolicies"]
    assert attached == [{"PolicyName": "readers", "PolicyArn": readers.arn}]
    assert alices.iam("ListRolePolicies", RoleName="deploy")["PolicyNames"] == ["inline"]
    got = alices.iam("GetRolePolicy", RoleName="deploy", PolicyName="inline")
    assert document(got["PolicyDocument"]) == json.loads(READ)
    entities = alices.iam("ListEntitiesForPolicy", PolicyArn=readers.arn)
    assert [role["RoleName"] for role in entities["PolicyRoles"]] == ["deploy"]
    policy = alices.iam("GetPolicy", PolicyArn=readers.arn)["Policy"]
    assert (policy["AttachmentCount"], policy["PermissionsBoundaryUsageCount"]) == (1, 1)
    assert alices.iam("ListPolicies", OnlyAttached=True)["Policies"][-1]["PolicyName"] == "readers"
    with pytest.raises(Refused, match="must delete policies first"):
        alices.iam("DeleteRole", RoleName="deploy")
    alices.iam("DeleteRolePolicy", RoleName="deploy", PolicyName="inline")
    alices.iam("DetachRolePolicy", RoleName="deploy", PolicyArn=readers.arn)
    alices.iam("DeleteRolePermissionsBoundary", RoleName="deploy")
    alices.iam("DeleteRole", RoleName="deploy")


def test_tags_of_a_role_are_set_replaced_and_removed_in_any_case(alices: Program) -> None:
    create(alices)
    alices.iam("TagRole", RoleName="deploy", Tags=[{"Key": "Team", "Value": "red"}])
    alices.iam("TagRole", RoleName="deploy", Tags=[{"Key": "team", "Value": "blue"}])
    assert alices.iam("ListRoleTags", RoleName="deploy")["Tags"] == [{"Key": "team", "Value": "blue"}]
    alices.iam("UntagRole", RoleName="deploy", TagKeys=["TEAM"])
    assert alices.iam("ListRoleTags", RoleName="deploy")["Tags"] == []


def test_a_role_is_born_with_tags_only_by_who_may_tag_it(bobs: Program, bob: User) -> None:
    allow(bob, "iam:CreateRole")
    with pytest.raises(Refused, match="iam:TagRole"):
        create(bobs, Tags=[{"Key": "team", "Value": "red"}])
    assert not Role.objects.exists()
    allow(bob, ["iam:CreateRole", "iam:TagRole"])
    create(bobs, Tags=[{"Key": "team", "Value": "red"}])


def test_a_boundary_can_be_asked_of_new_roles_and_of_changes(bobs: Program, bob: User, readers: ManagedPolicy) -> None:
    bounded = {"StringEquals": {"iam:PermissionsBoundary": readers.arn}}
    allow(bob, ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"], Condition=bounded)
    with pytest.raises(Refused, match="AccessDenied"):
        create(bobs)
    create(bobs, PermissionsBoundary=readers.arn)
    bobs.iam("PutRolePolicy", RoleName="deploy", PolicyName="inline", PolicyDocument=READ)
    Role.objects.update(boundary=None)
    with pytest.raises(Refused, match="AccessDenied"):
        bobs.iam("PutRolePolicy", RoleName="deploy", PolicyName="inline", PolicyDocument=READ)


def test_tags_of_the_role_decide_who_changes_it(bobs: Program, bob: User, acme: Account) -> None:
    make_role(acme, "red", tags={"team": "red"})
    make_role(acme, "blue", tags={"team": "blue"})
    allow(bob, "iam:UpdateRole", Condition={"StringEquals": {"aws:ResourceTag/team": "red"}})
    bobs.iam("UpdateRole", RoleName="red", Description="x")
    with pytest.raises(Refused, match="AccessDenied"):
        bobs.iam("UpdateRole", RoleName="blue", Description="x")


def test_it_walks_the_life_of_an_instance_profile(alices: Program) -> None:
    made = alices.iam("CreateInstanceProfile", InstanceProfileName="web", Tags=[{"Key": "a", "Value": "1"}])
    profile = made["InstanceProfile"]
    assert profile["Arn"] == f"arn:aws:iam::{ACME}:instance-profile/web"
    assert profile["InstanceProfileId"].startswith("AIPA") and profile["Roles"] == []
    create(alices)
    names = {"InstanceProfileName": "web", "RoleName": "deploy"}
    alices.iam("AddRoleToInstanceProfile", **names)
    got = alices.iam("GetInstanceProfile", InstanceProfileName="web")["InstanceProfile"]
    assert [role["RoleName"] for role in got["Roles"]] == ["deploy"]
    assert document(got["Roles"][0]["AssumeRolePolicyDocument"]) == json.loads(TRUST)
    for listed in (
        alices.iam("ListInstanceProfiles")["InstanceProfiles"],
        alices.iam("ListInstanceProfilesForRole", RoleName="deploy")["InstanceProfiles"],
    ):
        assert [each["InstanceProfileName"] for each in listed] == ["web"]
    with pytest.raises(Refused, match="must remove roles from instance profile first") as refused:
        alices.iam("DeleteRole", RoleName="deploy")
    assert (refused.value.status, refused.value.code) == (409, "DeleteConflict")
    create(alices, "second")
    with pytest.raises(Refused, match="Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"):
        alices.iam("AddRoleToInstanceProfile", InstanceProfileName="web", RoleName="second")
    alices.iam("RemoveRoleFromInstanceProfile", **names)
    alices.iam("TagInstanceProfile", InstanceProfileName="web", Tags=[{"Key": "A", "Value": "2"}])
    alices.iam("UntagInstanceProfile", InstanceProfileName="web", TagKeys=["a"])
    tags = alices.iam("ListInstanceProfileTags", InstanceProfileName="web")["Tags"]
    assert tags == [{"Key": "A", "Value": "2"}]
    alices.iam("DeleteInstanceProfile", InstanceProfileName="web")
    assert Event.objects.get(action="iam:DeleteInstanceProfile").detail["tags"] == {"A": "2"}
    with pytest.raises(Refused, match=r"Instance Profile web cannot be found\."):
        alices.iam("GetInstanceProfile", InstanceProfileName="web")


def test_handing_a_role_to_machines_takes_the_permission_to_pass_it(
    alices: Program, bobs: Program, bob: User, acme: Account
) -> None:
    alices.iam("CreateInstanceProfile", InstanceProfileName="web")
    create(alices)
    names = {"InstanceProfileName": "web", "RoleName": "deploy"}
    allow(bob, "iam:AddRoleToInstanceProfile")
    for role in ("deploy", "absent"):
        with pytest.raises(Refused) as refused:
            bobs.iam("AddRoleToInstanceProfile", **{**names, "RoleName": role})
        assert (refused.value.code, f"iam:PassRole on resource: arn:aws:iam::{ACME}:role/{role}") == (
            "AccessDenied",
            refused.value.message.partition("perform: ")[2].partition(" because")[0],
        )
    passing = {
        "Condition": {
            "StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"},
            "ArnLike": {"iam:AssociatedResourceArn": f"arn:aws:iam::{ACME}:instance-profile/*"},
        }
    }
    allow(bob, "iam:PassRole", f"arn:aws:iam::{ACME}:role/deploy", name="passing", **passing)
    bobs.iam("AddRoleToInstanceProfile", **names)
    assert Event.objects.filter(action="iam:AddRoleToInstanceProfile", outcome="Success").count() == 1


def test_it_walks_the_life_of_a_service_linked_role(alices: Program) -> None:
    made = alices.iam("CreateServiceLinkedRole", AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="blue")
    role = made["Role"]
    path = "/aws-service-role/autoscaling.amazonaws.com/"
    assert (role["Path"], role["RoleName"]) == (path, "AWSServiceRoleForAutoScaling_blue")
    for change, inputs in (
        ("DeleteRole", {}),
        ("UpdateAssumeRolePolicy", {"PolicyDocument": TRUST}),
        ("PutRolePolicy", {"PolicyName": "x", "PolicyDocument": READ}),
    ):
        with pytest.raises(Refused, match="protected role") as refused:
            alices.iam(change, RoleName=role["RoleName"], **inputs)
        assert (refused.value.status, refused.value.code) == (400, "UnmodifiableEntity")
    with pytest.raises(Refused, match="has been taken in this account"):
        alices.iam("CreateServiceLinkedRole", AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="blue")
    task = alices.iam("DeleteServiceLinkedRole", RoleName=role["RoleName"])["DeletionTaskId"]
    assert task.startswith(f"task{path}AWSServiceRoleForAutoScaling_blue/")
    assert alices.iam("GetServiceLinkedRoleDeletionStatus", DeletionTaskId=task)["Status"] == "SUCCEEDED"
    assert not Role.objects.exists()


def test_a_service_linked_role_in_use_stays_and_the_task_says_why(alices: Program, acme: Account) -> None:
    name = alices.iam("CreateServiceLinkedRole", AWSServiceName="ecs.amazonaws.com")["Role"]["RoleName"]
    # No call of ours puts it there.
    InstanceProfile.objects.create(account=acme, name="web", unique_id="AIPAWEB", role=Role.objects.get(name=name))
    task = alices.iam("DeleteServiceLinkedRole", RoleName=name)["DeletionTaskId"]
    status = alices.iam("GetServiceLinkedRoleDeletionStatus", DeletionTaskId=task)
    assert status["Status"] == "FAILED" and "remove roles from instance profile" in status["Reason"]["Reason"]
    assert Role.objects.filter(name=name).exists()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"AWSServiceName": "ecs.amazonaws.com", "CustomSuffix": "x"}, "Custom suffix is not allowed for ecs.amazon"),
        ({"AWSServiceName": "nonsense"}, "nonsense is not the name of a service"),
    ],
)
def test_a_service_linked_role_is_for_a_service(alices: Program, inputs: dict[str, str], message: str) -> None:
    with pytest.raises(Refused, match=message) as refused:
        alices.iam("CreateServiceLinkedRole", **inputs)
    assert refused.value.code == "InvalidInput"


def test_the_service_can_be_asked_of_who_makes_its_role(bobs: Program, bob: User) -> None:
    only = {"StringEquals": {"iam:AWSServiceName": "ecs.amazonaws.com"}}
    allow(bob, "iam:CreateServiceLinkedRole", Condition=only)
    bobs.iam("CreateServiceLinkedRole", AWSServiceName="ecs.amazonaws.com")
    with pytest.raises(Refused, match="AccessDenied"):
        bobs.iam("CreateServiceLinkedRole", AWSServiceName="rds.amazonaws.com")


def test_an_ordinary_role_is_no_service_linked_one(alices: Program) -> None:
    create(alices)
    with pytest.raises(Refused, match="NoSuchEntity"):
        alices.iam("DeleteServiceLinkedRole", RoleName="deploy")
    with pytest.raises(Refused, match="NoSuchEntity"):
        alices.iam("GetServiceLinkedRoleDeletionStatus", DeletionTaskId="task/aws-service-role/x/y/z")
