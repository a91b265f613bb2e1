"""A person of a company comes into the console with a browser: from the company's page to a role."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account
from federation.services.saml_providers import create_saml_provider, set_use
from tests.access.test_saml_sign_in import response_to, trusting
from tests.browser.people import expect_heading
from tests.cast import make_role, root_of
from tests.federation.companies import metadata
from tests.rig.browser import AxeCheck


@pytest.mark.bar(57)
def test_from_the_company_s_page_to_one_of_two_roles(
    page: Page, acme: Account, live_server: LiveServer, axe_check: AxeCheck
) -> None:
    by = root_of(acme)
    provider = create_saml_provider(by=by, name="corp", metadata=metadata())
    set_use(by=by, provider=provider, enabled=True, starts_sign_in=True)
    roles = [make_role(acme, name, trusting(provider)) for name in ("operators", "auditors")]
    response = response_to("", provider, *roles)
    # The company's page: a form that leads here, from another origin.
    page.set_content(
        f'<form method="post" action="{live_server.url}/saml">'
        f'<input type="hidden" name="SAMLResponse" value="{response}"><button>Continue</button></form>'
    )
    page.get_by_role("button").click()
    expect_heading(page, "You are back from your company's sign-in")
    axe_check(page)
    page.get_by_role("button", name="Go on to the console").click()
    expect_heading(page, "Choose a role")
    axe_check(page)
    page.get_by_label("auditors").check()
    page.get_by_role("button", name="Sign in as this role").click()
    expect_heading(page, "Dashboard")
    expect(page.locator(".who")).to_contain_text("auditors / jane@corp.example")
