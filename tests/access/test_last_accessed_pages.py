"""Access advisor: what policies open, and what of it was tried."""

from typing import Any

import pytest
from django.urls import reverse

from access.models import AccessReport
from accounts.ids import new_unique_id
from audit.models import Event
from identities.models import Group, GroupInlinePolicy, Membership, Role, User
from tests.cast import allow, browser_of, make_role

OPENS = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","iam:List*"],"Resource":"*"}]}'


def page(kind: str, *words: str) -> str:
    return reverse(f"access:{kind}-last-accessed", args=words)


def text_of(reply: Any) -> str:
    return " ".join(reply.content.decode().split())


@pytest.fixture
def readers(bob: User) -> Group:
    """Bob is in it, has a policy of his own, and tried one of two services."""
    group = Group.objects.create(account=bob.account, name="Readers", unique_id=new_unique_id("AGPA"))
    GroupInlinePolicy.objects.create(group=group, name="from-group", document=OPENS)
    Membership.objects.create(user=bob, group=group, slot=1)
    allow(bob, "iam:ListUsers", name="own")
    browser_of(bob).get(reverse("identities:list-users"))
    return group


def test_a_user_is_shown_what_was_tried_first_and_what_opens_it(alice: User, bob: User, readers: Group) -> None:
    reply = browser_of(alice).get(page("user", "bob"))
    rows = reply.context["rows"]
    assert [(row.namespace, bool(row.last)) for row in rows] == [("iam", True), ("s3", False)]
    assert [policy.name for policy in rows[0].policies] == ["own", "from-group"]
    text = text_of(reply)
    assert "<strong>2 services</strong>, and <strong>1</strong> of them was tried" in text
    assert "ListUsers" in text and "in Readers" in text


def test_looking_makes_no_report_and_no_event(alice: User, bob: User, readers: Group) -> None:
    browser_of(alice).get(page("user", "bob"))
    assert not AccessReport.objects.exists()
    assert not Event.objects.filter(action__contains="LastAccessed").exists()


@pytest.mark.parametrize(
    ("query", "shown"),
    [({"show": "unused"}, ["s3"]), ({"show": "used"}, ["iam"]), ({"q": "simple storage"}, []), ({"q": "S3"}, ["s3"])],
)
def test_it_searches(alice: User, bob: User, readers: Group, query: dict[str, str], shown: list[str]) -> None:
    reply = browser_of(alice).get(page("user", "bob"), query, headers={"HX-Request": "true"})
    assert [row.namespace for row in reply.context["rows"]] == shown and "<html" not in text_of(reply)


def test_groups_roles_and_policies_have_the_tab_too(alice: User, bob: User, readers: Group) -> None:
    role: Role = make_role(bob.account, "Worker")
    allow(role, "s3:GetObject")
    browser = browser_of(alice)
    group = text_of(browser.get(page("group", "Readers")))
    assert "<td>bob</td>" in group and "nobody" in group
    assert "not in 400 days" in text_of(browser.get(page("role", "Worker")))
    policy = browser.get(page("policy", "aws", "IAMReadOnlyAccess"))
    assert "iam" in [row.namespace for row in policy.context["rows"]] and "Opened by" not in text_of(policy)


def test_it_takes_both_permissions_and_names_policies_for_a_third(alice: User, bob: User) -> None:
    worker = make_role(bob.account, "Worker")
    allow(worker, "s3:GetObject", name="secret-name")
    allow(bob, "iam:GenerateServiceLastAccessedDetails")
    browser = browser_of(bob)
    assert browser.get(page("role", "Worker")).status_code == 403
    allow(bob, ["iam:GenerateServiceLastAccessedDetails", "iam:GetServiceLastAccessedDetails"])
    text = text_of(browser.get(page("role", "Worker")))
    assert "is not shown to you" in text and "secret-name" not in text
