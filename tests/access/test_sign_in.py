"""Signing in as an IAM user."""

import time
import unicodedata
from datetime import timedelta
from typing import Literal

import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse

from access import cookies
from accounts.models import Account
from audit import clock
from audit.models import Outcome
from identities.models import LoginProfile, User
from identities.services.login_profiles import update_login_profile
from tests.access.steps import SIGN_IN, cookie, is_in, logins, sign_in
from tests.cast import ACME, PASSWORD, root_of

Form = Literal["NFC", "NFD"]


@pytest.mark.parametrize("account", ["acme", "ACME", " acme ", ACME])
@pytest.mark.parametrize("name", ["alice", "Alice"])
def test_it_takes_alias_or_id_and_any_case_of_the_name(client: Client, alice: User, account: str, name: str) -> None:
    reply = sign_in(client, name, account=account)
    assert (reply.status_code, reply.headers["Location"]) == (302, reverse("access:dashboard"))
    assert is_in(client)


def test_it_goes_back_to_where_somebody_wanted_to_be(client: Client, alice: User) -> None:
    wanted = reverse("access:sessions")
    page = client.get(client.get(wanted).headers["Location"])
    assert page.context["next"] == wanted
    assert sign_in(client, headers={}).status_code == 302
    reply = client.post(SIGN_IN, {"account": "acme", "user_name": "alice", "password": PASSWORD, "next": wanted})
    assert reply.headers["Location"] == wanted


def test_it_fills_in_the_account_of_the_address(client: Client, db: None) -> None:
    assert client.get("/signin/no-such-account/").context["form"]["account"].value() == "no-such-account"


def test_it_remembers_the_account_and_name_of_this_browser(client: Client, alice: User) -> None:
    sign_in(client)
    client.post(reverse("access:sign-out"))
    form = client.get(SIGN_IN).context["form"]
    assert (form["account"].value(), form["user_name"].value()) == ("acme", "alice")
    assert client.get("/signin/globex/").context["form"]["user_name"].value() == ""


def test_each_page_says_for_whom_it_is_and_links_to_the_other(client: Client, db: None) -> None:
    for_users, for_root = client.get(SIGN_IN).content.decode(), client.get("/root-signin/").content.decode()
    assert "IAM user" in for_users and reverse("access:root-sign-in") in for_users
    assert "root user" in for_root and reverse("access:sign-in") in for_root


@pytest.mark.bar(7)
def test_it_works_with_password_managers(client: Client, acme: Account) -> None:
    page = client.get(SIGN_IN).content.decode()
    assert 'autocomplete="username"' in page and 'autocomplete="current-password"' in page
    assert "onpaste" not in page
    client.post("/root-signin/", {"email": "root@acme.example"})
    page = client.get("/root-signin/password/").content.decode()
    assert 'autocomplete="username"' in page and 'autocomplete="current-password"' in page


@pytest.mark.bar(1)
def test_passwords_are_stored_by_argon2id_at_its_cost() -> None:
    _, kind, version, costs, _ = make_password(PASSWORD).split("$", 4)
    assert (kind, version) == ("argon2id", "v=19")
    memory, passes, lanes = (int(part[2:]) for part in costs.split(","))
    assert memory >= 19 * 1024 and passes >= 2 and lanes == 1


@pytest.mark.bar(1)
def test_an_old_hash_is_replaced_at_sign_in(client: Client, alice: User) -> None:
    old = make_password(PASSWORD, hasher="pbkdf2_sha256")
    LoginProfile.objects.filter(user=alice).update(password=old)
    sign_in(client)
    assert is_in(client)
    assert LoginProfile.objects.get(user=alice).password.startswith("argon2$argon2id$")


@pytest.mark.bar(3)
@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("typed", ["NFC", "NFD"])
def test_composed_and_decomposed_letters_are_the_same_password(
    client: Client, alice: User, stored: Form, typed: Form
) -> None:
    word = "zwölf boxkämpfer jagen viktor"
    as_stored, as_typed = unicodedata.normalize(stored, word), unicodedata.normalize(typed, word)
    update_login_profile(by=root_of(alice.account), user=alice, password=as_stored, for_console=True)
    sign_in(client, password=as_typed)
    assert is_in(client)


@pytest.mark.bar(3)
@pytest.mark.parametrize("change", [str.upper, str.title, lambda word: word + " ", lambda word: " " + word])
def test_a_password_is_taken_exactly_as_typed(client: Client, alice: User, change: object) -> None:
    sign_in(client, password=change(PASSWORD))  # type: ignore[operator] # one of the four above
    assert not is_in(client)


@pytest.mark.bar(3)
def test_the_last_of_128_letters_matters_and_one_more_is_refused(client: Client, alice: User) -> None:
    longest = "x" * 127 + "y"
    LoginProfile.objects.filter(user=alice).update(password=make_password(longest))
    sign_in(client, password="x" * 128)
    assert not is_in(client)
    assert "at most 128" in sign_in(client, password=longest + "z").content.decode()
    sign_in(client, password=longest)
    assert is_in(client)


@pytest.mark.bar(24)
@pytest.mark.parametrize("field", ["account", "user_name", "password"])
def test_very_long_input_is_refused_at_once(client: Client, alice: User, field: str) -> None:
    fields = {"account": "acme", "user_name": "alice", "password": "x", field: "x" * 900_000}
    client.get(SIGN_IN)
    # The processor's time, which a busy machine does not lengthen.
    before = time.thread_time()
    reply = client.post(SIGN_IN, fields)
    assert time.thread_time() - before < 1
    assert "at most" in reply.content.decode() and not logins()


@pytest.mark.bar(121)
def test_it_records_a_sign_in_and_a_sign_out(client: Client, alice: User) -> None:
    sign_in(client)
    client.post(reverse("access:sign-out"))
    (event,) = logins()
    assert (event.outcome, event.principal_arn, event.account_id) == (Outcome.SUCCESS, alice.arn, ACME)
    assert (event.address, event.door, event.detail) == ("127.0.0.1", "console", {"page": "IAM user", "mfa": False})
    assert event.request_id


def test_it_notes_the_first_use_within_five_minutes(client: Client, alice: User) -> None:
    with time_machine.travel("2026-11-24T12:00Z", tick=False) as traveller:
        start = clock.now()
        for minutes, noted in ((0, 0), (4, 0), (2, 6)):
            traveller.shift(timedelta(minutes=minutes))
            sign_in(client)
            alice.refresh_from_db()
            assert alice.password_last_used_at == start + timedelta(minutes=noted)


def test_it_ends_whoever_was_signed_in_with_this_browser(client: Client, alice: User, bob: User) -> None:
    sign_in(client)
    earlier = cookie(client, cookies.SESSION)
    sign_in(client, "bob")
    other = Client()
    other.cookies[cookies.name(cookies.SESSION)] = earlier
    assert not is_in(other) and is_in(client)
