from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.core.mail import EmailMessage
from django.urls import reverse

from audit.errors import NoSuchEntity
from audit.models import Event
from identities.models import LoginProfile, User
from identities.services.login_profiles import delete_login_profile, update_login_profile
from tests.cast import PASSWORD, allow, browser_of, principal_of

GIVEN = "Kite-4-river"


def page(user: User, action: str = "update") -> str:
    return reverse(f"identities:{action}-login-profile", args=[user.name])


def test_it_replaces_the_password_and_ends_sessions(alice: User, bob: User) -> None:
    browser = browser_of(bob)
    update_login_profile(by=principal_of(alice), user=bob, password=GIVEN)
    assert check_password(GIVEN, LoginProfile.objects.get(user=bob).password)
    assert browser.get(reverse("access:my-credentials")).status_code == 302


def test_it_can_only_demand_a_change(alice: User, bob: User) -> None:
    update_login_profile(by=principal_of(alice), user=bob, password_reset_required=True)
    profile = LoginProfile.objects.get(user=bob)
    assert profile.password_reset_required and check_password(PASSWORD, profile.password)


def test_without_a_password_there_is_nothing_to_replace(alice: User, bob: User) -> None:
    delete_login_profile(by=principal_of(alice), user=bob)
    for change in (update_login_profile, delete_login_profile):
        with pytest.raises(NoSuchEntity, match="Login Profile for User bob cannot be found."):
            change(by=principal_of(alice), user=bob)


@pytest.mark.bar(22, 38)
def test_deleting_it_ends_sessions(alice: User, bob: User) -> None:
    browser = browser_of(bob)
    delete_login_profile(by=principal_of(alice), user=bob)
    assert browser.get(reverse("access:my-credentials")).status_code == 302


@pytest.mark.bar(122)
def test_it_records_what_changed(alice: User, bob: User) -> None:
    update_login_profile(by=principal_of(alice), user=bob, password=GIVEN)
    event = Event.objects.get(action="iam:UpdateLoginProfile")
    assert event.detail == {"password_changed": True, "password_reset_required": False}


def test_the_page_shows_a_new_password_once(alice: User, bob: User) -> None:
    password = browser_of(alice).post(page(bob)).context["password"]
    profile = LoginProfile.objects.get(user=bob)
    assert check_password(password, profile.password) and profile.password_reset_required


@pytest.mark.bar(125)
def test_root_is_told_of_each_change(
    alice: User, bob: User, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        update_login_profile(by=principal_of(alice), user=bob, password=GIVEN)
        delete_login_profile(by=principal_of(alice), user=bob)
    assert ["replaced" in mailoutbox[0].subject, "removed" in mailoutbox[1].subject] == [True, True]


@pytest.mark.parametrize("action", ["update", "delete"])
def test_the_pages_require_permission(action: str, bob: User, alice: User) -> None:
    assert browser_of(bob).post(page(alice, action)).status_code == 403
    allow(bob, f"iam:{action.title()}LoginProfile", alice.arn)
    assert browser_of(bob).post(page(alice, action)).status_code in (200, 302)


@pytest.mark.parametrize("action", ["update", "delete"])
def test_the_pages_hide_other_accounts(action: str, alice: User, mallory: User) -> None:
    assert browser_of(alice).post(page(mallory, action)).status_code == 404


def test_the_page_takes_console_access_away(alice: User, bob: User) -> None:
    reply = browser_of(alice).post(page(bob, "delete"), follow=True)
    assert "No console access" in reply.content.decode()
    assert not LoginProfile.objects.filter(user=bob).exists()
