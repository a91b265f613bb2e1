import re
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import TextField
from django.db.models.functions import Cast
from django.urls import reverse

from accounts.models import Account
from audit.models import Event, Outcome
from audit.principal import Origin, Principal
from audit.services import record
from identities.models import User
from tests.cast import allow, browser_of, principal_of

PAGE = reverse("audit:lookup-events")


@pytest.mark.bar(121)
def test_it_lists_newest_first_with_who_what_and_where(alice: User) -> None:
    record(principal_of(alice), "iam:CreateGroup", "arn:aws:iam::111122223333:group/first")
    record(principal_of(alice), "iam:CreateGroup", "arn:aws:iam::111122223333:group/second")
    text = browser_of(alice).get(PAGE).content.decode()
    assert text.index("group/second") < text.index("group/first")
    assert "192.0.2.10" in text


def test_it_requires_permission(bob: User) -> None:
    assert browser_of(bob).get(PAGE).status_code == 403
    allow(bob, "cloudtrail:LookupEvents")
    assert browser_of(bob).get(PAGE).status_code == 200


@pytest.mark.bar(61)
def test_it_hides_other_accounts(alice: User, mallory: User) -> None:
    event = record(principal_of(mallory), "iam:CreateGroup", "arn:aws:iam::444455556666:group/theirs")
    browser = browser_of(alice)
    assert "group/theirs" not in browser.get(PAGE).content.decode()
    theirs = browser.get(reverse("audit:lookup-events-entry", args=[event.event_id]))
    missing = browser.get(reverse("audit:lookup-events-entry", args=[uuid4()]))
    assert theirs.status_code == missing.status_code == 404


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"person": "ALICE"}, {"alice-did"}),
        ({"action": "iam:create"}, {"alice-did", "bob-did"}),
        ({"outcome": "Failure"}, {"bob-did"}),
        ({"since": "2100-01-01"}, set()),
        ({"since": "not a date"}, set()),
    ],
)
def test_it_filters(alice: User, bob: User, query: dict[str, str], shown: set[str]) -> None:
    record(principal_of(alice), "iam:CreateUser", "alice-did")
    record(principal_of(bob), "iam:CreateUser", "bob-did", outcome=Outcome.FAILURE)
    text = browser_of(alice).get(PAGE, query).content.decode()
    assert {name for name in ("alice-did", "bob-did") if name in text} == shown


def test_a_person_is_found_in_the_sessions_of_roles_that_they_took_on(alice: User, bob: User, mallory: User) -> None:
    """Those may be called anything, as by a program; the user may be gone."""
    record(principal_of(bob), "sts:AssumeRole", "took-it-on")
    session = Principal(bob.account_id, "role-session", "arn", "AROA:nightly", "nightly")
    record(replace(session, begun_by=bob.unique_id), "iam:CreateUser", "by-bob")
    record(replace(session, begun_by=mallory.unique_id), "iam:CreateUser", "by-mallory")
    record(replace(session, source_identity="Bob"), "iam:CreateUser", "for-bob")
    bob.delete()
    text = browser_of(alice).get(PAGE, {"person": "bob"}).text
    assert [name for name in ("took-it-on", "by-bob", "by-mallory", "for-bob") if name in text] == [
        "took-it-on",
        "by-bob",
        "for-bob",
    ]


def test_it_pages_back_to_the_oldest(alice: User, acme: Account) -> None:
    for number in range(60):
        record(principal_of(alice), "iam:CreateGroup", f"group-{number:02d}.")
    browser = browser_of(alice)
    first = browser.get(PAGE)
    older = browser.get(PAGE, {"before": first.context["older"]}).content.decode()
    assert "group-59." in first.content.decode() and "group-59." not in older
    assert "group-00." in older


def test_it_answers_htmx_with_the_rows_only(alice: User) -> None:
    reply = browser_of(alice).get(PAGE, headers={"HX-Request": "true"})
    assert "<html" not in reply.content.decode()


@pytest.mark.bar(124)
def test_a_record_is_one_printable_line(alice: User) -> None:
    """As it is stored: of people from outside somebody else says what they are called."""
    said = "x\r\n2026-01-01 root iam:DeleteUser \x1b[2J"
    by = replace(principal_of(alice), name=said, unique_id=said, origin=Origin(user_agent=said))
    record(by, "iam:CreateUser", said, asked={said: [said]})
    (row,) = Event.objects.filter(action="iam:CreateUser").annotate(stored=Cast("detail", TextField())).values()
    texts = [text for text in row.values() if isinstance(text, str)]
    assert sum("iam:DeleteUser" in text for text in texts) == 5
    assert not [text for text in texts if not text.isprintable()]


@pytest.mark.bar(122)
@pytest.mark.parametrize("key", ["password", "new_secret", "seed", "session_token", "mfa_code"])
def test_a_record_refuses_what_looks_like_a_secret(alice: User, key: str) -> None:
    detail: dict[str, Any] = {key: "hunter2"}
    with pytest.raises(ValueError, match="looks like a secret"):
        record(principal_of(alice), "iam:CreateAccessKey", "x", **detail)
    assert not Event.objects.exists()


def test_events_cannot_be_changed_or_deleted(alice: User) -> None:
    event = record(principal_of(alice), "iam:CreateGroup", "x")
    for attempt in (event.save, event.delete, Event.objects.all().delete):
        with pytest.raises(TypeError):
            attempt()
    with pytest.raises(TypeError):
        Event.objects.update(action="iam:Nothing")


@pytest.mark.bar(129)
@pytest.mark.parametrize("before", ["²", "17", "0" * 33])
def test_a_page_that_is_none_is_the_first(alice: User, before: str) -> None:
    record(principal_of(alice), "iam:CreateGroup", "the-first.")
    assert "the-first." in browser_of(alice).get(PAGE, {"before": before}).content.decode()


@pytest.mark.bar(61)
def test_another_accounts_event_is_no_place_to_page_from(alice: User, mallory: User) -> None:
    theirs = record(principal_of(mallory), "iam:CreateGroup", "theirs")
    record(principal_of(alice), "iam:CreateGroup", "hers.")
    for before in (str(theirs.event_id), str(uuid4())):
        assert "hers." in browser_of(alice).get(PAGE, {"before": before}).content.decode()


def test_the_details_of_an_event_are_words_for_people(alice: User) -> None:
    event = record(
        principal_of(alice),
        "iam:UpdateUser",
        alice.arn,
        mfa_used=True,
        policies=["look", "nearly"],
        before={"path": "/a/"},
        after=None,
        user_name="ö",
    )
    shown = dict(browser_of(alice).get(reverse("audit:lookup-events-entry", args=[event.event_id])).context["details"])
    assert shown["MFA used"] == "true" and shown["Policies"] == "look, nearly" and shown["User name"] == "ö"
    assert shown["Before"] == '{\n  "path": "/a/"\n}' and shown["After"] == "–"


@pytest.mark.bar(61)
def test_pages_do_not_tell_how_much_happens_in_all_accounts(alice: User) -> None:
    """The primary key counts over all of them."""
    Event(id=7_000_000_123, account_id=alice.account_id, action="iam:CreateGroup", principal_type="user").save()
    for number in range(60):
        event = record(principal_of(alice), "iam:CreateGroup", f"group-{number}")
    browser = browser_of(alice)
    pages = [PAGE, reverse("audit:lookup-events-entry", args=[event.event_id])]
    text = "".join(browser.get(page).content.decode() for page in pages)
    assert str(event.event_id) in text and not re.search(r"\b\d{10}\b", text)
