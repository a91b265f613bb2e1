"""The permissions tab, and who uses a policy."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.ids import new_unique_id
from identities.models import Group, GroupAttachment, GroupInlinePolicy, Membership, User, UserAttachment
from policies import services
from policies.models import ManagedPolicy
from tests.cast import allow, browser_of, principal_of
from tests.policies.documents import ALLOW

PAGE = reverse("identities:list-attached-user-policies", args=["bob"])
ENTITIES = reverse("identities:list-entities-for-policy", args=["aws", "IAMUserChangePassword"])


def add_group(user: User, name: str, slot: int = 1) -> Group:
    group = Group.objects.create(account=user.account, name=name, unique_id=new_unique_id("AGPA"))
    Membership.objects.create(user=user, group=group, slot=slot)
    policy = ManagedPolicy.objects.get(name="IAMUserChangePassword")
    GroupAttachment.objects.create(group=group, policy=policy, slot=1)
    GroupInlinePolicy.objects.create(group=group, name=f"inline-of-{name}", document=ALLOW)
    return group


def test_it_shows_what_is_attached_and_what_comes_through_groups(alice: User, bob: User) -> None:
    add_group(bob, "auditors")
    allow(bob, "iam:ListUsers", name="direct")
    bob.boundary = ManagedPolicy.objects.get(name="PowerUserAccess")
    bob.save()
    UserAttachment.objects.create(user=bob, policy=ManagedPolicy.objects.get(name="ReadOnlyAccess"), slot=1)
    page = browser_of(alice).get(PAGE).content.decode()
    for word in (
        "ReadOnlyAccess",
        "IAMUserChangePassword",
        "auditors",
        "inline-of-auditors",
        "direct",
        "PowerUserAccess",
    ):
        assert word in page


def test_every_part_needs_its_own_permission(alice: User, bob: User) -> None:
    add_group(bob, "auditors")
    allow(bob, "iam:ListAttachedUserPolicies", name="direct")
    page = browser_of(bob).get(PAGE).content.decode()
    for action in ("iam:ListGroupsForUser", "iam:ListUserPolicies", "iam:GetUser"):
        assert action in page
    assert "auditors" not in page and "direct" not in page and "Attach policies" not in page


def test_groups_that_may_not_be_looked_into_say_so(alice: User, bob: User) -> None:
    add_group(bob, "auditors")
    allow(bob, ["iam:ListAttachedUserPolicies", "iam:ListGroupsForUser"])
    page = browser_of(bob).get(PAGE).content.decode()
    assert "auditors" in page and "You may not see everything that this group gives" in page
    assert "IAMUserChangePassword" not in page and "inline-of-auditors" not in page


def test_it_asks_the_same_number_of_questions_however_many_groups(alice: User, bob: User) -> None:
    browser = browser_of(alice)
    add_group(bob, "first")
    with CaptureQueriesContext(connection) as few:
        browser.get(PAGE)
    for slot in range(2, 9):
        add_group(bob, f"group-{slot}", slot)
    with CaptureQueriesContext(connection) as many:
        browser.get(PAGE)
    assert len(few) == len(many)


def test_a_group_shows_its_own(alice: User, bob: User) -> None:
    add_group(bob, "auditors")
    page = reverse("identities:list-attached-group-policies", args=["auditors"])
    shown = browser_of(alice).get(page).content.decode()
    assert "IAMUserChangePassword" in shown and "inline-of-auditors" in shown
    assert browser_of(bob).get(page).status_code == 403


@pytest.mark.bar(61)
def test_it_hides_other_accounts(bob: User, mallory: User) -> None:
    assert browser_of(mallory).get(PAGE).status_code == 404


@pytest.mark.bar(61)
def test_who_uses_a_policy_in_this_account(alice: User, bob: User, mallory: User) -> None:
    policy = ManagedPolicy.objects.get(name="IAMUserChangePassword")
    for user in (bob, mallory):
        UserAttachment.objects.create(user=user, policy=policy, slot=2)
    add_group(bob, "auditors")
    browser = browser_of(alice)
    assert [row.name for row in browser.get(ENTITIES).context["page"]] == ["bob"]
    assert [row.name for row in browser.get(ENTITIES, {"kind": "groups"}).context["page"]] == ["auditors"]
    assert list(browser.get(ENTITIES, {"kind": "boundaries"}).context["page"]) == []
    assert list(browser.get(ENTITIES, {"kind": "users", "q": "zz"}).context["page"]) == []


def test_many_users_come_in_pages(alice: User) -> None:
    policy = services.create_policy(by=principal_of(alice), name="all", document=ALLOW)
    names = [f"user-{number:04}" for number in range(120)]
    rows = [User(account=alice.account, name=name, unique_id=new_unique_id("AIDA")) for name in names]
    attached = [UserAttachment(user=user, policy=policy, slot=1) for user in User.objects.bulk_create(rows)]
    UserAttachment.objects.bulk_create(attached)
    page = reverse("identities:list-entities-for-policy", args=["own", "all"])
    with CaptureQueriesContext(connection) as asked:
        shown = browser_of(alice).get(page, {"page": "3"}).context["page"]
    assert [row.name for row in shown] == names[100:] and len(asked) < 25


def test_who_uses_it_requires_permission(bob: User) -> None:
    assert browser_of(bob).get(ENTITIES).status_code == 403
