"""A laptop is stolen: an administrator locks its owner down, looks at the user, and lifts it when it was found."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from identities.models import User
from tests.api.conftest import key_of
from tests.browser.people import expect_heading, sign_in_as
from tests.browser.test_every_page import look_at
from tests.cast import browser_of
from tests.rig.browser import AxeCheck

pytestmark = [pytest.mark.sqlite, pytest.mark.bar(57, 139)]


def test_locked_down_and_lifted(
    page: Page, context: BrowserContext, base_url: str, alice: User, bob: User, axe_check: AxeCheck
) -> None:
    key, browser = key_of(bob), browser_of(bob)
    sign_in_as(context, base_url, alice)
    page.goto("/identities/user/bob/")
    page.get_by_role("link", name="Lock down").click()
    expect(page.get_by_text(key.pk)).to_be_visible()
    page.get_by_label("Reason").fill("Laptop stolen on the train from Leeds")
    page.get_by_label("Type bob to confirm").fill("bob")
    page.get_by_role("button", name="Lock the user down").click()
    expect_heading(page, "bob")
    expect(page.get_by_text("Laptop stolen on the train from Leeds")).to_be_visible()
    assert browser.get("/dashboard/").status_code == 302
    for path in ("/identities/user/bob/", "/identities/user/bob/permissions/", "/identities/users/"):
        look_at(page, path, axe_check)
    look_at(page, "/user/bob/lift-lockdown/", axe_check)
    page.get_by_label(key.pk).check()
    page.get_by_role("button", name="Lift the lockdown").click()
    expect(page.get_by_text("The lockdown of bob is lifted.")).to_be_visible()
    key.refresh_from_db()
    assert key.is_active
