"""What tells about the whole account: summary, credential report, authorization details."""

import csv
import io
import json
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine

from accounts.ids import new_unique_id
from accounts.models import Account, PasswordPolicy
from api import describe_authorization_details
from api.authorization_details import KINDS, POLICIES, Hanging
from api.paging import Pager
from audit import clock
from identities.models import Group, InstanceProfile, Role, User
from identities.services.credential_report import COLUMNS
from policies.models import ManagedPolicy
from tests.api.conftest import READ, ProgramOf
from tests.api.program import Program, Refused
from tests.cast import allow, make_user, trusting
from tests.identities.certificates import issue
from tests.identities.devices import device_of

TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


def refusal(program: Program, operation: str, **inputs: object) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        program.iam(operation, **inputs)
    return refused.value.status, refused.value.code


# Credential report


def lines(program: Program) -> dict[str, dict[str, str]]:
    content = program.iam("GetCredentialReport")["Content"].decode()
    return {row["user"]: row for row in csv.DictReader(io.StringIO(content))}


def test_a_report_is_asked_for_then_complete_then_expired(program: Program) -> None:
    assert refusal(program, "GetCredentialReport") == (410, "ReportNotPresent")
    first = program.iam("GenerateCredentialReport")
    assert first["State"] == "STARTED"
    assert first["Description"] == "No report exists. Starting a new report generation task"
    assert program.iam("GenerateCredentialReport")["State"] == "COMPLETE"
    report = program.iam("GetCredentialReport")
    assert report["ReportFormat"] == "text/csv"
    with time_machine.travel(clock.now() + timedelta(hours=4)):
        assert refusal(program, "GetCredentialReport") == (410, "ReportExpired")
        assert program.iam("GenerateCredentialReport")["State"] == "STARTED"
        assert program.iam("GetCredentialReport")["GeneratedTime"] > report["GeneratedTime"]


def test_the_report_has_awss_form(program: Program, bob: User) -> None:
    program.iam("GenerateCredentialReport")
    text = program.iam("GetCredentialReport")["Content"].decode()
    head, *rows = text.split("\n")
    assert head == ",".join(COLUMNS) and len(COLUMNS) == 22
    assert [row.partition(",")[0] for row in rows] == ["<root_account>", "alice", "bob"]


def test_root_stands_first_with_what_a_report_can_say_of_it(program: Program, acme: Account) -> None:
    program.iam("GenerateCredentialReport")
    root = lines(program)["<root_account>"]
    assert root["arn"] == acme.root_arn
    assert {root[f"password_{what}"] for what in ("enabled", "last_changed", "next_rotation")} == {"not_supported"}
    assert (root["password_last_used"], root["mfa_active"]) == ("no_information", "false")
    assert (root["access_key_1_active"], root["access_key_1_last_rotated"]) == ("false", "N/A")


