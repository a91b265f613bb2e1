"""The first page: what is in the account, what is still to be done, and for whom."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from access.recommendations import Step
from accounts.models import Account, PasswordPolicy
from audit import clock
from identities.models import AccessKey, User
from identities.services.access_keys import create_access_key
from tests.access.steps import DASHBOARD
from tests.cast import allow, browser_of, make_user, principal_of, root_of
from tests.identities.devices import device_of


def page_of(who: User | Account) -> Any:
    reply = browser_of(who).get(DASHBOARD)
    assert reply.status_code == 200
    return reply


def state(who: User | Account) -> dict[str, bool]:
    steps: tuple[Step, ...] = page_of(who).context["steps"]
    return {step.title: step.done for step in steps}


def test_it_counts_what_is_in_the_account(alice: User, bob: User, mallory: User) -> None:
    counts = {label: count for label, count, _ in page_of(alice).context["counts"]}
    assert counts == {"Users": 2, "User groups": 0, "Roles": 0, "Own policies": 0, "MFA devices in use": 0}


def test_it_says_where_users_sign_in(alice: User) -> None:
    page = page_of(alice).content.decode()
    assert "http://127.0.0.1:8000/signin/acme/" in page and alice.account_id in page


def test_a_user_without_permissions_sees_the_page_and_why_parts_are_missing(bob: User) -> None:
    reply = page_of(bob)
    page = reply.content.decode()
    assert "iam:GetAccountSummary" in page and "You are not allowed" in page
    assert not reply.context["counts"]
    assert set(state(bob)) == {"Turn on MFA for yourself", "Rotate your own access keys every 90 days"}


def test_each_permission_opens_its_part(bob: User) -> None:
    allow(bob, "iam:GetAccountPasswordPolicy")
    assert any("password policy" in title for title in state(bob))
    allow(bob, "iam:GetAccountSummary", name="more")
    assert "Turn on MFA for the root user" in state(bob) and page_of(bob).context["counts"]


def test_recommendations_follow_what_was_done(alice: User) -> None:
    before = state(alice)
    assert before["Create an administrator"] and not before["Turn on MFA for yourself"]
    device_of(alice)
    PasswordPolicy.objects.create(account=alice.account, minimum_password_length=14)
    create_access_key(by=root_of(alice.account), user=None)
    after = state(alice)
    assert after["Turn on MFA for yourself"] and after["Have a password policy that asks for 14 characters or more"]
    assert not after["Have no access keys for the root user"]


@pytest.mark.parametrize(("days", "fine"), [(89, True), (91, False)])
def test_old_keys_of_ones_own_are_pointed_out(alice: User, days: int, fine: bool) -> None:
    key, _ = create_access_key(by=principal_of(alice), user=alice)
    AccessKey.objects.filter(pk=key.pk).update(created_at=clock.now() - timedelta(days=days))
    assert state(alice)["Rotate your own access keys every 90 days"] is fine


def test_an_administrator_without_any_credential_does_not_count(acme: Account, alice: User) -> None:
    assert state(acme)["Create an administrator"]
    alice.login_profile.delete()
    assert not state(acme)["Create an administrator"]


def test_root_is_told_what_root_is_for(acme: Account) -> None:
    page = page_of(acme).content.decode()
    assert "What only the root user can do" in page and "Root user warning" in page


def test_it_asks_the_database_as_often_for_many_users(alice: User, django_assert_max_num_queries: Any) -> None:
    browser = browser_of(alice)
    browser.get(DASHBOARD)
    for number in range(30):
        make_user(alice.account, f"user{number}", console=False)
    with django_assert_max_num_queries(19):
        browser.get(DASHBOARD)


def test_it_links_to_ones_own_credentials(bob: User) -> None:
    page = page_of(bob).content.decode()
    for name in ("my-credentials", "my-password", "my-mfa-devices", "my-access-keys", "sessions"):
        assert f'href="{reverse(f"access:{name}")}"' in page


def test_a_step_that_somebody_may_not_take_says_what_is_missing(bob: User) -> None:
    allow(bob, ["iam:GetAccountPasswordPolicy", "iam:CreateVirtualMFADevice"])
    page = page_of(bob).content.decode()
    assert "That takes <code>iam:UpdateAccountPasswordPolicy</code>" in page and "Set a password policy" not in page
    assert "Turn on MFA</a>" in page
    allow(bob, "iam:UpdateAccountPasswordPolicy", name="more")
    assert "Set a password policy</a>" in page_of(bob).content.decode()


def test_what_only_root_can_do_is_no_link_for_others(acme: Account, alice: User) -> None:
    """Root's devices and keys are on the page of one's own, where an administrator would find their own instead."""
    create_access_key(by=root_of(acme), user=None)
    theirs, roots = (page_of(who).content.decode() for who in (alice, acme))
    assert theirs.count("Only the root user can do this") == 2 and "Delete root&#x27;s access keys" not in theirs
    assert "Only the root user can do this" not in roots and "Delete root&#x27;s access keys" in roots
