"""The one gate, from the rows in the database to the Decision."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from access.gate import PrincipalGate, authorize
from accounts.ids import new_unique_id
from accounts.models import Account, PasswordPolicy
from audit import clock
from identities.models import (
    Group,
    GroupAttachment,
    GroupInlinePolicy,
    Membership,
    User,
    UserAttachment,
    UserInlinePolicy,
)
from policies.compiled import CompiledDocuments
from policies.engine import Outcome
from policies.models import ManagedPolicy, document_digest
from tests.cast import allow, principal_of, root_of

ANY = "arn:aws:iam::111122223333:user/anyone"


def in_group(user: User, document: str) -> Group:
    group = Group.objects.create(account=user.account, name="Helpers", unique_id=new_unique_id("AGPA"))
    Membership.objects.create(user=user, group=group, slot=1)
    GroupInlinePolicy.objects.create(group=group, name="help", document=document)
    return group


def statement(effect: str, action: str, resource: str = "*", **more: object) -> str:
    body = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [body]})


def outcome(user: User, action: str = "iam:GetUser", resource: str = ANY, **context: str) -> Outcome:
    return authorize(principal_of(user), action, resource, context).outcome


def test_nothing_is_allowed_by_default(bob: User) -> None:
    assert outcome(bob) == Outcome.IMPLICITLY_DENIED


def test_a_users_own_inline_policy_allows(bob: User) -> None:
    allow(bob, "iam:GetUser")
    decision = authorize(principal_of(bob), "iam:GetUser", ANY)
    assert decision.allowed
    assert [(ref.source, ref.origin) for ref in decision.statements] == [("allowed", bob.arn)]


def test_a_managed_policy_allows_by_its_default_version(alice: User) -> None:
    decision = authorize(principal_of(alice), "iam:GetUser", ANY)
    assert decision.statements[0].source == "arn:aws:iam::aws:policy/AdministratorAccess"


def test_groups_allow_and_name_themselves(bob: User) -> None:
    group = in_group(bob, statement("Allow", "iam:Get*"))
    decision = authorize(principal_of(bob), "iam:GetUser", ANY)
    assert decision.allowed and decision.statements[0].origin == group.arn


def test_a_policy_attached_to_a_group_allows(bob: User) -> None:
    group = in_group(bob, statement("Allow", "s3:GetObject"))
    policy = ManagedPolicy.objects.get(account=None, name="IAMReadOnlyAccess")
    GroupAttachment.objects.create(group=group, policy=policy, slot=1)
    assert outcome(bob) == Outcome.ALLOWED


@pytest.mark.bar(71)
def test_a_deny_anywhere_beats_every_allow(alice: User) -> None:
    in_group(alice, statement("Deny", "iam:GetUser", ANY))
    assert outcome(alice) == Outcome.EXPLICITLY_DENIED
    assert outcome(alice, resource=ANY + "-else") == Outcome.ALLOWED


@pytest.mark.bar(71)
def test_a_boundary_limits_and_grants_nothing(alice: User, bob: User) -> None:
    boundary = ManagedPolicy.objects.get(account=None, name="IAMReadOnlyAccess")
    User.objects.filter(pk__in=[alice.pk, bob.pk]).update(boundary=boundary)
    assert outcome(alice) == Outcome.ALLOWED
    assert authorize(principal_of(alice), "iam:DeleteUser", ANY).layer == "boundary"
    assert outcome(bob) == Outcome.IMPLICITLY_DENIED


@pytest.mark.bar(14, 71)
def test_a_boundary_whose_document_is_gone_allows_nothing(alice: User) -> None:
    boundary = ManagedPolicy.objects.create(account=alice.account, name="Empty", unique_id="ANPAEMPTY")
    User.objects.filter(pk=alice.pk).update(boundary=boundary)
    assert not authorize(principal_of(alice), "iam:GetUser", ANY).allowed


@pytest.mark.bar(60)
@pytest.mark.parametrize("text", ["", "{", '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Do":"*"}]}'])
def test_a_stored_document_that_cannot_be_read_denies(alice: User, text: str) -> None:
    UserInlinePolicy.objects.create(user=alice, name="broken", document=text)
    decision = authorize(principal_of(alice), "iam:GetUser", ANY)
    assert decision.outcome == Outcome.EXPLICITLY_DENIED
    assert decision.statements[0].source == "broken"


@pytest.mark.bar(72)
def test_a_change_counts_at_the_very_next_decision(alice: User) -> None:
    assert outcome(alice) == Outcome.ALLOWED
    UserAttachment.objects.all().delete()
    assert outcome(alice) == Outcome.IMPLICITLY_DENIED
    allow(alice, "iam:GetUser")
    assert outcome(alice) == Outcome.ALLOWED
    allow(alice, "iam:ListUsers")
    assert outcome(alice) == Outcome.IMPLICITLY_DENIED


def test_policies_of_others_do_not_count(alice: User, bob: User, mallory: User) -> None:
    allow(bob, "iam:GetUser")
    assert outcome(bob) == Outcome.ALLOWED
    assert not authorize(principal_of(mallory), "iam:GetUser", bob.arn).allowed


@pytest.mark.bar(77)
def test_policies_cannot_limit_root(acme: Account) -> None:
    assert authorize(root_of(acme), "iam:DeleteUser", ANY).allowed


def test_the_variable_for_ones_own_name_is_the_callers(bob: User) -> None:
    allow(bob, "iam:GetUser", "arn:aws:iam::*:user/${aws:username}")
    assert outcome(bob, resource=bob.arn) == Outcome.ALLOWED
    assert outcome(bob) == Outcome.IMPLICITLY_DENIED


def test_mfa_is_a_fact_of_the_console_and_absent_for_keys(bob: User) -> None:
    allow(bob, "iam:GetUser", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    key = principal_of(bob)
    console = replace(key, mfa=True, mfa_at=clock.now() - timedelta(minutes=3))
    assert authorize(console, "iam:GetUser", ANY).allowed
    assert not authorize(replace(console, mfa=False, mfa_at=None), "iam:GetUser", ANY).allowed
    assert not authorize(key, "iam:GetUser", ANY).allowed


def test_context_of_the_request_reaches_conditions(bob: User) -> None:
    condition = {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}}
    allow(bob, "iam:AttachUserPolicy", Condition=condition)
    arns = {"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    assert authorize(principal_of(bob), "iam:AttachUserPolicy", ANY, arns).allowed
    other = {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}
    assert not authorize(principal_of(bob), "iam:AttachUserPolicy", ANY, other).allowed


def test_the_account_may_let_everybody_change_their_own_password(acme: Account, bob: User) -> None:
    assert outcome(bob, "iam:ChangePassword", bob.arn) == Outcome.IMPLICITLY_DENIED
    PasswordPolicy.objects.create(account=acme, allow_users_to_change_password=True)
    assert outcome(bob, "iam:ChangePassword", bob.arn) == Outcome.ALLOWED
    assert outcome(bob, "iam:ChangePassword") == Outcome.IMPLICITLY_DENIED


@pytest.mark.bar(14)
def test_an_error_while_policies_are_read_lets_nobody_through(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr("access.gate.load_policy_set", fail)
    with pytest.raises(RuntimeError):
        authorize(principal_of(alice), "iam:GetUser", ANY)


def test_many_policies_cost_one_query(alice: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    in_group(alice, statement("Allow", "s3:*"))
    gate = PrincipalGate(principal_of(alice))
    gate.decide("iam:GetUser", ANY)
    warm = PrincipalGate(principal_of(alice))
    with django_assert_num_queries(1):
        assert all(warm.decide("iam:GetUser", f"{ANY}-{number}").allowed for number in range(20))


def test_might_is_for_showing_and_never_wider_than_possible(bob: User) -> None:
    gate = PrincipalGate(principal_of(bob))
    assert not gate.might("iam:CreateUser")
    allow(bob, "iam:CreateUser", "arn:aws:iam::111122223333:user/team-a/*")
    assert PrincipalGate(principal_of(bob)).might("iam:CreateUser")


@pytest.mark.bar(72)
def test_a_document_changed_between_two_queries_is_not_remembered_as_unreadable() -> None:
    text, cache = statement("Allow", "iam:GetUser"), CompiledDocuments(1000)
    digest = document_digest(text)
    assert cache.get_many([digest], lambda _: {})[digest].readable is False
    assert cache.get_many([digest], lambda _: {digest: text})[digest].readable is True
