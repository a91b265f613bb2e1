"""Proving once more who one is, before keys, passwords and MFA are changed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from access import cookies
from access.carried_text import packed
from access.guard import LONGEST_NEXT, LONGEST_OF_OURS
from access.models import ConsoleSession
from accounts.models import Account
from audit.models import Event, Outcome
from identities.models import User
from tests.access.steps import cookie, give_cookie, is_in, sign_in
from tests.cast import PASSWORD, ROOT_PASSWORD, browser_of, trusting
from tests.identities.devices import codes, device_of

CONFIRM, PAGE = reverse("access:confirm"), reverse("access:my-password")


@pytest.fixture(autouse=True)
def noon() -> Iterator[Any]:
    with time_machine.travel("2026-11-24T12:00:10Z", tick=False) as traveller:
        yield traveller


def views(resolver: URLResolver) -> Iterator[tuple[str, Any]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield f"{resolver.namespace}:{entry.name}", entry.callback
        else:
            yield from views(entry)


WANT_FRESH = {name for name, view in views(get_resolver()) if getattr(view, "needs_fresh_sign_in", False)}


@pytest.mark.bar(40)
@pytest.mark.parametrize(
    "name",
    [
        "access:my-password",
        "access:create-my-access-key",
        "access:update-my-access-key",
        "access:delete-my-access-key",
        "access:create-my-mfa-device",
        "access:enable-my-mfa-device",
        "access:resync-my-mfa-device",
        "access:delete-my-mfa-device",
        "identities:create-login-profile",
        "identities:update-login-profile",
        "identities:delete-login-profile",
        "identities:create-access-key",
        "identities:update-access-key",
        "identities:delete-access-key",
        "identities:deactivate-mfa-device",
        "identities:create-machine-join-token",
        "identities:register-machine",
        "identities:upload-signing-certificate",
        "identities:update-signing-certificate",
        "identities:delete-signing-certificate",
        "access:upload-my-signing-certificate",
        "access:update-my-signing-certificate",
        "access:delete-my-signing-certificate",
        "identities:upload-ssh-public-key",
        "identities:update-ssh-public-key",
        "identities:delete-ssh-public-key",
        "identities:create-service-specific-credential",
        "identities:update-service-specific-credential",
        "identities:reset-service-specific-credential",
        "identities:delete-service-specific-credential",
        "identities:upload-server-certificate",
        "identities:delete-server-certificate",
        "federation:enable-outbound-web-identity-federation",
        "federation:disable-outbound-web-identity-federation",
        "federation:create-open-id-connect-provider-sign-in",
        "access:get-temporary-credentials",
        "access:rotate-route-table-token",
        "accounts:start-primary-email-update",
        "accounts:accept-primary-email-update",
    ],
)
def test_credentials_of_all_kinds_mfa_and_roots_address_want_a_fresh_sign_in(name: str) -> None:
    assert name in WANT_FRESH


@pytest.mark.bar(40)
def test_a_sign_in_is_fresh_for_five_minutes(client: Client, alice: User, noon: Any) -> None:
    sign_in(client)
    noon.shift(timedelta(minutes=5))
    assert client.get(PAGE).status_code == 200
    noon.shift(timedelta(seconds=1))
    assert client.get(PAGE).headers["Location"] == f"{CONFIRM}?next={PAGE.replace('/', '%2F')}"


def test_the_password_leads_on_and_counts_for_five_minutes(alice: User) -> None:
    browser = browser_of(alice, fresh=False)
    page = browser.get(browser.get(PAGE).headers["Location"])
    assert page.context["next"] == PAGE and "alice" in page.content.decode()
    assert browser.post(CONFIRM, {"password": PASSWORD, "next": PAGE}).headers["Location"] == PAGE
    assert browser.get(PAGE).status_code == 200


@pytest.mark.bar(35)
def test_the_session_gets_a_new_token_and_the_old_one_is_dead(alice: User) -> None:
    browser = browser_of(alice, fresh=False)
    earlier = cookie(browser, cookies.SESSION)
    browser.post(CONFIRM, {"password": PASSWORD})
    other = Client()
    give_cookie(other, cookies.SESSION, earlier)
    assert is_in(browser) and not is_in(other)


def test_a_wrong_password_proves_nothing(alice: User) -> None:
    browser = browser_of(alice, fresh=False)
    assert "did not match" in browser.post(CONFIRM, {"password": "wrong"}).content.decode()
    assert browser.get(PAGE).status_code == 302
    (event,) = Event.objects.filter(action="signin:ConfirmIdentity")
    assert (event.outcome, event.account_id) == (Outcome.FAILURE, alice.account_id)


@pytest.mark.bar(29)
def test_with_mfa_the_code_is_asked_too(alice: User) -> None:
    _, seed = device_of(alice)
    browser = browser_of(alice, fresh=False)
    for proofs in ({"password": PASSWORD}, {"password": PASSWORD, "code": "000000"}, {"code": codes(seed)[1]}):
        browser.post(CONFIRM, proofs)
        assert browser.get(PAGE).status_code == 302
    browser.post(CONFIRM, {"password": PASSWORD, "code": codes(seed)[1]})
    assert browser.get(PAGE).status_code == 200
    assert ConsoleSession.objects.get().mfa_at is not None


def test_a_wrong_password_uses_no_code_up(alice: User) -> None:
    _, seed = device_of(alice)
    browser = browser_of(alice, fresh=False)
    browser.post(CONFIRM, {"password": "wrong", "code": codes(seed)[1]})
    browser.post(CONFIRM, {"password": PASSWORD, "code": codes(seed)[1]})
    assert browser.get(PAGE).status_code == 200


@pytest.mark.bar(16)
def test_it_proves_only_whose_session_it_is(alice: User, acme: Account) -> None:
    browser = browser_of(alice, fresh=False)
    browser.post(CONFIRM, {"password": ROOT_PASSWORD, "user_name": "root", "email": "root@acme.example"})
    assert browser.get(PAGE).status_code == 302


def test_a_long_page_is_come_back_to_as_it_was(alice: User) -> None:
    """As the review of a role is, with a long description in letters that take twelve characters in an address."""
    words = {"who": "custom", "trust": packed(trusting(alice.arn)), "name": "auditor", "description": "𝒜" * 480}
    page = f"/identities/roles/create/review/?{urlencode(words)}"
    assert LONGEST_NEXT < len(page) < LONGEST_OF_OURS
    browser = browser_of(alice, fresh=False)
    confirm = browser.get(browser.get(page).headers["Location"])
    assert confirm.context["next"] == page
    assert browser.post(CONFIRM, {"password": PASSWORD, "next": page}).headers["Location"] == page
    assert "Create the role" in browser.get(page).content.decode()


@pytest.mark.bar(51)
def test_a_packed_page_leads_nowhere_outside(alice: User) -> None:
    address = f"{CONFIRM}?{urlencode({'packed': packed('https://evil.example/')})}"
    assert browser_of(alice).get(address).context["next"] == "/dashboard/"


@pytest.mark.bar(51)
def test_it_leads_nowhere_outside(alice: User) -> None:
    browser = browser_of(alice, fresh=False)
    reply = browser.post(CONFIRM, {"password": PASSWORD, "next": "https://evil.example/"})
    assert reply.headers["Location"] == reverse("access:dashboard")
