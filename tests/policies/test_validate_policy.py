"""What is said about a document while it is being written."""

import pytest
from django.urls import reverse

from audit.models import Event
from identities.models import User
from policies.models import ManagedPolicy
from tests.cast import allow, browser_of
from tests.policies.documents import ALLOW, REFUSED, statement

PAGE = reverse("policies:validate-policy")


def said(user: User, document: str, **more: str) -> str:
    return browser_of(user).post(PAGE, {"document": document, "limit": "6144", **more}).content.decode()


def test_it_finds_nothing_to_remark(alice: User) -> None:
    shown = said(alice, ALLOW)
    assert "No findings" in shown and "of 6144 characters" in shown


def test_it_points_at_lines_and_columns(alice: User) -> None:
    shown = said(alice, '{\n  "Version": "2012-10-17",\n  "Statement": [}\n')
    assert 'data-go-line="3"' in shown and "Error" in shown


def test_it_gives_advice_that_does_not_refuse(alice: User) -> None:
    assert "Security" in said(alice, statement(Action="*"))


@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED.keys())
def test_what_would_be_refused_is_an_error(alice: User, document: str) -> None:
    assert "Error" in said(alice, document) or not document


def test_it_says_when_it_is_too_long(alice: User) -> None:
    assert "too long" in said(alice, ALLOW, limit="10")
    assert "90 of them in the other inline policies" in said(alice, ALLOW, used="90")


@pytest.mark.bar(68)
def test_it_needs_its_own_action_and_changes_nothing(alice: User, bob: User) -> None:
    allow(bob, "iam:*")
    assert browser_of(bob).post(PAGE, {"document": ALLOW}).status_code == 403
    before = ManagedPolicy.objects.count()
    said(alice, ALLOW)
    assert ManagedPolicy.objects.count() == before
    assert not Event.objects.filter(principal_name="alice").exists()


def test_who_may_not_is_not_made_to_ask_while_typing(bob: User) -> None:
    allow(bob, "iam:*")
    page = browser_of(bob).get(reverse("policies:create-policy")).content.decode()
    assert PAGE not in page and "access-analyzer:ValidatePolicy" in page


@pytest.mark.bar(46)
def test_it_is_not_read_by_get(alice: User) -> None:
    assert browser_of(alice).get(PAGE).status_code == 405
