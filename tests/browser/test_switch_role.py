"""A person takes on a role for a task, sees who they are, and comes back."""

import json

import pytest
from playwright.sync_api import Page, expect

from identities.models import User
from identities.services.roles import create_role
from tests.browser.people import expect_heading, sign_in_as
from tests.cast import principal_of
from tests.rig.browser import AxeCheck


@pytest.mark.bar(57)
def test_switch_to_a_role_and_back(page: Page, base_url: str, alice: User, bob: User, axe_check: AxeCheck) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": bob.arn}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    create_role(by=principal_of(alice), name="Deploy", path="/ops/", trust=trust)
    sign_in_as(page.context, base_url, bob)
    page.goto("/switchrole?account=acme&roleName=ops/Deploy&displayName=Deploying&color=b5301c")
    page.get_by_role("button", name="Switch role").click()
    expect_heading(page, "Dashboard")
    expect(page.locator(".topbar")).to_contain_text("Deploying")
    expect(page.locator(".time-left")).to_have_text("60 min left")
    axe_check(page)
    page.get_by_role("button", name="Back to bob").click()
    expect(page.locator(".topbar")).to_contain_text("IAM user")
    page.get_by_role("banner").get_by_role("link", name="Switch role").click()
    axe_check(page)
    page.get_by_role("button", name="Switch to Deploying in acme").click()
    expect(page.locator(".topbar")).to_contain_text("Deploying")


def test_temporary_credentials_for_a_program(
    page: Page, base_url: str, alice: User, bob: User, axe_check: AxeCheck
) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": bob.arn}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    create_role(by=principal_of(alice), name="Deploy", trust=trust)
    sign_in_as(page.context, base_url, bob)
    page.goto("/temporary-credentials/")
    page.get_by_label("Role name").fill("Deploy")
    page.get_by_role("button", name="Get credentials").click()
    expect(page.get_by_role("textbox", name="Environment variables")).to_contain_text("AWS_SESSION_TOKEN")
    axe_check(page)
