"""Rotating one's own access key, step by step, and why there is no third one."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from identities.models import AccessKey, User
from tests.browser.people import sign_in_as
from tests.cast import allow

OWN = "arn:aws:iam::*:user/${aws:username}"
ACTIONS = [
    "iam:ListAccessKeys",
    "iam:CreateAccessKey",
    "iam:UpdateAccessKey",
    "iam:DeleteAccessKey",
    "iam:GetAccessKeyLastUsed",
]


@pytest.fixture
def rotator(context: BrowserContext, base_url: str, bob: User) -> User:
    allow(bob, ACTIONS, OWN)
    sign_in_as(context, base_url, bob)
    return bob


def make_key(page: Page) -> tuple[str, str]:
    page.get_by_role("button", name="Create access key").click()
    secret = page.get_by_label("Secret access key", exact=True)
    return page.get_by_label("Access key id", exact=True).input_value(), secret.input_value()


def test_a_key_is_rotated_left_and_resumed(page: Page, rotator: User) -> None:
    page.goto("/me/access-keys/create/")
    old, _ = make_key(page)
    page.goto("/me/access-keys/rotate/")
    page.get_by_role("link", name="Make the second key").click()
    new, secret = make_key(page)
    assert len(secret) == 40

    page.goto("/dashboard/")
    page.goto("/me/access-keys/rotate/")
    page.get_by_role("button", name="Deactivate the old key").click()
    page.get_by_role("button", name="Undo: activate the old key").click()
    page.get_by_role("button", name="Deactivate the old key").click()
    page.get_by_role("link", name="Delete the old key").click()
    page.get_by_label(f"Type {old}").or_(page.locator("[data-confirm-text]")).first.fill(old)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text(new).first).to_be_visible()
    assert list(AccessKey.objects.values_list("access_key_id", "status")) == [(new, "Active")]


def test_the_secret_is_shown_once(page: Page, rotator: User) -> None:
    page.goto("/me/access-keys/create/")
    _, secret = make_key(page)
    page.goto("/me/access-keys/")
    assert secret not in page.content()
    page.goto("/me/access-keys/rotate/")
    assert secret not in page.content()


@pytest.mark.bar(84)
def test_a_third_key_is_refused_with_the_way_out(page: Page, rotator: User) -> None:
    for _ in range(2):
        page.goto("/me/access-keys/create/")
        make_key(page)
    page.goto("/me/access-keys/create/")
    expect(page.get_by_text("There can't be a third access key.")).to_be_visible()
    expect(page.get_by_role("link", name="Go on with the rotation")).to_be_visible()


@pytest.mark.bar(84)
def test_two_browsers_cannot_make_a_third_key(page: Page, context: BrowserContext, rotator: User) -> None:
    page.goto("/me/access-keys/create/")
    make_key(page)
    other = context.new_page()
    for tab in (page, other):
        tab.goto("/me/access-keys/create/")
    make_key(page)
    other.get_by_role("button", name="Create access key").click()
    expect(other.get_by_role("alert").first).to_be_visible()
    assert AccessKey.objects.count() == 2
