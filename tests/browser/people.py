"""What the journeys do over and over: opening the console as somebody."""

from playwright.sync_api import BrowserContext, Page, expect

from access import cookies
from accounts.models import Account
from identities.models import User
from tests.cast import PASSWORD, browser_of


def sign_in_as(context: BrowserContext, base_url: str, who: User | Account) -> None:
    """A browser in which somebody has just signed in, without the sign-in pages."""
    name = cookies.name(cookies.SESSION)
    token = browser_of(who).cookies[name].value
    context.add_cookies([{"name": name, "value": token, "url": base_url, "httpOnly": True, "sameSite": "Lax"}])


def sign_in_by_form(page: Page, user: User, password: str = PASSWORD) -> None:
    page.goto(f"/signin/{user.account.alias}/")
    page.get_by_label("IAM user name").fill(user.name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def expect_heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)
