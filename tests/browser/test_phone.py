"""On a phone, also without script: one bar with the navigation and the account behind its two buttons."""

import pytest
from playwright.sync_api import Browser, expect

from identities.models import User
from tests.browser.people import expect_heading, sign_in_as

pytestmark = [pytest.mark.sqlite, pytest.mark.bar(57)]


def test_navigation_and_account_open_by_keyboard_without_script(browser: Browser, base_url: str, alice: User) -> None:
    context = browser.new_context(base_url=base_url, viewport={"width": 400, "height": 800}, java_script_enabled=False)
    sign_in_as(context, base_url, alice)
    page = context.new_page()
    page.goto("/identities/users/")
    bar, banner = page.get_by_role("complementary").bounding_box(), page.get_by_role("banner").bounding_box()
    assert bar and banner and bar["height"] <= 56 and (banner["y"], banner["height"]) == (bar["y"], bar["height"])
    navigation, sign_out = page.get_by_role("navigation", name="Main"), page.get_by_role("button", name="Sign out")
    expect(navigation).to_be_hidden()
    page.get_by_role("button", name="Navigation").press("Enter")
    expect(navigation).to_be_visible()
    page.keyboard.press("Escape")
    expect(navigation).to_be_hidden()
    page.get_by_role("button", name="Navigation").press("Enter")
    navigation.get_by_role("link", name="Audit trail").press("Enter")
    expect_heading(page, "Audit trail")
    expect(sign_out).to_be_hidden()
    page.get_by_role("button", name="Account: alice").press("Enter")
    sign_out.press("Enter")
    expect(page.get_by_label("Account id or alias")).to_be_visible()
    context.close()
