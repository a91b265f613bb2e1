"""GetSessionToken and GetFederationToken over the wire, and what their results may not do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import Account
from audit.models import Event
from identities.models import AccessKey, User
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused
from tests.api.test_assume_role import LIST_USERS, WITH_MFA, lifetime, program_with
from tests.cast import allow, make_role, trusting
from tests.identities.devices import codes, device_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def bobs(program_of: ProgramOf, bob: User) -> Program:
    return program_of(bob)


def with_mfa(program: Program, user: User, **inputs: Any) -> Program:
    device, seed = device_of(user)
    proof = {"SerialNumber": device.serial_number, "TokenCode": codes(seed)[1]}
    return program_with(program.sts("GetSessionToken", **proof, **inputs))


def test_a_session_token_needs_no_permission_and_is_the_same_user(bobs: Program, bob: User) -> None:
    session = program_with(bobs.sts("GetSessionToken"))
    identity = session.sts("GetCallerIdentity")
    assert (identity["Arn"], identity["UserId"]) == (bob.arn, bob.unique_id)
    event = Event.objects.get(action="sts:GetSessionToken")
    assert event.detail["made_key"] == session.access_key_id


def test_a_deny_keeps_it_from_somebody(bobs: Program, bob: User) -> None:
    allow(bob, "sts:GetSessionToken", Effect="Deny")
    with pytest.raises(Refused, match="with an explicit deny in an identity-based policy"):
        bobs.sts("GetSessionToken")


@pytest.mark.bar(34, 87)
def test_without_mfa_it_is_no_credential_for_iam(bobs: Program, bob: User) -> None:
    allow(bob, "iam:*")
    with pytest.raises(Refused) as refused:
        program_with(bobs.sts("GetSessionToken")).iam("ListUsers")
    assert (refused.value.status, refused.value.code) == (403, "InvalidClientTokenId")
    with_mfa(bobs, bob).iam("ListUsers")


@pytest.mark.bar(34)
def test_mfa_is_true_with_a_code_and_absent_with_a_long_term_key(bobs: Program, bob: User) -> None:
    allow(bob, "iam:ListUsers", **WITH_MFA)
    with pytest.raises(Refused, match="AccessDenied"):
        bobs.iam("ListUsers")
    with_mfa(bobs, bob).iam("ListUsers")


@pytest.mark.bar(34)
@pytest.mark.parametrize(("value", "reaches"), [("false", True), ("true", False)])
def test_mfa_is_false_without_a_code(acme: Account, bobs: Program, bob: User, value: str, reaches: bool) -> None:
    asked = {"Bool": {"aws:MultiFactorAuthPresent": value}}
    role = make_role(acme, "deploy", trusting(bob.arn, Condition=asked))
    session = program_with(bobs.sts("GetSessionToken"))
    inputs = {"RoleArn": role.arn, "RoleSessionName": "ci"}
    if reaches:
        session.sts("AssumeRole", **inputs)
    else:
        with pytest.raises(Refused, match="AccessDenied"):
            session.sts("AssumeRole", **inputs)


def test_a_session_with_mfa_takes_on_roles_that_ask_for_it(acme: Account, bobs: Program, bob: User) -> None:
    role = make_role(acme, "careful", trusting(bob.arn, **WITH_MFA))
    made = with_mfa(bobs, bob).sts("AssumeRole", RoleArn=role.arn, RoleSessionName="ci")
    assert made["AssumedRoleUser"]["Arn"].endswith(":assumed-role/careful/ci")


@pytest.mark.bar(87)
@pytest.mark.parametrize(
    ("operation", "inputs", "seconds"),
    [
        ("GetSessionToken", {}, 43200),
        ("GetSessionToken", {"DurationSeconds": 900}, 900),
        ("GetSessionToken", {"DurationSeconds": 129600}, 129600),
        ("GetFederationToken", {"Name": "ann"}, 43200),
        ("GetFederationToken", {"Name": "ann", "DurationSeconds": 129600}, 129600),
    ],
)
def test_a_users_session_lasts_as_asked(
    bobs: Program, bob: User, operation: str, inputs: dict[str, Any], seconds: int
) -> None:
    allow(bob, "sts:GetFederationToken")
    with time_machine.travel(NOW, tick=False):
        assert lifetime(bobs.sts(operation, **inputs)) == timedelta(seconds=seconds)


@pytest.mark.bar(87)
@pytest.mark.parametrize("seconds", [899, 129601])
def test_times_outside_the_range_are_errors(bobs: Program, seconds: int) -> None:
    with pytest.raises(Refused, match="Member must have value") as refused:
        bobs.sts("GetSessionToken", DurationSeconds=seconds)
    assert refused.value.code == "ValidationError"


@pytest.mark.bar(87)
@pytest.mark.parametrize("inputs", [{}, {"DurationSeconds": 7200}])
def test_root_gets_an_hour_and_more_is_cut(acme: Account, program_of: ProgramOf, inputs: dict[str, int]) -> None:
    with time_machine.travel(NOW, tick=False):
        assert lifetime(program_of(acme).sts("GetSessionToken", **inputs)) == timedelta(hours=1)


@pytest.mark.bar(64, 87)
def test_temporary_credentials_make_no_others_of_their_kind(bobs: Program, bob: User) -> None:
    allow(bob, "*")
    for session in (
        with_mfa(bobs, bob),
        program_with(bobs.sts("GetFederationToken", Name="ann", Policy=LIST_USERS)),
    ):
        for name, inputs in (("GetSessionToken", {}), ("GetFederationToken", {"Name": "eve"})):
            with pytest.raises(Refused, match=f"Cannot call {name} with session credentials"):
                session.sts(name, **inputs)


def test_what_a_federated_user_is_and_cannot_call(acme: Account, bobs: Program, bob: User) -> None:
    allow(bob, "*")
    made = bobs.sts("GetFederationToken", Name="ann", Policy=LIST_USERS)
    arn = f"arn:aws:sts::{acme.id}:federated-user/ann"
    assert made["FederatedUser"] == {"FederatedUserId": f"{acme.id}:ann", "Arn": arn}
    session = program_with(made)
    identity = session.sts("GetCallerIdentity")
    assert (identity["Arn"], identity["UserId"]) == (arn, f"{acme.id}:ann")
    with pytest.raises(Refused) as refused:
        session.iam("ListUsers")
    assert refused.value.code == "InvalidClientTokenId"
    role = make_role(acme, "deploy", trusting(bob.arn))
    with pytest.raises(Refused, match="Cannot call AssumeRole with session credentials"):
        session.sts("AssumeRole", RoleArn=role.arn, RoleSessionName="ci")


def test_a_federation_token_takes_a_permission_and_tags_another(bobs: Program, bob: User, acme: Account) -> None:
    with pytest.raises(Refused, match=f"sts:GetFederationToken on resource: arn:aws:sts::{acme.id}:federated-user/ann"):
        bobs.sts("GetFederationToken", Name="ann")
    allow(bob, "sts:GetFederationToken")
    bobs.sts("GetFederationToken", Name="ann")
    tags = [{"Key": "team", "Value": "red"}]
    with pytest.raises(Refused, match="sts:TagSession"):
        bobs.sts("GetFederationToken", Name="ann", Tags=tags)


@pytest.mark.bar(90)
@pytest.mark.parametrize("end", ["inactive", "deleted", "user deleted"])
def test_a_session_ends_with_the_key_or_user_that_made_it(bobs: Program, bob: User, end: str) -> None:
    allow(bob, "sts:GetFederationToken")
    sessions = [program_with(bobs.sts("GetSessionToken")), program_with(bobs.sts("GetFederationToken", Name="ann"))]
    key = AccessKey.objects.filter(pk=bobs.access_key_id)
    if end == "inactive":
        key.update(status="Inactive")
    else:
        (bob if end == "user deleted" else key.get()).delete()
    for session in sessions:
        with pytest.raises(Refused) as refused:
            session.sts("GetCallerIdentity")
        assert refused.value.code == "InvalidClientTokenId"


def test_the_account_of_a_temporary_key_is_told(acme: Account, bobs: Program, bob: User) -> None:
    made = bobs.sts("GetSessionToken")
    allow(bob, "sts:GetAccessKeyInfo")
    key_id = made["Credentials"]["AccessKeyId"]
    assert bobs.sts("GetAccessKeyInfo", AccessKeyId=key_id)["Account"] == acme.id
