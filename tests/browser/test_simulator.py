"""The simulator in a browser: from a question to the explanation of one decision."""

from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import Account
from identities.models import User
from tests.browser.people import sign_in_as
from tests.cast import allow
from tests.rig.browser import AxeCheck


def ask(page: Page) -> None:
    page.goto("/simulator/")
    page.get_by_label("Whose policies").fill("bob")
    page.get_by_label("Find an action").press_sequentially("list users")
    page.get_by_role("button", name="iam:ListUsers").click()
    page.get_by_label("Actions").press_sequentially("\niam:DeleteUser")
    page.get_by_role("button", name="Simulate", exact=True).click()


def test_from_a_question_to_an_explanation(
    page: Page, context: BrowserContext, base_url: str, alice: User, bob: User, axe_check: AxeCheck
) -> None:
    allow(bob, "iam:ListUsers", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    sign_in_as(context, base_url, alice)
    ask(page)
    cell = page.get_by_role("button", name="Not allowed: iam:ListUsers on *")
    cell.click()
    expect(page.locator("#cell")).to_contain_text("Would allow it but for its Condition on aws:SourceIp")
    axe_check(page)
    page.get_by_label("aws:SourceIp").fill("192.0.2.7")
    page.get_by_role("button", name="Simulate with these").click()
    page.get_by_role("button", name="Allowed: iam:ListUsers on *", exact=True).click()
    expect(page.locator("#cell")).to_contain_text("Statements that apply")
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_it_works_without_script(new_context: object, base_url: str, alice: User, bob: User, acme: Account) -> None:
    context = new_context(java_script_enabled=False)  # type: ignore[operator] # the fixture of conftest
    sign_in_as(context, base_url, alice)
    page = context.new_page()
    page.goto(f"/simulator/?principal={bob.arn}&actions=iam:GetUser")
    page.get_by_role("button", name="Not allowed: iam:GetUser on *").click()
    expect(page.locator("#cell")).to_contain_text("no policy of the user, its groups or the role allows it")
