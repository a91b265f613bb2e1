"""The editor's visual view on the pages that have a document to write."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from identities.models import User, UserInlinePolicy
from policies.engine.conditions import parse_operator
from policies.models import ManagedPolicy
from policies.services import create_policy
from policies.visual_panels import OFFERED
from tests.cast import allow, browser_of, principal_of

CREATE = reverse("policies:create-policy")
DOCUMENT = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "See", "Effect": "Allow", "Action": ["iam:getuser", "iam:List*"], "Resource": "*"},
        ],
    },
    indent=2,
)
# What the browser sends of that document when nobody changed a field.
FIELDS: dict[str, Any] = {
    "visual": "1",
    "document": DOCUMENT,
    "v-0-effect": "Allow",
    "v-0-sid": "See",
    "v-0-action-mode": "Action",
    "v-0-action": ["iam:getuser"],
    "v-0-other": "iam:List*",
    "v-0-services": "iam",
    "v-0-resource-mode": "Resource",
    "v-0-resource": "*",
    "v-0-conditions": "1",
}


def allowing(actions: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": "*"}


def switched(browser: Client, **data: Any) -> Any:
    return browser.post(CREATE, {"name": "look", "description": "", "path": "/", **data})


def choices(panel: Any) -> dict[str, Any]:
    return {choice.name: choice for service in panel.services for level in service.levels for choice in level.choices}


def test_going_over_to_the_visual_view_keeps_what_was_typed_and_saves_nothing(alice: User) -> None:
    page = switched(browser_of(alice), document=DOCUMENT, editor="visual")
    panel = page.context["editor"].panels[0]
    found = choices(panel)
    assert found["GetUser"].checked and found["GetUser"].value == "iam:getuser"
    assert found["ListUsers"].covered and not found["ListUsers"].checked
    assert not found["DeleteUser"].checked and not found["DeleteUser"].covered
    assert panel.other == "iam:List*"
    assert 'value="look"' in page.content.decode()
    assert not ManagedPolicy.objects.filter(account=alice.account).exists()


@pytest.mark.parametrize("operator", ["StringLike", "ForAnyValue:StringLike", "NumericEqualsIfExists", "Strange"])
def test_the_operator_of_a_condition_is_the_one_that_is_chosen(alice: User, operator: str) -> None:
    """Also one that is not offered: the page must not change it by being shown."""
    document = DOCUMENT.replace(
        '"Resource"', f'"Condition": {{"{operator}": {{"aws:PrincipalTag/a": "1"}}}}, "Resource"'
    )
    page = switched(browser_of(alice), document=document, editor="visual").text
    assert f"<option selected>{operator}</option>" in page


def test_every_operator_that_is_offered_is_one() -> None:
    assert all(parse_operator(name) for name in OFFERED)


def test_and_back_to_the_text_gives_the_text(alice: User) -> None:
    page = switched(browser_of(alice), **FIELDS, editor="text")
    assert page.context["editor"].panels is None
    assert page.context["editor"].text == DOCUMENT


def test_a_policy_is_saved_from_the_visual_view(alice: User) -> None:
    fields = FIELDS | {"v-0-action": ["iam:getuser", "iam:DeleteUser"], "v-0-resource": "arn:aws:iam::*:user/a/*"}
    assert switched(browser_of(alice), **fields).status_code == 302
    saved = json.loads(ManagedPolicy.objects.get(name="look").versions.get().document)["Statement"]
    assert saved[0]["Action"] == ["iam:getuser", "iam:List*", "iam:DeleteUser"]
    assert saved[0]["Resource"] == "arn:aws:iam::*:user/a/*"


def test_a_refused_save_stays_in_the_visual_view_with_its_findings(alice: User) -> None:
    page = switched(browser_of(alice), **FIELDS | {"v-0-resource": "bucket"})
    shown = page.context["editor"]
    assert shown.panels[0].resources == "bucket"
    assert [finding.code for finding in shown.findings if finding.severity == "error"] == ["RESOURCE_NOT_ARN"]


def test_another_services_actions_are_shown_when_asked_for(alice: User) -> None:
    page = switched(browser_of(alice), **FIELDS | {"v-0-service": "sqs", "editor": "visual"})
    assert [service.prefix for service in page.context["editor"].panels[0].services] == ["iam", "sqs"]


def test_every_service_that_is_named_is_shown(alice: User) -> None:
    prefixes = ["iam", "sqs", "sns", "kms", "logs", "ecr", "sts", "ses", "s3"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowing([f"{each}:*" for each in prefixes])]})
    page = switched(browser_of(alice), document=document, editor="visual")
    services = page.context["editor"].panels[0].services
    assert [service.prefix for service in services] == prefixes
    assert all(service.is_whole for service in services)


def test_a_page_stays_light_and_loses_nothing(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policies.visual_panels.MOST_CHOICES", 200)
    named = ["sqs:SendMessage", "ec2:RunInstances", "sns:Publish"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowing(named), allowing(["iam:GetUser"])]})
    page = switched(browser_of(alice), document=document, editor="visual")
    first, second = page.context["editor"].panels
    assert [(each.prefix, each.is_whole) for each in first.services] == [("sqs", True), ("ec2", False), ("sns", True)]
    assert [choice.value for choice in choices(first).values() if choice.checked] == [*named]
    assert list(choices(second)) == ["GetUser"]
    assert "Only the actions that are named" in page.content.decode()


def test_it_offers_the_condition_keys_of_the_chosen_actions(alice: User) -> None:
    statements = [allowing(["s3:ListBucket"]), allowing(["iam:PassRole", "sqs:*"]), {"NotAction": "ec2:*"}]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    page = switched(browser_of(alice), document=document, editor="visual")
    offered = [{key.name: key.hint for key in panel.keys} for panel in page.context["editor"].panels]
    assert offered[0]["s3:prefix"] == "String" and "iam:PassedToService" not in offered[0]
    assert "iam:PassedToService" in offered[1] and "s3:prefix" not in offered[1]
    assert offered[1]["aws:ResourceTag/"] == "String" and offered[1]["aws:TagKeys"] == "String, several values"
    assert offered[2]["aws:SourceIp"] == "IPAddress" and all(name.startswith("aws:") for name in offered[2])
    content = page.content.decode()
    assert '<datalist id="v-0-keys"><option value=' in content and 'list="v-0-keys"' in content


def test_a_statement_is_added(alice: User) -> None:
    page = switched(browser_of(alice), **FIELDS | {"editor": "add"})
    assert len(page.context["editor"].panels) == 2


def test_a_text_that_cannot_be_read_stays_a_text(alice: User) -> None:
    page = switched(browser_of(alice), document="{", editor="visual")
    assert "The visual editor needs a document that can be read" in page.content.decode()
    assert page.context["editor"].text == "{"


def test_findings_are_about_the_document_that_the_fields_make(alice: User) -> None:
    data = FIELDS | {"v-0-resource": "bucket", "limit": "6144", "used": "0"}
    text = browser_of(alice).post(reverse("policies:validate-policy"), data).content.decode()
    assert "is neither an ARN" in text


def test_a_new_version_and_an_inline_policy_have_it_too(alice: User, bob: User) -> None:
    policy = create_policy(by=principal_of(alice), name="look", document=DOCUMENT)
    version = reverse("policies:create-policy-version", args=["own", "look"])
    data = FIELDS | {"v-0-sid": "Look", "newest_seen": "1", "set_as_default": "on"}
    assert browser_of(alice).post(version, {**data, "editor": "visual"}).context["editor"].panels
    assert browser_of(alice).post(version, data).status_code == 302
    assert '"Sid": "Look"' in policy.versions.get(number=2).document

    allow(bob, "iam:GetUser", name="mine")
    inline = _inline_page()
    digest = UserInlinePolicy.objects.get(name="mine").digest
    fields = FIELDS | {"v-0-action": ["iam:getuser", "iam:GetGroup"], "digest_seen": digest}
    assert browser_of(alice).post(inline, fields).status_code == 302
    assert "iam:GetGroup" in UserInlinePolicy.objects.get(name="mine").document


def _inline_page() -> str:
    return reverse("identities:put-user-policy-change", kwargs={"user_name": "bob", "policy_name": "mine"})


@pytest.mark.bar(50)
def test_what_a_document_holds_is_text_in_its_fields(alice: User) -> None:
    document = DOCUMENT.replace("See", "<script>alert(1)</script>").replace("iam:List*", "</textarea><img src=x>")
    page = switched(browser_of(alice), document=document, editor="visual").content.decode()
    assert "<script>alert(1)" not in page and "</textarea><img" not in page
