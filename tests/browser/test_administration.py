"""An administrator makes a group, a policy and users, clones one, and sees who has what."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from identities.models import Group, Membership, User
from policies.models import ManagedPolicy
from tests.browser.people import expect_heading, sign_in_as, sign_in_by_form
from tests.cast import allow, make_user

DOCUMENT = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}
  ]
}"""


@pytest.fixture
def administrator(context: BrowserContext, base_url: str, alice: User) -> User:
    sign_in_as(context, base_url, alice)
    return alice


def write_document(page: Page, text: str) -> None:
    """The editor if script made one, and the plain field either way."""
    plain = page.get_by_role("button", name="Plain text field")
    if plain.is_visible():
        plain.click()
    page.get_by_label("Document", exact=True).last.fill(text)


def test_a_policy_a_group_and_a_user_who_signs_in(page: Page, administrator: User, new_context: object) -> None:
    page.goto("/policies/create/")
    page.get_by_label("Name", exact=True).fill("SeeUsers")
    write_document(page, DOCUMENT)
    page.get_by_role("button", name="Create policy").click()
    expect_heading(page, "SeeUsers")

    page.goto("/identities/groups/create/")
    page.get_by_label("Group name").fill("Lookers")
    page.get_by_role("button", name=re.compile("^Next")).click()
    page.get_by_label("Search", exact=False).first.fill("SeeUsers")
    # The list may still be on its way.
    expect(page.get_by_role("checkbox")).to_have_count(1)
    page.get_by_role("checkbox", name=re.compile("^SeeUsers")).check()
    page.get_by_role("button", name=re.compile("^Next")).click()
    page.get_by_role("button", name="Next: review").click()
    page.get_by_role("button", name="Create group").click()
    expect_heading(page, "Lookers")

    page.goto("/identities/users/create/")
    page.get_by_label("User name").fill("carol")
    page.get_by_label("Give this user access to the console").check()
    page.get_by_role("button", name=re.compile("^Next")).click()
    page.get_by_role("checkbox", name=re.compile("^Lookers")).check()
    page.get_by_role("button", name=re.compile("^Next")).click()
    page.get_by_role("button", name="Create user").click()
    expect_heading(page, "carol was created")
    password = page.get_by_label("Console password", exact=True).input_value()

    carol = User.objects.select_related("account").get(name="carol")
    theirs: Page = new_context().new_page()  # type: ignore[operator] # a fixture's function
    sign_in_by_form(theirs, carol, password)
    for field in theirs.locator("input[type=password]").all():
        field.fill("umbrella granite waltz 9053")
    theirs.get_by_role("button", name="Change the password and sign in").click()
    theirs.goto("/identities/users/")
    expect(theirs.get_by_role("link", name="alice")).to_be_visible()
    theirs.goto("/policies/")
    expect(theirs.get_by_text("You are not allowed to do this")).to_be_visible()


def test_broken_json_points_at_its_line_and_keeps_what_was_typed(page: Page, administrator: User) -> None:
    page.goto("/policies/create/")
    page.get_by_label("Name", exact=True).fill("Broken")
    write_document(page, DOCUMENT.replace('"Action": "iam:ListUsers",', '"Action": "iam:ListUsers"'))
    page.get_by_role("button", name="Create policy").click()
    expect(page.get_by_role("region", name="Findings about the document")).to_contain_text("4")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Broken")
    assert not ManagedPolicy.objects.filter(name="Broken").exists()


def test_cloning_gives_only_what_stays_ticked(page: Page, administrator: User) -> None:
    source, target = make_user(administrator.account, "dora"), make_user(administrator.account, "emil")
    allow(source, "iam:ListUsers", name="look")
    for slot, name in enumerate(("Readers", "Writers"), start=1):
        group = Group.objects.create(account=source.account, name=name, unique_id=f"AGPA{name}")
        Membership.objects.create(user=source, group=group, slot=slot)
    page.goto("/identities/user/emil/")
    page.get_by_role("link", name="Copy permissions from another user").click()
    page.get_by_role("button", name=re.compile("dora")).or_(
        page.get_by_role("link", name=re.compile("dora"))
    ).first.click()
    page.get_by_label(re.compile("Writers")).uncheck()
    page.get_by_role("button", name=re.compile("^(Copy|Give)")).click()
    page.wait_for_url(re.compile("/identities/user/emil/[a-z]*/?$"))
    assert set(target.memberships.values_list("group__name", flat=True)) == {"Readers"}
    assert target.inline_policies.get().name == "look"


def test_somebody_without_permissions_sees_what_they_may_and_why_not_the_rest(
    page: Page, context: BrowserContext, base_url: str, bob: User
) -> None:
    sign_in_as(context, base_url, bob)
    page.goto("/dashboard/")
    expect_heading(page, "Dashboard")
    page.get_by_role("link", name="Users", exact=True).click()
    expect(page.get_by_text("You are not allowed to do this")).to_be_visible()
    expect(page.get_by_text("iam:ListUsers")).to_be_visible()
    page.goto("/me/access-keys/")
    expect(page.get_by_text("iam:ListAccessKeys")).to_be_visible()


def test_the_list_of_users_is_searched_while_typing(page: Page, administrator: User) -> None:
    for name in ("zora", "zeno"):
        make_user(administrator.account, name, console=False)
    page.goto("/identities/users/")
    page.get_by_label("Search users").fill("zor")
    expect(page.get_by_role("link", name="zeno")).to_have_count(0)
    expect(page.get_by_role("link", name="zora")).to_be_visible()
    expect(page).to_have_url(re.compile("q=zor"))


def test_the_trail_above_a_page_looks_the_same_everywhere(page: Page, administrator: User) -> None:
    """Whether it is a list or a line; only links inside sentences are underlined."""
    for address in ("/me/access-keys/", "/identities/user/alice/update/"):
        page.goto(address)
        link = page.locator(".page-header").get_by_role("link").first
        expect(link).to_have_css("text-decoration-line", "none")
