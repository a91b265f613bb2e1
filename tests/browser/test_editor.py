"""The document editor in a browser: markers while typing, inserted actions, the visual view."""

import json
import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from identities.models import User
from policies.models import ManagedPolicy
from tests.browser.people import sign_in_as
from tests.rig.browser import AxeCheck


@pytest.fixture
def editor(page: Page, context: BrowserContext, base_url: str, alice: User) -> Page:
    sign_in_as(context, base_url, alice)
    page.goto("/policies/create/")
    return page


def write(page: Page, text: str) -> None:
    page.locator(".ace_text-input").focus()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def test_findings_appear_while_typing_as_markers_and_as_a_list(editor: Page) -> None:
    write(
        editor,
        '{"Version": "2012-10-17",\n "Statement": [{"Effect": "Allow", "Action": "iam:GetUserr", "Resource": "*"}]}',
    )
    expect(editor.locator("#findings [data-severity]").first).to_contain_text("GetUserr")
    expect(editor.locator(".ace_gutter-cell.ace_warning, .ace_gutter-cell.ace_error").first).to_be_visible()
    expect(editor.locator(".document-size")).to_contain_text("of 6144 characters")


def test_an_action_that_was_found_is_inserted_at_the_cursor(editor: Page) -> None:
    write(editor, '{"Statement": [{"Effect": "Allow", "Action": ["iam:GetUser"')
    editor.get_by_text("Find an action and insert it").click()
    editor.get_by_label("Find an action").press_sequentially("delete user")
    editor.get_by_role("button", name="iam:DeleteUser", exact=True).click()
    expect(editor.locator("#id_document")).to_have_value(re.compile(r'\["iam:GetUser", "iam:DeleteUser"$'))


def test_the_visual_view_and_the_text_are_one_document(editor: Page, axe_check: AxeCheck) -> None:
    editor.get_by_label("Name").fill("Look")
    editor.get_by_role("button", name="Visual editor").click()
    editor.get_by_text("Read", exact=False).locator("xpath=ancestor-or-self::summary").first.click()
    editor.get_by_label("GetGroup", exact=True).check()
    axe_check(editor)
    editor.set_viewport_size({"width": 400, "height": 800})
    assert editor.evaluate("document.documentElement.scrollWidth") <= 400
    editor.set_viewport_size({"width": 1280, "height": 900})
    editor.get_by_role("button", name="JSON", exact=True).click()
    expect(editor.locator(".ace_content")).to_contain_text("iam:GetGroup")
    expect(editor.get_by_label("Name")).to_have_value("Look")
    editor.get_by_role("button", name="Create policy").click()
    editor.wait_for_url("**/policy/own/Look/")
    saved = json.loads(ManagedPolicy.objects.get(name="Look").versions.get().document)
    assert saved["Statement"][0]["Action"] == ["iam:GetUser", "iam:GetGroup"]


def test_enter_in_a_field_saves_and_does_not_go_over_to_the_other_view(editor: Page) -> None:
    editor.get_by_label("Name").fill("Look")
    editor.get_by_label("Name").press("Enter")
    editor.wait_for_url("**/policy/own/Look/")


def test_it_works_without_script(new_context: object, base_url: str, alice: User) -> None:
    context = new_context(java_script_enabled=False)  # type: ignore[operator] # the fixture of conftest
    sign_in_as(context, base_url, alice)
    page = context.new_page()
    page.goto("/policies/create/")
    page.get_by_label("Name").fill("Look")
    page.get_by_role("button", name="Visual editor").click()
    page.get_by_label("ARNs, one per line").fill("arn:aws:iam::*:user/a/*")
    page.get_by_role("button", name="Create policy").click()
    page.wait_for_url("**/policy/own/Look/")
    assert "user/a/*" in ManagedPolicy.objects.get(name="Look").versions.get().document
