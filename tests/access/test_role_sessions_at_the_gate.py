"""What sessions of roles and federated users may do, and which condition keys their requests carry."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.gate import authorize, global_context
from access.principals import overridden, role_session_principal
from access.session_tokens import SessionClaims
from accounts.models import Account
from audit import clock
from audit.principal import Principal, SessionPolicies
from identities.models import Role, RoleAttachment, User
from identities.services import roles
from policies.models import ManagedPolicy
from tests.cast import ORIGIN, allow, make_role, root_of


def claims_for(role: Role, **facts: object) -> SessionClaims:
    now = clock.now()
    said = SessionClaims("AssumeRole", role.account_id, role.unique_id, "s", now, now + timedelta(hours=1), "ci")
    return replace(said, **facts)  # type: ignore[arg-type] # the caller's facts are the claims' own fields


def session_of(role: Role, **facts: object) -> Principal:
    return role_session_principal(role, claims_for(role, **facts), ORIGIN, "ASIATEST")


def document(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def managed(account: Account, name: str, *actions: str) -> ManagedPolicy:
    policy = ManagedPolicy.objects.create(account=account, name=name, unique_id=f"ANPA{name}", newest_version=1)
    policy.versions.create(number=1, slot=1, is_default=True, document=document(*actions))
    return policy


@pytest.fixture
def deploy(acme: Account) -> Role:
    role = make_role(acme, "deploy", path="/ci/")
    allow(role, ["iam:Get*", "iam:List*"])
    return role


def may(principal: Principal, action: str) -> bool:
    return authorize(principal, action, "*").allowed


def test_a_session_may_what_its_role_may(deploy: Role) -> None:
    session = session_of(deploy)
    assert session.arn == f"arn:aws:sts::{deploy.account_id}:assumed-role/deploy/ci"
    assert may(session, "iam:ListUsers") and not may(session, "iam:CreateUser")


def test_attached_policies_and_the_boundary_of_the_role_count(acme: Account, deploy: Role) -> None:
    RoleAttachment.objects.create(role=deploy, policy=managed(acme, "creators", "iam:CreateUser"), slot=1)
    assert may(session_of(deploy), "iam:CreateUser")
    deploy.boundary = managed(acme, "limit", "iam:List*")
    deploy.save()
    session = session_of(deploy)
    assert may(session, "iam:ListUsers") and not may(session, "iam:GetUser")
    assert authorize(session, "iam:GetUser", "*").layer == "boundary"


@pytest.mark.bar(88)
def test_a_session_policy_only_takes_away(deploy: Role) -> None:
    session = session_of(deploy, policies=SessionPolicies(document("iam:ListUsers", "iam:CreateUser")))
    assert may(session, "iam:ListUsers")
    assert not may(session, "iam:GetUser") and not may(session, "iam:CreateUser")
    assert authorize(session, "iam:GetUser", "*").layer == "session"


@pytest.mark.bar(88)
def test_session_policies_by_arn_add_up_among_themselves(acme: Account, deploy: Role) -> None:
    first, second = managed(acme, "first", "iam:ListUsers"), managed(acme, "second", "iam:GetUser")
    limits = SessionPolicies(document("iam:ListGroups"), (first.unique_id, second.unique_id))
    session = session_of(deploy, policies=limits)
    assert all(may(session, action) for action in ("iam:ListUsers", "iam:GetUser", "iam:ListGroups"))
    assert not may(session, "iam:ListRoles")
    second.delete()
    assert not may(session, "iam:GetUser") and may(session, "iam:ListUsers")


@pytest.mark.bar(88)
@pytest.mark.parametrize("limits", [SessionPolicies(), SessionPolicies("{"), SessionPolicies("", ("ANPAGONE",))])
def test_an_empty_or_unreadable_session_policy_allows_nothing(deploy: Role, limits: SessionPolicies) -> None:
    assert not may(session_of(deploy, policies=limits), "iam:ListUsers")


def test_it_reads_a_session_with_policies_in_one_query(acme: Account, deploy: Role) -> None:
    policy = managed(acme, "first", "iam:ListUsers")
    session = session_of(deploy, policies=SessionPolicies(document("iam:Get*"), (policy.unique_id,)))
    may(session, "iam:ListUsers")
    with CaptureQueriesContext(connection) as queries:
        assert may(session, "iam:ListUsers")
    assert len(queries) == 1


@pytest.mark.bar(90)
def test_revoking_sessions_counts_for_those_that_are_out(deploy: Role) -> None:
    session = session_of(deploy, issued_at=clock.now() - timedelta(minutes=1))
    assert may(session, "iam:ListUsers")
    before = {"DateLessThan": {"aws:TokenIssueTime": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")}}
    allow(deploy, "*", name="AWSRevokeOlderSessions", Effect="Deny", Condition=before)
    assert not may(session, "iam:ListUsers")
    assert may(session_of(deploy, issued_at=clock.now() + timedelta(seconds=1)), "iam:ListUsers")


@pytest.mark.bar(34)
def test_the_condition_keys_of_a_role_session(acme: Account, deploy: Role) -> None:
    roles.tag_role(by=root_of(acme), role=deploy, tags={"Team": "red", "cost": "1"})
    facts = {"tags": {"team": "blue"}, "source_identity": "alice", "provider": "arn:p"}
    context = global_context(session_of(deploy, made_by="AssumeRoleWithSAML", **facts))
    assert context["aws:PrincipalArn"] == (deploy.arn,)
    assert context["aws:PrincipalType"] == ("AssumedRole",)
    assert context["aws:userid"] == (f"{deploy.unique_id}:ci",)
    assert context["aws:SourceIdentity"] == ("alice",)
    assert context["aws:FederatedProvider"] == ("arn:p",)
    assert context["aws:PrincipalTag/team"] == ("blue",) and context["aws:PrincipalTag/cost"] == ("1",)
    assert "aws:PrincipalTag/Team" not in context and "aws:TokenIssueTime" in context
    assert "aws:username" not in context and "aws:MultiFactorAuthPresent" not in context
    # Of a further role in the chain the provider is known, for the session ends with it, and is no condition key.
    further = session_of(deploy, **facts)
    assert further.vouched_by == "arn:p" and "aws:FederatedProvider" not in global_context(further)


def test_session_tags_override_in_whatever_case() -> None:
    assert overridden({"Team": "red", "a": "1"}, {"TEAM": "blue"}) == {"a": "1", "TEAM": "blue"}


@pytest.mark.bar(88)
def test_a_federated_user_without_session_policies_may_do_nothing(acme: Account, bob: User) -> None:
    allow(bob, ["iam:Get*", "iam:List*"])
    federated = Principal(
        acme.id,
        "federated-user",
        f"arn:aws:sts::{acme.id}:federated-user/ann",
        f"{acme.id}:ann",
        "ann",
        issuer_arn=bob.arn,
        issuer_id=bob.unique_id,
        made_by="GetFederationToken",
    )
    assert not may(federated, "iam:ListUsers")
    limited = replace(federated, session_policies=SessionPolicies(document("iam:ListUsers", "iam:CreateUser")))
    assert may(limited, "iam:ListUsers") and not may(limited, "iam:CreateUser") and not may(limited, "iam:GetUser")
    of_root = replace(limited, issuer_arn=acme.root_arn, issuer_id=acme.id)
    assert may(of_root, "iam:CreateUser") and not may(of_root, "iam:GetUser")
    assert global_context(limited)["aws:PrincipalType"] == ("FederatedUser",)
