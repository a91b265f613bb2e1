"""An administrator makes a role for users of the account, and a user switches to it."""

import re

from playwright.sync_api import BrowserContext, Page, expect

from identities.models import Role, User
from tests.browser.people import expect_heading, sign_in_as
from tests.rig.browser import AxeCheck


def test_a_role_is_made_for_users_and_one_switches_to_it(
    page: Page, context: BrowserContext, base_url: str, alice: User, bob: User, axe_check: AxeCheck, new_context: object
) -> None:
    sign_in_as(context, base_url, alice)
    page.goto("/identities/roles/")
    page.get_by_role("link", name="Create role").click()
    axe_check(page)
    page.get_by_role("link", name="Choose A user of this account").click()
    page.get_by_role("checkbox", name=re.compile("^bob")).check()
    axe_check(page)
    page.get_by_role("button", name="Next: trust policy").click()
    expect(page.get_by_role("region", name="Findings about the document")).to_contain_text("No findings")
    axe_check(page)
    page.get_by_role("button", name="Next: permissions").click()
    page.get_by_label("Search", exact=True).fill("IAMReadOnly")
    # The list may still be on its way.
    expect(page.get_by_role("checkbox")).to_have_count(1)
    page.get_by_role("checkbox", name=re.compile("^IAMReadOnlyAccess")).check()
    axe_check(page)
    page.get_by_role("button", name="Next: name and limits").click()
    page.get_by_label("Role name").fill("Auditor")
    page.get_by_label("Description").fill("Annotations at everybody's permissions")
    axe_check(page)
    page.get_by_role("button", name="Next: review").click()
    axe_check(page)
    page.get_by_role("button", name="Create role").click()
    expect_heading(page, "How to use Auditor")
    axe_check(page)
    assert Role.objects.get(name="Auditor").attachments.get().policy.name == "IAMReadOnlyAccess"
    link = page.get_by_role("link", name=re.compile("switchrole")).get_attribute("href") or ""

    page.get_by_role("link", name="Who can assume it").click()
    expect(page.get_by_role("listitem").filter(has_text="User bob")).to_contain_text("Can assume it")

    theirs: BrowserContext = new_context()  # type: ignore[operator] # a fixture's function
    sign_in_as(theirs, base_url, bob)
    bobs = theirs.new_page()
    bobs.goto("/identities/users/")
    expect(bobs.get_by_text("You are not allowed to do this")).to_be_visible()
    bobs.goto(link)
    bobs.get_by_role("button", name="Switch role").click()
    bobs.goto("/identities/users/")
    expect(bobs.get_by_role("link", name="alice")).to_be_visible()
