from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.test import Client
from django.urls import reverse

from access import cookies
from access.models import ConsoleSession
from accounts.models import Account, PasswordPolicy, RootUser
from audit.models import Event
from identities.models import LoginProfile, User
from tests.cast import PASSWORD, ROOT_PASSWORD, allow, browser_of

PAGE, HOME = reverse("access:my-password"), reverse("access:my-credentials")
NEW = "walnut harbour trumpet 5520"


def change(browser: Client, new: str = NEW, *, old: str = PASSWORD, again: str | None = None) -> Any:
    return browser.post(PAGE, {"old_password": old, "password": new, "password_again": again or new})


def stored(user: User) -> str:
    return LoginProfile.objects.get(user=user).password


def test_it_changes_the_password(alice: User) -> None:
    assert change(browser_of(alice)).headers["Location"] == HOME
    assert check_password(NEW, stored(alice))


@pytest.mark.bar(6, 35, 38)
def test_this_browser_stays_and_the_others_are_signed_out(alice: User) -> None:
    here, there = browser_of(alice), browser_of(alice)
    before = here.cookies[cookies.name(cookies.SESSION)].value
    change(here)
    assert here.cookies[cookies.name(cookies.SESSION)].value != before
    assert here.get(HOME).status_code == 200
    assert there.get(HOME).status_code == 302
    assert ConsoleSession.objects.count() == 1


@pytest.mark.bar(6)
def test_it_needs_the_present_password(alice: User) -> None:
    reply = change(browser_of(alice), old="wrong")
    assert "present password is not right" in reply.content.decode()
    assert check_password(PASSWORD, stored(alice))


def test_both_new_ones_must_be_the_same(alice: User) -> None:
    assert "differ" in change(browser_of(alice), again=NEW + " ").content.decode()
    assert check_password(PASSWORD, stored(alice))


@pytest.mark.bar(2, 4)
@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("short words", "at least 15"),
        ("alice likes rivers", "“alice”"),
        ("password12345678", "stolen"),
        ("x" * 129, "128 characters"),
    ],
)
def test_it_says_why_a_password_is_refused(new: str, reason: str, alice: User) -> None:
    assert reason in change(browser_of(alice), new).content.decode()
    assert check_password(PASSWORD, stored(alice))


def test_what_was_typed_is_not_sent_back(alice: User) -> None:
    text = change(browser_of(alice), again="another thing 15").content.decode()
    assert NEW not in text and PASSWORD not in text


@pytest.mark.bar(3)
def test_spaces_around_it_count(alice: User) -> None:
    change(browser_of(alice), f" {NEW} ")
    assert check_password(f" {NEW} ", stored(alice)) and not check_password(NEW, stored(alice))


@pytest.mark.bar(7)
def test_password_managers_know_the_fields(alice: User) -> None:
    text = browser_of(alice).get(PAGE).content.decode()
    assert text.count('autocomplete="new-password"') == 2
    assert 'autocomplete="current-password"' in text and 'autocomplete="username"' in text
    assert "onpaste" not in text


def test_the_accounts_policy_is_explained(alice: User) -> None:
    PasswordPolicy.objects.create(account=alice.account, minimum_password_length=20, require_numbers=True)
    text = browser_of(alice).get(PAGE).content.decode()
    assert "20 to 128 characters and needs a digit" in text


def test_it_requires_permission(bob: User, alice: User) -> None:
    browser = browser_of(bob)
    allow(bob, "iam:ChangePassword", alice.arn)
    assert change(browser).status_code == 403
    allow(bob, "iam:ChangePassword", bob.arn)
    assert change(browser).status_code == 302


def test_an_account_policy_may_let_everybody_change_their_own(bob: User) -> None:
    PasswordPolicy.objects.create(account=bob.account, allow_users_to_change_password=True)
    assert change(browser_of(bob)).status_code == 302


@pytest.mark.bar(6, 77)
def test_root_changes_its_password_here(acme: Account) -> None:
    browser, there = browser_of(acme), browser_of(acme)
    assert "not right" in change(browser).content.decode()
    assert change(browser, old=ROOT_PASSWORD).status_code == 302
    assert check_password(NEW, RootUser.objects.get().password)
    assert (browser.get(HOME).status_code, there.get(HOME).status_code) == (200, 302)


@pytest.mark.bar(122)
def test_it_records_without_passwords(alice: User) -> None:
    change(browser_of(alice))
    text = str([vars(event) for event in Event.objects.all()])
    assert "iam:ChangePassword" in text and NEW not in text and PASSWORD not in text


@pytest.mark.bar(41)
def test_sessions_hold_no_password(alice: User) -> None:
    change(browser_of(alice))
    session = ConsoleSession.objects.get()
    assert NEW not in str(vars(session)) and stored(alice) not in str(vars(session))


@pytest.mark.bar(11, 121)
def test_guessing_the_present_one_is_limited_and_recorded(alice: User) -> None:
    browser = browser_of(alice)
    for _ in range(10):
        change(browser, old="a guess")
    assert "Too many tries" in change(browser).content.decode()
    assert check_password(PASSWORD, stored(alice))
    tried = Event.objects.filter(action="iam:ChangePassword", outcome="Failure").order_by("id")
    assert [event.error_code for event in tried] == ["AccessDenied"] * 10 + ["Throttling"]


def test_a_refused_new_password_is_no_guess(alice: User) -> None:
    browser = browser_of(alice)
    for _ in range(12):
        change(browser, "short")
    assert change(browser).status_code == 302
