"""Why: one's own refusals, those of others, and what neither may tell."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from audit.models import Event
from audit.services import record
from identities.models import User, UserInlinePolicy, UserTag
from tests.cast import allow, browser_of, make_user, principal_of

USERS = reverse("identities:list-users")


def denied_event(user: User, path: str = USERS) -> Event:
    assert browser_of(user).get(path).status_code == 403
    event = Event.objects.filter(outcome="Denied", principal_id=user.unique_id).last()
    assert event is not None
    return event


def why(reader: User, event: Event) -> Any:
    return browser_of(reader).get(reverse("access:why", args=[event.event_id]))


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def only_with_mfa(user: User) -> None:
    allow(user, "iam:ListUsers", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})


def test_a_refusal_links_to_its_explanation(bob: User) -> None:
    page = browser_of(bob).get(USERS)
    event = Event.objects.get(outcome="Denied")
    assert reverse("access:why", args=[event.event_id]) in page.content.decode()
    assert why(bob, event).status_code == 200


def test_it_names_what_nearly_allowed_it_and_what_to_do(bob: User) -> None:
    only_with_mfa(bob)
    allow(bob, "iam:GetUserPolicy", name="read")
    text = text_of(why(bob, denied_event(bob)))
    assert "Would allow it" in text and "aws:MultiFactorAuthPresent" in text
    assert "Sign in with a second factor" in text
    assert "&quot;iam:ListUsers&quot;" in text


@pytest.mark.bar(68)
def test_it_quotes_no_policy_that_the_reader_may_not_read(bob: User) -> None:
    only_with_mfa(bob)
    text = text_of(why(bob, denied_event(bob)))
    assert "1 more statement in policies that you may not read" in text
    assert "Would allow it" not in text and "second factor" not in text


def test_it_names_the_statement_that_denied(bob: User) -> None:
    deny = {"Sid": "Never", "Effect": "Deny", "Action": "iam:List*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]}, indent=2)
    UserInlinePolicy.objects.create(user=bob, name="no", document=document)
    allow(bob, ["iam:ListUsers", "iam:GetUserPolicy"])
    text = text_of(why(bob, denied_event(bob)))
    assert "Statement 1 “Never”" in text and "lines 4–9" in text and "decided" in text


def test_the_text_is_the_one_that_decided_or_none(bob: User) -> None:
    only_with_mfa(bob)
    allow(bob, "iam:GetUserPolicy", name="read")
    event = denied_event(bob)
    allow(bob, "iam:ListGroups")
    text = text_of(why(bob, event))
    assert "The text of that time is not kept any more" in text and "iam:ListGroups" not in text


@pytest.mark.bar(61, 127)
def test_decisions_of_others_need_a_permission_of_their_own(bob: User, mallory: User) -> None:
    carol = make_user(bob.account, "carol")
    event = denied_event(carol)
    assert why(bob, event).status_code == 403
    assert why(mallory, event).status_code == 404
    allow(bob, "iamconsole:ExplainDecision", carol.arn)
    assert why(bob, event).status_code == 200


@pytest.mark.bar(127)
def test_a_stranger_to_the_event_is_not_told_whether_there_is_one(bob: User) -> None:
    event = denied_event(make_user(bob.account, "carol"))
    there, nowhere = why(bob, event), browser_of(bob).get(reverse("access:why", args=[uuid4()]))
    told = [Event.objects.filter(action="iamconsole:ExplainDecision").values_list("resource", flat=True)]
    assert there.status_code == nowhere.status_code == 403
    assert set(told[0]) == {"*"}


@pytest.mark.bar(127)
@pytest.mark.parametrize("exists", [True, False])
def test_it_tells_nothing_of_a_resource_that_the_reader_may_not_see(bob: User, exists: bool) -> None:
    tagged = {"StringEquals": {"aws:ResourceTag/team": "red", "aws:RequestedRegion": "moon"}}
    allow(bob, "iam:GetUser", "arn:aws:iam::*:user/deep/*", Condition=tagged)
    allow(bob, "iam:GetUserPolicy", name="read")
    if exists:
        carol = make_user(bob.account, "carol")
        User.objects.filter(pk=carol.pk).update(path="/deep/")
        UserTag.objects.create(user=carol, key="team", value="red")
    text = text_of(why(bob, denied_event(bob, reverse("identities:get-user", args=["carol"]))))
    assert "user/carol" in text and "user/deep/carol" not in text
    assert "but for its <strong>Resource</strong>" in text and "ResourceTag" not in text.split("quoted")[0]


def test_who_may_see_the_resource_is_told_what_was_found(alice: User, bob: User) -> None:
    carol = make_user(bob.account, "carol")
    UserTag.objects.create(user=carol, key="team", value="red")
    allow(bob, "iam:GetUser", Condition={"StringEquals": {"aws:ResourceTag/team": "blue"}})
    event = denied_event(bob, reverse("identities:get-user", args=["carol"]))
    text = text_of(why(alice, event))
    assert "aws:ResourceTag/team" in text and "<code>red</code>" in text and "<code>blue</code>" in text


def test_a_change_names_the_statement_that_allowed_it(alice: User) -> None:
    browser_of(alice).post(reverse("identities:create-group"), {"name": "Lookers", "go": "create"})
    browser_of(alice).post("/account/alias/", {"alias": "rockets"})
    event = Event.objects.filter(action="iam:CreateAccountAlias").last() or record(principal_of(alice), "none")
    assert event.explanation["outcome"] == "Allowed"
    assert event.explanation["policies"][0]["source"] == "arn:aws:iam::aws:policy/AdministratorAccess"
    assert "What allowed iam:CreateAccountAlias" in text_of(why(alice, event))


def test_what_the_command_line_did_has_no_explanation(alice: User) -> None:
    event = record(principal_of(alice), "iam:CreateGroup", "x")
    assert event.explanation == {}
    assert why(alice, event).status_code == 404


def test_a_refused_part_of_a_page_is_explained_too(bob: User) -> None:
    page = browser_of(bob).get(reverse("access:my-credentials")).content.decode()
    address = page.split(f'href="{reverse("access:why-refused")}?ask=')[1].split('"')[0]
    explained = browser_of(bob).get(reverse("access:why-refused"), {"ask": address})
    assert "iam:ChangePassword" in text_of(explained)


@pytest.mark.bar(68)
@pytest.mark.parametrize("change", [lambda token: token[:-3] + "AAA", lambda token: "", lambda token: "²"])
def test_a_question_is_good_for_whoever_was_refused_only(bob: User, alice: User, change: Any) -> None:
    page = browser_of(bob).get(reverse("access:my-credentials")).content.decode()
    token = page.split("?ask=")[1].split('"')[0]
    address = reverse("access:why-refused")
    assert browser_of(alice).get(address, {"ask": token}).status_code == 404
    assert browser_of(bob).get(address, {"ask": change(token)}).status_code == 404


@pytest.mark.bar(122)
def test_external_ids_are_not_kept(bob: User) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "between-us-two"}}
    allow(bob, "iam:ListUsers", Condition=condition)
    assert "between-us-two" not in json.dumps(denied_event(bob).explanation)
