from typing import Any

import pytest
from django.urls import reverse

from identities.models import User
from policies.models import ManagedPolicy
from policies.services import create_policy
from tests.cast import allow, browser_of, principal_of

DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}'


@pytest.fixture
def policy(alice: User) -> ManagedPolicy:
    return create_policy(by=principal_of(alice), name="look", document=DOCUMENT)


def page(action: str, scope: str = "own", name: str = "look") -> str:
    return reverse(f"policies:{action}", args=[scope, name])


def text_of(reply: Any) -> str:
    return " ".join(reply.content.decode().split())


def test_the_page_adds_changes_and_removes(alice: User, policy: ManagedPolicy) -> None:
    browser = browser_of(alice)
    added = browser.post(page("tag-policy"), {"key": "Team", "value": "Storage"}, follow=True)
    assert "The tag Team is set." in text_of(added)
    assert 'value="Storage"' in text_of(browser.get(page("list-policy-tags"), {"key": "Team"}))
    browser.post(page("tag-policy"), {"key": "Team", "value": "Network"})
    assert policy.tags.get().value == "Network"
    assert browser.post(page("untag-policy"), {"key": "Team"}).status_code == 302
    assert not policy.tags.exists()


def test_a_mistake_is_shown_and_what_was_typed_stays(alice: User, policy: ManagedPolicy) -> None:
    text = text_of(browser_of(alice).post(page("tag-policy"), {"key": "aws:x", "value": "kept"}))
    assert "begin with aws:" in text and 'value="kept"' in text


def test_a_built_in_policy_has_none(alice: User) -> None:
    browser = browser_of(alice)
    shown = text_of(browser.get(page("list-policy-tags", "aws", "PowerUserAccess")))
    assert "have no tags" in shown and "Save the tag" not in shown
    browser.post(page("tag-policy", "aws", "PowerUserAccess"), {"key": "Team", "value": "x"})
    assert not ManagedPolicy.objects.get(account=None, name="PowerUserAccess").tags.exists()


def test_a_condition_on_the_policys_own_tags_counts(alice: User, bob: User, policy: ManagedPolicy) -> None:
    policy.tags.create(key="Team", value="Storage")
    allow(bob, "iam:UntagPolicy", Condition={"StringEquals": {"aws:ResourceTag/Team": "Network"}})
    assert browser_of(bob).post(page("untag-policy"), {"key": "Team"}).status_code == 403
    allow(bob, "iam:UntagPolicy", Condition={"StringEquals": {"aws:ResourceTag/Team": "Storage"}})
    assert browser_of(bob).post(page("untag-policy"), {"key": "Team"}).status_code == 302


@pytest.mark.bar(61)
def test_who_may_not_is_not_told_whether_it_is_there(alice: User, bob: User) -> None:
    create_policy(by=principal_of(alice), name="look", document=DOCUMENT, path="/secret-corner/")
    allow(bob, "iam:TagPolicy", "arn:aws:iam::*:policy/other")
    reply = browser_of(bob).post(page("tag-policy"), {"key": "Team", "value": "x"})
    assert reply.status_code == 403 and "secret-corner" not in text_of(reply)
