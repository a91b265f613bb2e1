"""A person comes into the console through an OpenID Connect provider: from the account's sign-in page to a role."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account
from federation.oidc_client import redirect_uri
from identities.models import User
from tests.access.test_oidc_sign_in import known, trusting
from tests.browser.people import expect_heading, sign_in_as
from tests.cast import make_role
from tests.federation.issuers import CodeFlow, Issuer
from tests.rig.browser import AxeCheck, watch


@pytest.fixture
def traveller(browser: Browser, live_server: LiveServer, issuer: Issuer, settings: Any) -> Iterator[Page]:
    """A browser that may go to the issuer and nowhere else, and is watched like any other."""
    settings.SITE_URL = live_server.url
    CodeFlow(issuer)
    context = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
    complaints = watch(context, live_server.url)
    yield context.new_page()
    context.close()
    left = f"request to another place: {issuer.url}/authorize?"
    assert [line for line in complaints if not line.startswith(left)] == []
    assert any(line.startswith(left) for line in complaints)


@pytest.mark.bar(57, 111)
def test_from_the_sign_in_page_to_one_of_two_roles(
    traveller: Page,
    acme: Account,
    issuer: Issuer,
    axe_check: AxeCheck,
) -> None:
    provider = known(acme, issuer.url, listed=True)
    for name in ("operators", "auditors"):
        make_role(acme, name, trusting(provider))
    traveller.goto("/signin/acme/")
    axe_check(traveller)
    traveller.get_by_role("button", name=f"Sign in with {issuer.name}").click()
    expect_heading(traveller, "Choose a role")
    axe_check(traveller)
    traveller.get_by_label("auditors").check()
    traveller.get_by_role("button", name="Sign in as this role").click()
    expect_heading(traveller, "Dashboard")
    expect(traveller.locator(".who")).to_contain_text("auditors / jane")


def test_from_the_start_page_to_a_plain_refusal(
    traveller: Page,
    acme: Account,
    issuer: Issuer,
    axe_check: AxeCheck,
) -> None:
    provider = known(acme, issuer.url)
    traveller.goto(provider.start_path)
    expect_heading(traveller, "Sign in to the console")
    axe_check(traveller)
    traveller.get_by_role("button", name="Go on to sign in").click()
    expect_heading(traveller, "You are not signed in")
    axe_check(traveller)


def test_an_administrator_sets_it_up(
    page: Page,
    context: BrowserContext,
    base_url: str,
    alice: User,
    issuer: Issuer,
    axe_check: AxeCheck,
) -> None:
    provider = known(alice.account, issuer.url)
    sign_in_as(context, base_url, alice)
    page.goto(f"/identity-providers/oidc/at/{provider.url}")
    expect(page.get_by_text(redirect_uri(provider))).to_be_visible()
    page.get_by_text("Change console sign-in").click()
    axe_check(page)
    page.get_by_label("Offer it on the account's sign-in page").check()
    page.get_by_role("button", name="Save the console sign-in").click()
    expect(page.get_by_text("People of this provider can now sign in to the console.")).to_be_visible()
