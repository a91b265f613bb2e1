"""Who can take on a role, as the engine decides it, and told only to whoever may ask."""

from typing import Any

import pytest

from accounts.models import Account
from audit.models import Event
from identities.models import Role, User, UserTag
from tests.cast import allow, browser_of, make_role, make_user, trusting

MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def page(who: User, role: Role, query: str = "") -> Any:
    return browser_of(who).get(f"/identities/role/{role.name}/who-can-assume/{query}")


def answers(reply: Any) -> dict[str, str]:
    return {line.row.name: line.verdict.answer for line in reply.context["lines"] if line.verdict}


def test_a_named_user_can_and_a_named_role_too(alice: User, bob: User) -> None:
    first = make_role(alice.account, "First")
    role = make_role(alice.account, "Worker", trusting(bob.arn, first.arn))
    assert answers(page(alice, role)) == {"bob": "yes", "First": "yes"}


def test_a_deny_of_their_own_counts(alice: User, bob: User) -> None:
    role = make_role(alice.account, "Worker", trusting(bob.arn))
    allow(bob, "sts:AssumeRole", role.arn, Effect="Deny")
    reply = page(alice, role)
    assert answers(reply) == {"bob": "no"} and "A policy of their own denies it." in reply.content.decode()


def test_conditions_that_still_have_to_hold_are_named(alice: User, bob: User) -> None:
    role = make_role(alice.account, "Worker", trusting(bob.arn, Condition=MFA))
    reply = page(alice, role)
    assert answers(reply) == {"bob": "if"} and "aws:MultiFactorAuthPresent" in reply.content.decode()
    assert "No policy of their own" not in reply.content.decode()
    assert page(alice, role, "?user=bob&mfa=on").context["check"].verdict.answer == "yes"


def test_a_trusted_account_is_a_sentence_and_its_users_can_be_checked(alice: User, bob: User) -> None:
    role = make_role(alice.account, "Worker")
    reply = page(alice, role, "?user=bob")
    assert "This account" in reply.content.decode() and not reply.context["lines"]
    assert reply.context["check"].verdict.answer == "no"
    assert "No policy of their own allows" in reply.content.decode()
    allow(bob, "sts:AssumeRole", role.arn)
    assert page(alice, role, "?user=bob").context["check"].verdict.answer == "yes"


def test_whoever_lacks_a_policy_of_their_own_is_not_let_in_by_conditions(alice: User, bob: User) -> None:
    role = make_role(alice.account, "Worker", trusting(alice.account.root_arn, Condition=MFA))
    reply = page(alice, role, "?user=bob")
    assert reply.context["check"].verdict.answer == "no" and "No policy of their own" in reply.content.decode()
    allow(bob, "sts:AssumeRole", role.arn)
    assert page(alice, role, "?user=bob").context["check"].verdict.answer == "if"


def test_a_condition_that_no_single_value_meets_stays_open(alice: User, bob: User) -> None:
    condition = {"NumericLessThan": {"aws:MultiFactorAuthAge": "60"}}
    role = make_role(alice.account, "Worker", trusting(bob.arn, Condition=condition))
    assert answers(page(alice, role)) == {"bob": "if"}


def test_an_external_id_is_compared(alice: User, bob: User) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "12345"}}
    role = make_role(alice.account, "Worker", trusting(bob.arn, Condition=condition))
    assert page(alice, role, "?user=bob&external_id=1234").context["check"].verdict.answer == "if"
    assert page(alice, role, "?user=bob&external_id=12345").context["check"].verdict.answer == "yes"


@pytest.mark.bar(68)
def test_tags_are_not_told_to_whoever_may_not_see_them(bob: User) -> None:
    carol = make_user(bob.account, "carol")
    UserTag.objects.create(user=carol, key="team", value="scarlet")
    condition = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}
    role = make_role(bob.account, "Worker", trusting(carol.arn, Condition=condition))
    allow(bob, ["iam:GetRole", "iam:SimulatePrincipalPolicy"])
    assert "scarlet" not in page(bob, role).content.decode()
    allow(bob, ["iam:GetRole", "iam:SimulatePrincipalPolicy", "iam:GetUser"])
    assert "scarlet" in page(bob, role).content.decode()


def test_somebody_elses_policies_are_not_told_to_whoever_may_not_ask(alice: User, bob: User) -> None:
    carol = make_user(alice.account, "carol")
    role = make_role(alice.account, "Worker", trusting(bob.arn))
    allow(carol, "iam:GetRole")
    reply = page(carol, role, "?user=bob")
    assert reply.context["lines"][0].verdict is None and reply.context["check"].denial
    unknown = page(carol, role, "?user=nobody")
    assert unknown.context["check"].denial.action == "iam:SimulatePrincipalPolicy"


def test_people_of_another_account_are_named_and_not_looked_into(alice: User, mallory: User, globex: Account) -> None:
    role = make_role(alice.account, "Worker", trusting(mallory.arn))
    line = page(alice, role).context["lines"][0]
    assert line.is_foreign and line.verdict is None


@pytest.mark.parametrize("name", ["nobody", "mallory"])
def test_a_user_who_is_not_there_is_said_to_be_missing(alice: User, mallory: User, name: str) -> None:
    reply = page(alice, make_role(alice.account, "Worker"), f"?user={name}")
    assert "There is no user with that name" in reply.content.decode()


def test_asking_records_nothing(alice: User, bob: User) -> None:
    role = make_role(alice.account, "Worker", trusting(bob.arn))
    before = Event.objects.count()
    page(alice, role, "?user=bob")
    assert Event.objects.count() == before
