from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from access import cookies
from access.models import ConsoleSession
from accounts.models import Account
from audit.models import Event
from identities.models import MFADevice, User
from identities.services.mfa import has_mfa
from tests.cast import ACME, allow, browser_of
from tests.identities.devices import codes, device_of

LIST, CREATE = reverse("access:my-mfa-devices"), reverse("access:create-my-mfa-device")
NOON = datetime(2026, 11, 24, 12, 0, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def page(action: str, name: str = "phone") -> str:
    return reverse(f"access:{action}-my-mfa-device", args=[name])


def begin(browser: Client, name: str = "phone") -> str:
    return str(browser.post(CREATE, {"name": name}).context["seed"]).replace(" ", "")


def both(seed: str, steps: int = 0) -> dict[str, str]:
    return dict(zip(("code1", "code2"), codes(seed, steps=steps), strict=True))


def test_a_device_is_added_in_two_steps(alice: User) -> None:
    browser = browser_of(alice)
    seed = begin(browser)
    assert not has_mfa(ACME, alice)
    assert browser.post(page("enable"), both(seed)).headers["Location"] == LIST
    assert has_mfa(ACME, alice)
    assert "phone" in browser.get(LIST).content.decode()


@pytest.mark.bar(27, 43)
def test_the_seed_is_shown_once_as_picture_and_text(alice: User) -> None:
    browser = browser_of(alice)
    reply = browser.post(CREATE, {"name": "phone"})
    seed = reply.context["seed"]
    assert reply.headers["Cache-Control"] == "no-store"
    assert seed in reply.content.decode() and "<svg" in unquote(reply.context["picture"])
    assert reply.context["picture"].startswith("data:image/svg+xml")
    for address in (LIST, page("enable"), page("resync")):
        assert seed not in browser.get(address).content.decode()


@pytest.mark.bar(121)
@pytest.mark.parametrize("action", ["Enable", "Resync"])
def test_wrong_codes_and_too_many_are_in_the_trail(alice: User, action: str) -> None:
    browser = browser_of(alice, mfa=True)
    seed = begin(browser)
    if action == "Resync":
        browser.post(page("enable"), both(seed))
    for _ in range(6):
        reply = browser.post(page(action.lower()), {"code1": "000000", "code2": "111111"})
    tried = Event.objects.filter(action=f"iam:{action}MFADevice", outcome="Failure").order_by("id")
    assert reply.status_code == 429
    assert [event.error_code for event in tried] == ["InvalidAuthenticationCode"] * 5 + ["Throttling"]
    assert {event.principal_arn for event in tried} == {alice.arn}


def test_wrong_codes_are_told_at_the_field(alice: User) -> None:
    browser = browser_of(alice)
    begin(browser)
    text = browser.post(page("enable"), {"code1": "000000", "code2": "111111"}).content.decode()
    assert "fit" in text and 'autocomplete="one-time-code"' in text
    assert not has_mfa(ACME, alice)


@pytest.mark.bar(35)
def test_turning_it_on_counts_for_this_session_and_ends_the_others(alice: User) -> None:
    here, there = browser_of(alice), browser_of(alice)
    before = here.cookies[cookies.name(cookies.SESSION)].value
    here.post(page("enable"), both(begin(here)))
    assert here.cookies[cookies.name(cookies.SESSION)].value != before
    assert there.get(LIST).status_code == 302
    assert ConsoleSession.objects.get().mfa_at == NOON


def test_an_unfinished_device_can_be_begun_again_under_its_name(alice: User) -> None:
    browser = browser_of(alice)
    begin(browser)
    assert "Begun, but never turned on" in browser.get(LIST).content.decode()
    browser.post(page("enable"), both(begin(browser)))
    assert MFADevice.objects.count() == 1 and has_mfa(ACME, alice)


def test_a_name_that_is_taken_is_told_at_the_field(alice: User, bob: User) -> None:
    device_of(bob)
    text = browser_of(alice).post(CREATE, {"name": "phone"}).content.decode()
    assert "has a device called “phone” already" in text


def test_it_is_synchronised_again(alice: User) -> None:
    _, seed = device_of(alice)
    browser = browser_of(alice, mfa=True)
    browser.post(page("resync"), both(seed, steps=40))
    assert MFADevice.objects.get().drift == 40


def test_removing_the_last_one_says_what_it_means(alice: User) -> None:
    device_of(alice)
    browser = browser_of(alice, mfa=True)
    assert "only device" in browser.get(page("delete")).content.decode()
    browser.post(page("delete"))
    assert not MFADevice.objects.exists()


@pytest.mark.bar(31, 61)
@pytest.mark.parametrize("action", ["enable", "resync", "delete"])
def test_nobody_elses_device_is_reached(action: str, alice: User, bob: User, acme: Account) -> None:
    _, seed = device_of(bob)
    for who in (alice, acme):
        assert browser_of(who).post(page(action), both(seed)).status_code == 404
    assert has_mfa(ACME, bob)


@pytest.mark.bar(29)
@pytest.mark.parametrize("action", ["enable", "resync", "delete"])
def test_changes_want_a_fresh_sign_in(action: str, alice: User) -> None:
    _, seed = device_of(alice)
    reply = browser_of(alice, mfa=True, fresh=False).post(page(action), both(seed))
    assert reverse("access:confirm") in reply.headers["Location"]
    assert has_mfa(ACME, alice)


@pytest.mark.bar(29)
@pytest.mark.parametrize("address", [CREATE, page("resync"), page("delete")])
def test_changes_want_the_factor_there_is(address: str, alice: User) -> None:
    device_of(alice)
    reply = browser_of(alice, mfa=False).post(address, {"name": "second"})
    assert reverse("access:confirm") in reply.headers["Location"]
    assert MFADevice.objects.count() == 1


def test_adding_needs_both_permissions(bob: User) -> None:
    browser = browser_of(bob)
    allow(bob, "iam:CreateVirtualMFADevice", "arn:aws:iam::*:mfa/${aws:username}")
    assert browser.post(CREATE, {"name": "bob"}).status_code == 403
    allow(bob, "iam:EnableMFADevice", bob.arn, name="more")
    assert browser.post(CREATE, {"name": "alice"}).status_code == 403
    assert browser.post(CREATE, {"name": "bob"}).status_code == 200


def test_root_reaches_these_pages_first_where_mfa_is_mandatory(acme: Account, settings: Any) -> None:
    settings.ROOT_MFA_REQUIRED = True
    browser = browser_of(acme)
    assert browser.get(reverse("access:my-access-keys")).status_code == 302
    browser.post(page("enable"), both(begin(browser)))
    assert browser.get(reverse("access:my-access-keys")).status_code == 200


@pytest.mark.bar(11, 26)
@pytest.mark.parametrize("action", ["enable", "resync"])
def test_wrong_codes_are_limited(action: str, alice: User) -> None:
    browser = browser_of(alice, mfa=True)
    seed = begin(browser) if action == "enable" else device_of(alice)[1]
    for _ in range(5):
        browser.post(page(action), {"code1": "000000", "code2": "111111"})
    assert "Too many tries" in browser.post(page(action), both(seed, steps=1)).content.decode()
