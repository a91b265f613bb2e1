"""A root user who forgot the password."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client, override_settings
from django.urls import reverse

from access import one_time, recovery
from access.models import OneTimeToken, TokenPurpose
from access.views.reset import RepliedFirst
from accounts.models import Account, RootUser
from audit.models import Event, Outcome
from identities.models import User
from identities.services.mfa import create_virtual_mfa_device, enable_mfa_device
from tests.access.steps import CODE, LONG_PASSWORD, facts, is_in, sign_in_root
from tests.cast import ORIGIN, ROOT_PASSWORD, browser_of, root_of
from tests.identities.devices import codes, unlimited

ASK, RESET = reverse("access:forgot-password"), reverse("access:reset-root-password")
BOTH = {"password": LONG_PASSWORD, "password_again": LONG_PASSWORD}


@pytest.fixture(autouse=True)
def noon() -> Iterator[Any]:
    with time_machine.travel("2026-11-24T12:00:10Z", tick=False) as traveller:
        yield traveller


def ask(email: str = "root@acme.example", **headers: str) -> Any:
    return Client().post(ASK, {"email": email}, headers=headers)


def link_in(mailoutbox: list[Any]) -> str:
    found = re.search(r"http://127\.0\.0\.1:8000(/reset-password/[\w-]{43}/)", mailoutbox[-1].body)
    assert found
    return found[1]


def test_where_no_mail_is_sent_the_pages_say_where_the_link_is(client: Client, acme: Account, settings: Any) -> None:
    assert "terminal" not in client.get(ASK).text + ask().text
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "terminal" in client.get(ASK).text and "terminal" in ask().text


def test_the_link_of_the_mail_sets_a_new_password(client: Client, acme: Account, mailoutbox: list[Any]) -> None:
    ask()
    assert client.get(link_in(mailoutbox)).headers["Location"] == RESET
    assert "root@acme.example" in client.get(RESET).content.decode()
    assert client.post(RESET, BOTH).headers["Location"] == reverse("access:root-sign-in")
    assert not is_in(client)
    sign_in_root(client, LONG_PASSWORD)
    assert is_in(client)


@pytest.mark.bar(54)
def test_the_token_leaves_the_address_at_once(client: Client, acme: Account, mailoutbox: list[Any]) -> None:
    ask()
    link = link_in(mailoutbox)
    reply = client.get(link)
    (morsel,) = reply.cookies.values()
    assert morsel["httponly"] and morsel["max-age"] == 3600 and morsel.value in link
    assert morsel.value not in client.get(RESET).content.decode()


@pytest.mark.bar(9)
@pytest.mark.parametrize("email", ["nobody@acme.examp", "alice", "x" * 17])
def test_the_answer_is_the_same_for_everybody(acme: Account, mailoutbox: list[Any], email: str) -> None:
    def seen(address: str) -> tuple[object, ...]:
        return facts(ask(address), (address, "EMAIL"))

    assert seen(email.ljust(17, "x")) == seen("root@acme.example")
    assert [mail.to for mail in mailoutbox] == [["root@acme.example"]]
    assert OneTimeToken.objects.count() == 2


@pytest.mark.bar(9)
def test_the_mail_goes_out_after_the_answer(acme: Account, mailoutbox: list[Any]) -> None:
    """How long a mail server takes must not tell whether there was a mail."""
    mail = recovery.ask("root@acme.example", origin=ORIGIN)
    reply = RepliedFirst()
    reply.afterwards = mail.send if mail else None
    assert not mailoutbox
    reply.close()
    reply.close()
    assert len(mailoutbox) == 1


@pytest.mark.bar(20)
def test_the_mail_goes_to_the_stored_address(acme: Account, mailoutbox: list[Any]) -> None:
    ask("ROOT@ACME.example")
    assert mailoutbox[0].to == ["root@acme.example"]
    ask("rооt@acme.example")
    assert len(mailoutbox) == 1


@pytest.mark.bar(18)
def test_no_header_gets_into_the_link(acme: Account, mailoutbox: list[Any]) -> None:
    evil = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "X-Forwarded-Proto": "https"}
    ask(**evil)
    assert "evil" not in mailoutbox[0].body
    with override_settings(ALLOWED_HOSTS=["*"]):
        ask(Host="evil.example")
    assert "evil" not in mailoutbox[1].body and link_in(mailoutbox)


@pytest.mark.bar(17)
def test_the_link_works_once(client: Client, acme: Account, mailoutbox: list[Any]) -> None:
    ask()
    link = link_in(mailoutbox)
    client.get(link)
    client.post(RESET, BOTH)
    other = Client()
    other.get(link)
    assert other.post(RESET, {"password": ROOT_PASSWORD, "password_again": ROOT_PASSWORD}).status_code == 404


@pytest.mark.bar(17)
def test_the_link_lasts_an_hour_by_the_clock(client: Client, acme: Account, mailoutbox: list[Any], noon: Any) -> None:
    ask()
    client.get(link_in(mailoutbox))
    noon.shift(timedelta(minutes=59))
    assert client.get(RESET).status_code == 200
    noon.shift(timedelta(minutes=1))
    assert client.post(RESET, BOTH).status_code == 404


@pytest.mark.bar(17)
@pytest.mark.parametrize("changed", [{"email_key": "new@acme.example"}, {"password": "pbkdf2_sha256$1$a$b"}])
def test_the_link_ends_with_the_password_or_address_it_was_made_for(
    client: Client, acme: Account, mailoutbox: list[Any], changed: dict[str, str]
) -> None:
    ask()
    client.get(link_in(mailoutbox))
    RootUser.objects.update(**changed)
    assert client.get(RESET).status_code == 404


@pytest.mark.bar(17)
def test_opening_the_link_uses_nothing_up_and_the_token_is_stored_hashed(
    client: Client, acme: Account, mailoutbox: list[Any]
) -> None:
    ask()
    link = link_in(mailoutbox)
    for _ in range(3):
        client.get(link)
    assert client.post(RESET, BOTH).status_code == 302
    assert link.split("/")[2] not in str(list(OneTimeToken.objects.values()))


@pytest.mark.bar(4)
def test_a_refused_password_leaves_the_link_good(client: Client, acme: Account, mailoutbox: list[Any]) -> None:
    ask()
    client.get(link_in(mailoutbox))
    for weak in ("short", "acme acme acme 1", ROOT_PASSWORD):
        assert client.post(RESET, {"password": weak, "password_again": weak}).status_code == 200
    assert client.post(RESET, BOTH).status_code == 302


@pytest.mark.bar(19)
def test_it_does_not_pass_mfa(client: Client, acme: Account, mailoutbox: list[Any]) -> None:
    device, seed = create_virtual_mfa_device(by=root_of(acme), user=None, name="phone")
    code1, code2 = codes(seed, steps=-1)
    enable_mfa_device(by=root_of(acme), device=device, code1=code1, code2=code2, tried=unlimited)
    ask()
    client.get(link_in(mailoutbox))
    client.post(RESET, BOTH)
    assert sign_in_root(client, LONG_PASSWORD).headers["Location"] == CODE
    assert not is_in(client)


@pytest.mark.bar(6, 38)
def test_it_ends_every_session_and_tells_root(
    client: Client, acme: Account, mailoutbox: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    browser = browser_of(acme)
    ask()
    client.get(link_in(mailoutbox))
    with django_capture_on_commit_callbacks(execute=True):
        client.post(RESET, BOTH)
    assert not is_in(browser)
    assert "password was changed" in mailoutbox[-1].subject


@pytest.mark.bar(10)
def test_a_mailbox_gets_three_mails_an_hour(acme: Account, mailoutbox: list[Any]) -> None:
    assert [ask().status_code for _ in range(4)] == [200, 200, 200, 429]
    assert [ask("nobody@acme.example").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert len(mailoutbox) == 3


@pytest.mark.bar(12)
def test_the_mail_is_a_way_back_during_an_attack(client: Client, acme: Account, mailoutbox: list[Any]) -> None:
    for _ in range(10):
        sign_in_root(Client(), "wrong horse battery")
    assert sign_in_root(client).status_code == 429
    ask()
    client.get(link_in(mailoutbox))
    client.post(RESET, BOTH)
    sign_in_root(client, LONG_PASSWORD)
    assert is_in(client)


@pytest.mark.bar(121)
def test_it_records_the_wish_and_the_change(client: Client, acme: Account, mailoutbox: list[Any]) -> None:
    ask("nobody@acme.example")
    ask()
    client.get(link_in(mailoutbox))
    client.post(RESET, BOTH)
    events = [(event.action, event.outcome, event.account_id) for event in Event.objects.order_by("id")]
    assert events == [
        ("signin:PasswordRecoveryRequested", Outcome.FAILURE, ""),
        ("signin:PasswordRecoveryRequested", Outcome.SUCCESS, acme.id),
        ("signin:PasswordUpdated", Outcome.SUCCESS, acme.id),
        ("signin:PasswordRecoveryCompleted", Outcome.SUCCESS, acme.id),
    ]


def test_an_iam_user_is_told_to_ask_an_administrator(client: Client, alice: User) -> None:
    assert "administrator" in client.get(ASK).content.decode()
    assert "administrator" in client.get(reverse("access:sign-in")).content.decode()


@pytest.mark.bar(17)
def test_a_token_is_redeemed_once_whatever_else_it_is_bound_to(acme: Account) -> None:
    token = one_time.issue(TokenPurpose.ROOT_PASSWORD_RESET, account=acme)
    row = one_time.look_up(token, TokenPurpose.ROOT_PASSWORD_RESET)
    assert row and one_time.redeem(row) and not one_time.redeem(row)
    assert one_time.look_up(token, TokenPurpose.ROOT_PASSWORD_RESET) is None
