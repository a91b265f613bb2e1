"""Opening the first account by the link from the terminal."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client, override_settings

from access.models import OneTimeToken, TokenPurpose
from access.one_time import issue, set_up_link
from accounts.models import Account, RootUser
from audit.models import Event
from tests.access.steps import DASHBOARD, is_in
from tests.cast import ROOT_PASSWORD

FORM = {
    "name": "Acme",
    "email": "root@acme.example",
    "password": ROOT_PASSWORD,
    "password_again": ROOT_PASSWORD,
    "alias": "acme",
}


def page() -> str:
    link = set_up_link()
    assert link is not None
    return link.removeprefix("http://127.0.0.1:8000")


@pytest.mark.bar(18)
@pytest.mark.django_db
def test_the_link_is_built_from_the_configured_address() -> None:
    with override_settings(SITE_URL="https://iam.example"):
        assert re.fullmatch(r"https://iam\.example/setup/[\w-]{43}/", set_up_link() or "")


@pytest.mark.django_db
def test_it_opens_the_account_signs_root_in_and_says_what_is_next(client: Client) -> None:
    address = page()
    assert client.get(address).status_code == 200
    reply = client.post(address, FORM, follow=True)
    text = reply.content.decode()
    assert "The account Acme is open" in text and "Create an administrator" in text and "/signin/acme/" in text
    account = Account.objects.get()
    assert (account.alias, account.root_user.email) == ("acme", "root@acme.example")
    assert is_in(client)
    opened = Event.objects.get(action="iamconsole:CreateAccount")
    assert (opened.account_id, opened.detail) == (account.id, {"name": "Acme", "alias": "acme"})


@pytest.mark.bar(2, 4)
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "", "required"),
        ("email", "root", "not an e-mail address"),
        ("email", "rооt@acme.example", "look-alike letters"),
        ("password", "fourteen chars", "at least 15"),
        ("password", "acmeacmeacmeacme", "acme"),
        ("password", "passwordpassword", "passwordpassword"),
        ("password", "x" * 129, "at most 128"),
        ("password_again", "something else", "differ"),
        ("alias", "Acme!", "lower-case letters"),
        ("alias", "123456789012", "12 digits"),
    ],
)
def test_bad_input_is_shown_at_its_field_and_the_link_stays_good(
    client: Client, field: str, value: str, says: str
) -> None:
    address, data = page(), {**FORM, field: value}
    if field == "password":
        data["password_again"] = value
    form = client.post(address, data).context["form"]
    assert field in form.errors
    assert says in str(form.errors[field]) or field == "password"
    assert not Account.objects.exists()
    assert client.post(address, FORM).status_code == 302


@pytest.mark.bar(21)
@pytest.mark.django_db
def test_the_link_works_once(client: Client) -> None:
    address = page()
    client.post(address, FORM)
    assert Client().get(address).status_code == 404
    other = {**FORM, "email": "other@acme.example", "alias": ""}
    assert Client().post(address, other).status_code == 404
    assert Account.objects.count() == 1


@pytest.mark.bar(17)
@pytest.mark.django_db
def test_the_link_lasts_an_hour(client: Client) -> None:
    with time_machine.travel("2026-11-24T12:00Z", tick=False) as traveller:
        address = page()
        traveller.shift(timedelta(hours=1))
        assert client.post(address, FORM).status_code == 404


@pytest.mark.bar(21)
@pytest.mark.django_db
def test_set_up_never_opens_again_even_when_every_account_is_gone(client: Client) -> None:
    first, second = page(), page()
    client.post(first, FORM)
    Account.objects.all().delete()
    assert not RootUser.objects.exists()
    assert set_up_link() is None
    assert Client().post(second, FORM).status_code == 404
    assert Client().post(f"/setup/{issue(TokenPurpose.SET_UP)}/", FORM).status_code == 404


@pytest.mark.bar(21)
def test_an_account_made_by_command_closes_set_up_for_good(client: Client, acme: Account) -> None:
    Event.objects.create(account_id=acme.id, action="iamconsole:CreateAccount", principal_type="system", door="command")
    acme.delete()
    assert set_up_link() is None


@pytest.mark.bar(17, 42)
@pytest.mark.django_db
def test_the_token_is_stored_hashed_and_a_token_of_another_kind_opens_nothing(client: Client) -> None:
    token = page().split("/")[2]
    assert token not in str(list(OneTimeToken.objects.values()))
    assert client.get(f"/setup/{issue(TokenPurpose.ROOT_PASSWORD_RESET)}/").status_code == 404
    assert client.get("/setup/no-such-token/").status_code == 404


@pytest.mark.django_db
def test_strength_is_said_in_words_and_knows_the_form(client: Client) -> None:
    def said(**data: Any) -> str:
        return client.post("/password-strength/", data).content.decode()

    assert "Very weak" in said(password="password")
    assert "Strong" in said(password=ROOT_PASSWORD)
    assert "Strong" in said(password="quelmorvantide") and "weak" in said(
        password="quelmorvantide", name="quelmorvantide"
    )
    assert said(password="").strip() == said(password="x" * 129).strip() == ""


@pytest.mark.bar(10)
@pytest.mark.django_db
def test_strength_is_limited(client: Client) -> None:
    with time_machine.travel("2026-11-24T12:00Z", tick=False):
        replies = [client.post("/password-strength/", {}, headers={"HX-Request": "true"}) for _ in range(121)]
    assert [reply.status_code for reply in replies] == [200] * 120 + [429]
    assert replies[-1].headers["HX-Retarget"] == "#notice" and b"<html" not in replies[-1].content


@pytest.mark.django_db
def test_a_password_is_required_twice_without_script_too(client: Client) -> None:
    address = page()
    assert client.post(address, {**FORM, "password_again": ""}).status_code == 200
    assert client.get(DASHBOARD).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/signin/", "/root-signin/"])
def test_the_sign_in_pages_say_where_to_begin_until_there_is_an_account(client: Client, address: str) -> None:
    assert "There is no account here yet" in client.get(address).content.decode()
    client.post(page(), FORM)
    assert "There is no account here yet" not in Client().get(address).content.decode()
