"""A session never has more than its source allows, whatever policies there are (Hypothesis), and what it makes has no
more than it has itself."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.assume_role import assume_role
from access.gate import PrincipalGate, authorize
from access.principals import load_for_access_key
from access.temporary_credentials import Credentials, SessionRequest
from access.user_sessions import get_federation_token, get_session_token
from accounts.models import Account
from audit.principal import Principal
from identities.models import Role, RoleInlinePolicy, User, UserInlinePolicy
from tests.api.conftest import SECRET, key_of
from tests.api.program import Program, Refused
from tests.api.test_assume_role import LIST_USERS, taken
from tests.cast import ACME, ORIGIN, allow, make_role, trusting

ACTIONS = ("iam:GetUser", "iam:ListUsers", "iam:CreateUser", "iam:CreateAccessKey", "s3:GetObject", "sts:AssumeRole")
RESOURCES = ("*", f"arn:aws:iam::{ACME}:user/bob", f"arn:aws:iam::{ACME}:user/eng/*")
ASKED = (f"arn:aws:iam::{ACME}:user/bob", f"arn:aws:iam::{ACME}:user/eng/ann", "*")

statements = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
        "Action": st.lists(st.sampled_from((*ACTIONS, "iam:*", "iam:Get*", "*")), min_size=1, max_size=3),
        "Resource": st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2),
    }
)
documents = st.lists(statements, min_size=1, max_size=3).map(
    lambda several: json.dumps({"Version": "2012-10-17", "Statement": several})
)


# The people stay the same; each example writes its own policies over those of the one before.
drawn = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def principal_with(made: Credentials) -> Principal:
    holder = load_for_access_key(made.access_key_id, ORIGIN, made.session_token)
    assert holder is not None and holder.secret == made.secret_access_key
    return holder.principal()


def rights(principal: Principal) -> set[tuple[str, str]]:
    gate = PrincipalGate(principal)
    return {(action, arn) for action in ACTIONS for arn in ASKED if gate.decide(action, arn).allowed}


@pytest.fixture
def bobs(bob: User) -> Principal:
    holder = load_for_access_key(key_of(bob).access_key_id, ORIGIN)
    assert holder is not None
    return holder.principal()


@pytest.fixture
def deploy(acme: Account, bob: User) -> Role:
    return make_role(acme, "deploy", trusting(bob.arn))


def write(holder: User | Role, document: str) -> None:
    model: Any = RoleInlinePolicy if isinstance(holder, Role) else UserInlinePolicy
    owner = {"role" if isinstance(holder, Role) else "user": holder}
    model.objects.update_or_create(**owner, name="drawn", defaults={"document": document})


@pytest.mark.bar(64, 88)
@drawn
@given(own=documents, limit=documents)
def test_a_role_session_has_what_its_role_and_its_session_policy_both_allow(
    deploy: Role, bobs: Principal, own: str, limit: str
) -> None:
    gate = PrincipalGate(bobs)
    whole = principal_with(assume_role(gate=gate, role_arn=deploy.arn, requested=SessionRequest("whole")).credentials)
    requested = SessionRequest("limited", document=limit)
    limited = principal_with(assume_role(gate=gate, role_arn=deploy.arn, requested=requested).credentials)
    write(deploy, limit)
    of_limit = rights(whole)
    write(deploy, own)
    assert rights(limited) == rights(whole) & of_limit


@pytest.mark.bar(64, 88)
@drawn
@given(own=documents, limit=st.none() | documents)
def test_sessions_of_a_user_stay_within_the_user(bob: User, bobs: Principal, own: str, limit: str | None) -> None:
    bob.inline_policies.all().delete()
    token = get_session_token(gate=PrincipalGate(bobs))  # A Deny of everything would keep even this from Bob.
    write(bob, own)
    whole = rights(bobs)
    requested = SessionRequest("ann", document=limit or "")
    federated = rights(principal_with(get_federation_token(by=bobs, requested=requested).credentials))
    assert federated <= whole
    assert limit is not None or federated == set()
    assert rights(principal_with(token)) == whole


@pytest.mark.bar(63, 64)
@pytest.mark.parametrize(
    ("operation", "inputs"),
    [
        ("CreateAccessKey", {"UserName": "bob"}),
        ("CreateLoginProfile", {"UserName": "bob", "Password": "copper meadow violin 4482"}),
        ("UpdateAssumeRolePolicy", {"RoleName": "deploy", "PolicyDocument": trusting(f"arn:aws:iam::{ACME}:root")}),
        ("PutRolePolicy", {"RoleName": "deploy", "PolicyName": "more", "PolicyDocument": LIST_USERS}),
        ("CreateUser", {"UserName": "eve"}),
        ("CreateServiceSpecificCredential", {"UserName": "bob", "ServiceName": "codecommit.amazonaws.com"}),
    ],
)
def test_a_restricted_session_makes_no_wider_credential(
    deploy: Role, bob: User, operation: str, inputs: dict[str, str]
) -> None:
    allow(deploy, "*")
    program = Program(key_of(bob).access_key_id, SECRET)
    with pytest.raises(Refused, match=f"because no session policy allows the iam:{operation} action"):
        taken(program, deploy, Policy=LIST_USERS).iam(operation, **inputs)


@pytest.mark.bar(63, 64)
def test_a_restricted_session_takes_on_no_other_role(acme: Account, deploy: Role, bob: User) -> None:
    allow(deploy, "*")
    other = make_role(acme, "other")
    program = Program(key_of(bob).access_key_id, SECRET)
    session = taken(program, deploy, Policy=LIST_USERS)
    with pytest.raises(Refused, match="because no session policy allows the sts:AssumeRole action"):
        session.sts("AssumeRole", RoleArn=other.arn, RoleSessionName="ci")


def test_what_was_withdrawn_counts_for_sessions_that_are_out(deploy: Role, bobs: Principal) -> None:
    allow(deploy, "iam:ListUsers")
    made = assume_role(gate=PrincipalGate(bobs), role_arn=deploy.arn, requested=SessionRequest("ci")).credentials
    assert authorize(principal_with(made), "iam:ListUsers", "*").allowed
    deploy.inline_policies.all().delete()
    assert not authorize(principal_with(made), "iam:ListUsers", "*").allowed
