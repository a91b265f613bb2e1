"""Root is asked for MFA at its first sign-in, and where it is mandatory nothing else opens without it."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from access.models import ConsoleSession
from accounts.models import Account, RootUser
from database.inserts import PreparedInsert
from identities.models import User
from identities.services.mfa import create_virtual_mfa_device, enable_mfa_device
from tests.access.steps import CODE, DASHBOARD, is_in, sign_in, sign_in_root
from tests.cast import browser_of, root_of
from tests.identities.devices import codes, unlimited

PAGE, DISMISS = reverse("access:protect-root"), reverse("access:dismiss-mfa-demand")


def give_device(account: Account) -> str:
    device, seed = create_virtual_mfa_device(by=root_of(account), user=None, name="phone")
    code1, code2 = codes(seed, steps=-1)
    enable_mfa_device(by=root_of(account), device=device, code1=code1, code2=code2, tried=unlimited)
    return seed


@pytest.mark.bar(33)
def test_roots_first_sign_in_leads_to_the_demand(client: Client, acme: Account) -> None:
    reply = sign_in_root(client)
    assert reply.headers["Location"].startswith(PAGE)
    page = client.get(reply.headers["Location"]).content.decode()
    assert "Turn on MFA now" in page and reverse("access:create-my-mfa-device") in page and "Not now" in page


def test_the_demand_can_be_put_off_once_and_for_all(client: Client, acme: Account) -> None:
    sign_in_root(client)
    wanted = reverse("access:sessions")
    assert client.post(DISMISS, {"next": wanted}).headers["Location"] == wanted
    assert sign_in_root(Client()).headers["Location"] == DASHBOARD
    assert RootUser.objects.get().mfa_demand_dismissed_at is not None


@pytest.mark.bar(121)
def test_it_is_not_put_off_without_a_record(client: Client, acme: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in_root(client)
    client.raise_request_exception = False
    monkeypatch.setattr(PreparedInsert, "insert", None)
    assert client.post(DISMISS).status_code == 500
    assert RootUser.objects.get().mfa_demand_dismissed_at is None


def test_with_mfa_there_is_no_demand(client: Client, acme: Account) -> None:
    seed = give_device(acme)
    assert sign_in_root(client).headers["Location"] == CODE
    assert client.post(CODE, {"code": codes(seed)[1]}).headers["Location"] == DASHBOARD


def test_an_iam_user_has_no_such_page(client: Client, alice: User) -> None:
    sign_in(client)
    assert client.get(PAGE).headers["Location"] == DASHBOARD
    assert client.post(DISMISS).status_code == 400
    assert RootUser.objects.get().mfa_demand_dismissed_at is None


@pytest.mark.bar(33)
def test_where_it_is_mandatory_nothing_else_opens(acme: Account, settings: Any) -> None:
    settings.ROOT_MFA_REQUIRED = True
    browser = browser_of(acme)
    for page in (
        DASHBOARD,
        reverse("access:sessions"),
        reverse("accounts:get-account-settings"),
        reverse("access:my-credentials"),
    ):
        assert browser.get(page).headers["Location"] == PAGE
    shown = browser.get(PAGE).content.decode()
    assert "requires it" in shown and "Not now" not in shown
    assert browser.post(DISMISS).headers["Location"] == PAGE and RootUser.objects.get().mfa_demand_dismissed_at is None
    assert browser.get(reverse("access:my-mfa-devices")).status_code == 200


@pytest.mark.bar(33)
def test_where_it_is_mandatory_a_code_opens_everything(client: Client, acme: Account, settings: Any) -> None:
    settings.ROOT_MFA_REQUIRED = True
    seed = give_device(acme)
    sign_in_root(client)
    assert not is_in(client)
    client.post(CODE, {"code": codes(seed)[1]})
    assert is_in(client) and ConsoleSession.objects.get().mfa_at is not None


def test_it_does_not_concern_iam_users(alice: User, settings: Any) -> None:
    settings.ROOT_MFA_REQUIRED = True
    assert is_in(browser_of(alice))
