"""From nothing to a signed-in root user, and the two sign-in pages."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from access.one_time import set_up_link
from accounts.models import Account
from identities.models import LoginProfile, User
from tests.browser.people import expect_heading, sign_in_by_form
from tests.cast import PASSWORD, ROOT_PASSWORD
from tests.rig.browser import AxeCheck

NEW_PASSWORD = "umbrella granite waltz 9053"


@pytest.mark.bar(21)
def test_the_set_up_link_opens_the_account_once(page: Page, axe_check: AxeCheck) -> None:
    link = urlsplit(set_up_link() or "").path
    page.goto(link)
    axe_check(page)
    page.get_by_label("Account name").fill("Acme")
    page.get_by_label("Root user's e-mail address").fill("owner@acme.example")
    page.get_by_label("Root user's password").fill(ROOT_PASSWORD)
    expect(page.get_by_text("Strong")).to_be_visible()
    page.get_by_label("Confirm the password").fill(ROOT_PASSWORD)
    page.get_by_label("Account alias").fill("acme")
    page.get_by_role("button", name="Create account and sign in").click()
    expect(page.get_by_label("Root user warning")).to_contain_text("Turn on MFA")
    assert Account.objects.get().alias == "acme"
    page.goto(link)
    expect(page.get_by_role("button", name="Create account and sign in")).to_have_count(0)


def test_root_signs_in_in_two_steps_and_is_warned_on_every_page(page: Page, acme: Account, axe_check: AxeCheck) -> None:
    page.goto("/root-signin/")
    axe_check(page)
    page.get_by_label("Root user's e-mail address").fill("root@acme.example")
    page.get_by_role("button", name="Next").click()
    axe_check(page)
    page.get_by_label("Password", exact=False).first.fill(ROOT_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile("protect-root|dashboard"))
    for address in ("/dashboard/", "/identities/users/", "/policies/", "/audit/", "/me/"):
        page.goto(address)
        expect(page.get_by_label("Root user warning")).to_be_visible()


def test_the_wrong_kind_of_user_fails_like_a_wrong_password(page: Page, bob: User) -> None:
    page.goto("/signin/acme/")
    page.get_by_label("IAM user name").fill("root@acme.example")
    page.get_by_label("Password", exact=True).fill(ROOT_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    as_root = page.get_by_role("alert").inner_text()
    sign_in_by_form(page, bob, "not the password of bob")
    assert page.get_by_role("alert").inner_text() == as_root


def test_a_first_password_must_be_changed(page: Page, bob: User, axe_check: AxeCheck) -> None:
    LoginProfile.objects.filter(user=bob).update(password_reset_required=True)
    sign_in_by_form(page, bob)
    page.wait_for_url("**/new-password/")
    axe_check(page)
    for field in page.locator("input[type=password]").all():
        field.fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change the password and sign in").click()
    expect_heading(page, "Dashboard")
    page.get_by_role("button", name="Sign out").click()
    sign_in_by_form(page, bob, PASSWORD)
    expect(page.get_by_role("alert")).to_be_visible()
    sign_in_by_form(page, bob, NEW_PASSWORD)
    expect_heading(page, "Dashboard")


@pytest.mark.bar(57)
def test_sign_in_works_without_script_and_by_keyboard(new_context: object, bob: User) -> None:
    page: Page = new_context(java_script_enabled=False).new_page()  # type: ignore[operator] # a fixture's function
    page.goto("/signin/acme/")
    page.get_by_label("IAM user name").focus()
    page.keyboard.type("bob")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect_heading(page, "Dashboard")
