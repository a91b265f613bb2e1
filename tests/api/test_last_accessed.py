"""Which services somebody's policies open, and who last tried them."""

from typing import Any

import pytest

from access.models import ActionUse
from accounts.ids import new_unique_id
from accounts.models import Account
from identities.models import Group, Role, User
from policies.models import ManagedPolicy
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused
from tests.cast import allow, browser_of

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


def services(program: Program, arn: str, **more: object) -> dict[str, dict[str, Any]]:
    job = program.iam("GenerateServiceLastAccessedDetails", Arn=arn, **more)["JobId"]
    found: dict[str, dict[str, Any]] = {}
    marker: dict[str, str] = {}
    while True:
        answer = program.iam("GetServiceLastAccessedDetails", JobId=job, MaxItems=1000, **marker)
        assert answer["JobStatus"] == "COMPLETED"
        found |= {row["ServiceNamespace"]: row for row in answer["ServicesLastAccessed"]}
        if not answer["IsTruncated"]:
            return found
        marker = {"Marker": answer["Marker"]}


def test_a_user_opens_services_and_tried_some(program: Program, program_of: ProgramOf, bob: User) -> None:
    allow(bob, ["iam:Get*", "s3:*", "dynamodb:GetItem"])
    program_of(bob).iam("GetUser")
    found = services(program, bob.arn)
    assert list(found) == ["dynamodb", "iam", "s3"]
    assert found["iam"]["LastAuthenticatedEntity"] == bob.arn
    assert (found["iam"]["TotalAuthenticatedEntities"], found["s3"]["TotalAuthenticatedEntities"]) == (1, 0)
    assert "LastAuthenticated" in found["iam"] and "LastAuthenticated" not in found["s3"]
    assert found["s3"]["ServiceName"] == "Amazon S3"


def test_denied_tries_count_and_actions_are_told(program: Program, program_of: ProgramOf, bob: User) -> None:
    allow(bob, "iam:GetUser")
    assert refusal(program_of(bob), "ListUsers") == (403, "AccessDenied")
    found = services(program, bob.arn, Granularity="ACTION_LEVEL")
    assert [row["ActionName"] for row in found["iam"]["TrackedActionsLastAccessed"]] == ["ListUsers"]


def test_what_is_tried_on_pages_counts_too(program: Program, bob: User) -> None:
    allow(bob, "iam:ListUsers")
    browser_of(bob).get("/identities/users/")
    found = services(program, bob.arn, Granularity="ACTION_LEVEL")
    assert "ListUsers" in [row["ActionName"] for row in found["iam"]["TrackedActionsLastAccessed"]]


def test_everything_but_something_opens_the_other_services(program: Program, bob: User) -> None:
    bob.inline_policies.create(
        name="all but s3",
        document='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["s3:*","iam:Create*"],'
        '"Resource":"*"}]}',
    )
    found = services(program, bob.arn)
    assert "s3" not in found and {"iam", "ec2"} <= found.keys() and len(found) > 200


def test_a_group_and_a_policy_tell_who_used_them(
    program: Program, program_of: ProgramOf, acme: Account, bob: User, readers: ManagedPolicy
) -> None:
    group = Group.objects.create(account=acme, name="staff", unique_id=new_unique_id("AGPA"))
    group.attachments.create(policy=readers, slot=1)
    bob.memberships.create(group=group, slot=1)
    program_of(bob).iam("GetUser")
    for arn in (group.arn, readers.arn):
        job = program.iam("GenerateServiceLastAccessedDetails", Arn=arn)["JobId"]
        answer = program.iam("GetServiceLastAccessedDetailsWithEntities", JobId=job, ServiceNamespace="iam")
        (detail,) = answer["EntityDetailsList"]
        assert detail["EntityInfo"] == {
            "Arn": bob.arn,
            "Name": "bob",
            "Type": "USER",
            "Id": bob.unique_id,
            "Path": "/",
        }
        wrong = {"JobId": job, "ServiceNamespace": "s3"}
        assert refusal(program, "GetServiceLastAccessedDetailsWithEntities", **wrong) == (404, "NoSuchEntity")


def test_a_report_is_read_by_who_asked_for_it(program: Program, program_of: ProgramOf, bob: User) -> None:
    allow(bob, "iam:*")
    job = program.iam("GenerateServiceLastAccessedDetails", Arn=bob.arn)["JobId"]
    program.iam("GetServiceLastAccessedDetails", JobId=job)
    assert refusal(program_of(bob), "GetServiceLastAccessedDetails", JobId=job) == (404, "NoSuchEntity")
    assert refusal(program, "GetServiceLastAccessedDetails", JobId="x" * 36) == (404, "NoSuchEntity")


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("arn:aws:iam::111122223333:user/nobody", "NoSuchEntity"),
        ("arn:aws:iam::444455556666:user/mallory", "AccessDenied"),
        ("arn:aws:iam::111122223333:user/eng/bob", "NoSuchEntity"),
        ("arn:aws:s3:::a-bucket-of-mine", "InvalidInput"),
    ],
)
def test_what_is_not_there_has_no_report(program: Program, bob: User, mallory: User, arn: str, code: str) -> None:
    assert refusal(program, "GenerateServiceLastAccessedDetails", Arn=arn)[1] == code
    assert refusal(program, "ListPoliciesGrantingServiceAccess", Arn=arn, ServiceNamespaces=["s3"])[1] == code


def test_policies_that_open_a_service_are_listed(
    program: Program, acme: Account, bob: User, readers: ManagedPolicy
) -> None:
    group = Group.objects.create(account=acme, name="staff", unique_id=new_unique_id("AGPA"))
    group.attachments.create(policy=readers, slot=1)
    bob.memberships.create(group=group, slot=1)
    allow(bob, ["s3:*", "iam:GetUser"], name="own")
    answer = program.iam("ListPoliciesGrantingServiceAccess", Arn=bob.arn, ServiceNamespaces=["iam", "s3", "ec2"])
    inline = {"PolicyName": "own", "PolicyType": "INLINE", "EntityType": "USER", "EntityName": "bob"}
    managed = {"PolicyName": "readers", "PolicyType": "MANAGED", "PolicyArn": readers.arn}
    assert answer["PoliciesGrantingServiceAccess"] == [
        {"ServiceNamespace": "iam", "Policies": [inline, managed]},
        {"ServiceNamespace": "s3", "Policies": [inline]},
        {"ServiceNamespace": "ec2", "Policies": []},
    ]


def test_a_role_lists_its_own(program: Program, acme: Account) -> None:
    role = Role.objects.create(account=acme, name="machine", unique_id=new_unique_id("AROA"), document=TRUST)
    role.inline_policies.create(
        name="in",
        document='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}',
    )
    answer = program.iam("ListPoliciesGrantingServiceAccess", Arn=role.arn, ServiceNamespaces=["sqs"])
    (policy,) = answer["PoliciesGrantingServiceAccess"][0]["Policies"]
    assert (policy["PolicyName"], policy["EntityType"], policy["EntityName"]) == ("in", "ROLE", "machine")


def test_uses_are_kept_once_for_each_action(program: Program, bob: User, alice: User) -> None:
    for _ in range(3):
        program.iam("ListUsers")
        services(program, alice.arn)
    rows = ActionUse.objects.filter(principal_id=alice.unique_id, action="iam:ListUsers")
    assert rows.count() == 1