def test_a_users_credentials_are_told(program: Program, bob: User, acme: Account) -> None:
    PasswordPolicy.objects.create(account=acme, max_password_age=90)
    device_of(bob)
    key = program.iam("CreateAccessKey", UserName="bob")["AccessKey"]["AccessKeyId"]
    program.iam("UpdateAccessKey", UserName="bob", AccessKeyId=key, Status="Inactive")
    program.iam("UploadSigningCertificate", UserName="bob", CertificateBody=issue("bob").body)
    program.iam("GenerateCredentialReport")
    bobs, alices = lines(program)["bob"], lines(program)["alice"]
    assert (bobs["password_enabled"], bobs["password_last_used"], bobs["mfa_active"]) == (
        "true",
        "no_information",
        "true",
    )
    changed = bob.login_profile.password_changed_at
    assert bobs["password_next_rotation"] == (changed + timedelta(days=90)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (bobs["access_key_1_active"], bobs["access_key_1_last_used_date"]) == ("false", "N/A")
    assert bobs["access_key_1_last_rotated"].endswith("Z") and bobs["access_key_2_last_rotated"] == "N/A"
    assert (bobs["cert_1_active"], bobs["cert_2_active"]) == ("true", "false")
    assert (alices["access_key_1_active"], alices["access_key_1_last_used_service"]) == ("true", "iam")


def test_a_user_without_a_password_has_no_dates_of_one(program: Program, acme: Account) -> None:
    make_user(acme, "robot", console=False)
    program.iam("GenerateCredentialReport")
    robot = lines(program)["robot"]
    assert [robot[f"password_{what}"] for what in ("enabled", "last_used", "last_changed", "next_rotation")] == [
        "false",
        "N/A",
        "N/A",
        "N/A",
    ]


def test_names_that_look_like_formulas_stay_names(program: Program, acme: Account) -> None:
    make_user(acme, "=1+2,3", console=False)
    program.iam("GenerateCredentialReport")
    assert "=1+2,3" in lines(program)


# Summary


def test_the_summary_counts_everything(program: Program, acme: Account, bob: User, readers: ManagedPolicy) -> None:
    Role.objects.create(account=acme, name="machine", unique_id=new_unique_id("AROA"), document=TRUST)
    summary = program.iam("GetAccountSummary")["SummaryMap"]
    expected = {"Users": 2, "Roles": 1, "Policies": 1, "PolicyVersionsInUse": 1, "ServerCertificatesQuota": 20}
    assert expected.items() <= summary.items()
    assert {"RolePolicySizeQuota", "Providers", "InstanceProfiles", "PolicyVersionsInUseQuota"} <= summary.keys()
    assert (summary["GlobalEndpointTokenVersion"], summary["AccountPasswordPresent"]) == (1, 1)
    program.iam("SetSecurityTokenServicePreferences", GlobalEndpointTokenVersion="v2Token")
    assert program.iam("GetAccountSummary")["SummaryMap"]["GlobalEndpointTokenVersion"] == 2


# Authorization details


@pytest.fixture
def furnished(acme: Account, alice: User, bob: User, readers: ManagedPolicy) -> Account:
    """Acme with a group that Bob is in, a bounded role in a profile, and policies everywhere."""
    group = Group.objects.create(account=acme, name="staff", unique_id=new_unique_id("AGPA"))
    group.attachments.create(policy=readers, slot=1)
    group.inline_policies.create(name="more", document=READ)
    bob.memberships.create(group=group, slot=1)
    bob.tags.create(key="team", value="red")
    allow(bob, "iam:GetUser", name="own")
    role = Role.objects.create(
        account=acme, name="machine", unique_id=new_unique_id("AROA"), document=TRUST, boundary=readers
    )
    role.inline_policies.create(name="inside", document=READ)
    InstanceProfile.objects.create(account=acme, name="box", unique_id=new_unique_id("AIPA"), role=role)
    return acme


def test_everything_is_told_with_what_hangs_on_it(program: Program, furnished: Account, readers: ManagedPolicy) -> None:
    details = program.iam("GetAccountAuthorizationDetails")
    alice, bob = details["UserDetailList"]
    assert (bob["UserName"], bob["GroupList"], bob["Tags"]) == ("bob", ["staff"], [{"Key": "team", "Value": "red"}])
    assert [policy["PolicyName"] for policy in bob["UserPolicyList"]] == ["own"]
    assert alice["AttachedManagedPolicies"][0]["PolicyName"] == "AdministratorAccess"
    (group,) = details["GroupDetailList"]
    assert json.loads(unquote(group["GroupPolicyList"][0]["PolicyDocument"])) == json.loads(READ)
    assert group["AttachedManagedPolicies"] == [{"PolicyName": "readers", "PolicyArn": readers.arn}]
    (role,) = details["RoleDetailList"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == readers.arn
    assert role["InstanceProfileList"][0]["InstanceProfileName"] == "box"
    assert json.loads(unquote(role["AssumeRolePolicyDocument"])) == json.loads(TRUST)
    own, built_in = details["Policies"]
    assert (own["PolicyName"], own["AttachmentCount"]) == ("readers", 1)
    assert own["PolicyVersionList"][0]["IsDefaultVersion"] and own["PolicyVersionList"][0]["Document"]
    assert built_in["PolicyName"] == "AdministratorAccess"
    assert details["IsTruncated"] is False


def names(details: dict[str, Any]) -> list[str]:
    found = [row[f"{kind}Name"] for kind in ("User", "Group", "Role") for row in details[f"{kind}DetailList"]]
    return found + [row["PolicyName"] for row in details["Policies"]]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
def test_it_comes_in_pages_of_any_size(program: Program, furnished: Account, size: int) -> None:
    found: list[str] = []
    marker: dict[str, str] = {}
    while True:
        page = program.iam("GetAccountAuthorizationDetails", MaxItems=size, **marker)
        found += names(page)
        assert len(names(page)) <= size
        if not page["IsTruncated"]:
            break
        assert len(names(page)) == size
        marker = {"Marker": page["Marker"]}
    assert found == ["alice", "bob", "staff", "machine", "readers", "AdministratorAccess"]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["Role"], ["machine"]),
        (["LocalManagedPolicy", "Group"], ["staff", "readers"]),
        (["AWSManagedPolicy"], ["AdministratorAccess"]),
    ],
)
def test_it_tells_only_what_is_wanted(
    program: Program, furnished: Account, kinds: list[str], expected: list[str]
) -> None:
    assert names(program.iam("GetAccountAuthorizationDetails", Filter=kinds)) == expected


def test_uses_of_a_policy_are_counted_in_the_account(
    program: Program, furnished: Account, bob: User, mallory: User, readers: ManagedPolicy
) -> None:
    """AdministratorAccess is Mallory's too, in another account, which is not told."""
    bob.boundary = readers
    bob.save()
    bob.attachments.create(policy=readers, slot=1)
    policies = program.iam("GetAccountAuthorizationDetails")["Policies"]
    counts = [(row["AttachmentCount"], row["PermissionsBoundaryUsageCount"]) for row in policies]
    assert counts == [(2, 2), (1, 0)]


def test_a_policy_that_goes_meanwhile_is_left_out(acme: Account, readers: ManagedPolicy) -> None:
    page = Pager("iam:GetAccountAuthorizationDetails").tables(KINDS, POLICIES, account_id=acme.id)
    assert [row["PolicyName"] for row in page.of(*POLICIES)] == ["readers"]
    readers.delete()
    assert describe_authorization_details.policies(page.of(*POLICIES), Hanging(acme.id, page)) == []


def test_a_trust_policy_is_told_by_names(program: Program, furnished: Account, bob: User, mallory: User) -> None:
    trust = trusting(bob.unique_id, mallory.unique_id, "AIDAGONEGONEGONE1234")
    Role.objects.create(account=furnished, name="worker", unique_id=new_unique_id("AROA"), document=trust)
    _, role = program.iam("GetAccountAuthorizationDetails", Filter=["Role"])["RoleDetailList"]
    told = json.loads(unquote(role["AssumeRolePolicyDocument"]))["Statement"][0]["Principal"]["AWS"]
    assert told == [bob.arn, mallory.arn, "AIDAGONEGONEGONE1234"]


def test_it_hides_other_accounts(program_of: ProgramOf, furnished: Account, mallory: User) -> None:
    assert names(program_of(mallory).iam("GetAccountAuthorizationDetails")) == ["mallory", "AdministratorAccess"]
