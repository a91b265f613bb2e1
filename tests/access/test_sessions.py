"""Console sessions: how long they last, who ends them, and what a browser is given."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client, override_settings
from django.urls import reverse

from access import cookies, sessions
from access.models import ConsoleSession, OneTimeToken, SignInAttempt, TokenPurpose
from access.one_time import issue
from accounts.models import Account
from audit.models import Event
from identities.models import LoginProfile, User
from tests.access.steps import DASHBOARD, SIGN_IN, cookie, give_cookie, is_in, sign_in, sign_in_root
from tests.cast import ORIGIN, PASSWORD, ROOT_PASSWORD, allow, browser_of, make_administrator

LIST, END = "iamconsole:ListConsoleSessions", "iamconsole:EndConsoleSession"


@pytest.fixture(autouse=True)
def noon() -> Iterator[Any]:
    with time_machine.travel("2026-11-24T12:00:10Z", tick=False) as traveller:
        yield traveller


@pytest.mark.bar(35)
def test_a_token_has_256_random_bits_and_is_stored_hashed(client: Client, alice: User) -> None:
    sign_in(client)
    token = cookie(client, cookies.SESSION)
    assert len(token) == 43 and token not in str(list(ConsoleSession.objects.values()))


@pytest.mark.bar(35)
def test_a_planted_cookie_is_replaced_and_never_becomes_a_session(client: Client, alice: User) -> None:
    for name in (cookies.SESSION, cookies.ATTEMPT):
        give_cookie(client, name, "planted-by-somebody-else")
    sign_in(client)
    assert cookie(client, cookies.SESSION) != "planted-by-somebody-else"
    other = Client()
    give_cookie(other, cookies.SESSION, "planted-by-somebody-else")
    assert not is_in(other)


@pytest.mark.bar(36)
def test_with_https_cookies_are_bound_to_the_host(client: Client, alice: User, acme: Account) -> None:
    names = {"CSRF_COOKIE_NAME": "__Host-iam-csrf", "CSRF_COOKIE_SECURE": True}
    with override_settings(SECURE_COOKIES=True, SECURE_SSL_REDIRECT=False, **names):
        reply, root_reply = sign_in(client), sign_in_root(Client())
    for name, morsel in {**reply.cookies, **root_reply.cookies}.items():
        assert name.startswith("__Host-iam-") and morsel["secure"] and morsel["httponly"]
        assert morsel["path"] == "/" and not morsel["domain"] and morsel["samesite"] in ("Lax", "Strict")
    assert reply.cookies["__Host-iam-session"]["samesite"] == "Lax"
    assert root_reply.cookies["__Host-iam-session"]["samesite"] == "Strict"


@pytest.mark.bar(36)
def test_so_is_the_cookie_of_what_the_next_page_says(alice: User) -> None:
    with override_settings(SECURE_COOKIES=True, SESSION_COOKIE_SECURE=True):
        browser = browser_of(alice)
        said = browser.post(reverse("access:end-other-sessions"), secure=True).cookies["__Host-iam-messages"]
        assert said["secure"] and said["httponly"] and said["samesite"] == "Lax"
        assert said["path"] == "/" and not said["domain"]
        page = browser.get(reverse("access:sessions"), secure=True)
        assert page.cookies["__Host-iam-messages"]["max-age"] == 0
    assert [str(message) for message in page.context["messages"]]


@pytest.mark.bar(37)
@pytest.mark.parametrize(("who", "idle"), [("alice", timedelta(minutes=30)), ("root", timedelta(minutes=15))])
def test_an_idle_session_ends(alice: User, acme: Account, noon: Any, who: str, idle: timedelta) -> None:
    browser = browser_of(alice if who == "alice" else acme)
    noon.shift(idle - timedelta(seconds=1))
    assert is_in(browser)
    noon.shift(idle)
    assert not is_in(browser)


@pytest.mark.bar(37)
@pytest.mark.parametrize(("who", "most"), [("alice", timedelta(hours=12)), ("root", timedelta(hours=1))])
def test_no_session_lasts_for_ever(alice: User, acme: Account, noon: Any, who: str, most: timedelta) -> None:
    browser, start = browser_of(alice if who == "alice" else acme), timedelta()
    while (start := start + timedelta(minutes=10)) < most:
        noon.shift(timedelta(minutes=10))
        assert is_in(browser)
    noon.shift(timedelta(minutes=10))
    assert not is_in(browser)


@pytest.mark.bar(38)
def test_signing_out_ends_the_session_on_the_server(client: Client, alice: User) -> None:
    sign_in(client)
    token = cookie(client, cookies.SESSION)
    client.post(reverse("access:sign-out"))
    give_cookie(client, cookies.SESSION, token)
    assert not is_in(client) and not ConsoleSession.objects.exists()
    assert Event.objects.filter(action="signin:ConsoleLogout", principal_arn=alice.arn).exists()


def test_root_signs_out_to_where_an_administrator_signs_in(acme: Account) -> None:
    out = reverse("access:sign-out")
    assert browser_of(acme).post(out).headers["Location"] == reverse("access:root-sign-in")
    make_administrator(acme, "ada")
    assert browser_of(acme).post(out).headers["Location"] == "/signin/acme/"


def test_after_signing_out_the_next_page_says_so_once(client: Client, alice: User) -> None:
    sign_in(client)
    said = [client.post(reverse("access:sign-out"), follow=True).text, client.get(SIGN_IN).text]
    assert ["You are signed out." in each for each in said] == [True, False]


@pytest.mark.bar(38)
def test_a_new_password_ends_every_session(alice: User) -> None:
    browsers = [browser_of(alice), browser_of(alice)]
    LoginProfile.objects.filter(user=alice).update(password="argon2$argon2id$v=19$m=1,t=1,p=1$YQ$YQ")
    assert not any(is_in(browser) for browser in browsers)


@pytest.mark.bar(43)
def test_pages_are_not_kept_and_signing_out_clears_what_was(client: Client, alice: User) -> None:
    sign_in(client)
    assert client.get(DASHBOARD).headers["Cache-Control"] == "no-store"
    reply = client.post(reverse("access:sign-out"))
    assert reply.headers["Clear-Site-Data"] == '"cache"'
    assert "no-store" in client.get(SIGN_IN).headers["Cache-Control"]


@pytest.mark.bar(46)
def test_a_link_does_not_sign_out(client: Client, alice: User) -> None:
    sign_in(client)
    assert client.get(reverse("access:sign-out")).status_code == 405
    assert is_in(client)


@pytest.mark.bar(41)
def test_nothing_in_a_session_is_a_secret(client: Client, alice: User) -> None:
    sign_in(client)
    sign_in_root(Client())
    stored = str([list(model.objects.values()) for model in (ConsoleSession, SignInAttempt, OneTimeToken)])
    assert PASSWORD not in stored and ROOT_PASSWORD not in stored
    assert LoginProfile.objects.get(user=alice).password not in stored


@pytest.mark.bar(42)
def test_a_token_of_one_kind_is_nothing_in_another(client: Client, alice: User, acme: Account) -> None:
    sign_in(client)
    session = cookie(client, cookies.SESSION)
    client.post("/root-signin/", {"email": "root@acme.example"})
    tokens = [
        session,
        cookie(client, cookies.ATTEMPT),
        issue(TokenPurpose.SET_UP),
        issue(TokenPurpose.ROOT_PASSWORD_RESET),
    ]
    for token in tokens[1:]:
        give_cookie(browser := Client(), cookies.SESSION, token)
        assert not is_in(browser)
    for token in (session, *tokens[2:]):
        give_cookie(browser := Client(), cookies.ATTEMPT, token)
        assert browser.get("/root-signin/password/").status_code == 302
    for token in tokens[:3]:
        give_cookie(browser := Client(), cookies.RESET, token)
        assert browser.get(reverse("access:reset-root-password")).status_code == 404


@pytest.mark.bar(44)
def test_a_form_of_one_identity_fails_under_another(alice: User, acme: Account) -> None:
    browser = Client(enforce_csrf_checks=True)
    token = str(browser.get(SIGN_IN).context["csrf_token"])
    fields = {"account": "acme", "user_name": "alice", "password": PASSWORD, "csrfmiddlewaretoken": token}
    assert browser.post(SIGN_IN, fields).status_code == 302
    form = str(browser.get(DASHBOARD).context["csrf_token"])
    email = {"email": "root@acme.example", "csrfmiddlewaretoken": form}
    browser.post("/root-signin/", email)
    browser.post("/root-signin/password/", {"password": ROOT_PASSWORD, "csrfmiddlewaretoken": form})
    assert browser.get(DASHBOARD).context["principal"].is_root
    assert browser.post(reverse("access:end-other-sessions"), {"csrfmiddlewaretoken": form}).status_code == 403


@pytest.mark.bar(39)
def test_everybody_sees_and_ends_their_own(alice: User, bob: User) -> None:
    here, there, bobs = browser_of(alice), browser_of(alice), browser_of(bob)
    page = here.get(reverse("access:sessions"))
    assert len(page.context["page"]) == 2 and "This browser" in page.content.decode()
    other = next(session for session in page.context["page"] if session.pk != page.context["present"].pk)
    assert here.post(reverse("access:end-session", args=[other.pk])).status_code == 302
    assert not is_in(there) and is_in(here) and is_in(bobs)
    foreign = ConsoleSession.objects.get(user=bob)
    assert here.post(reverse("access:end-session", args=[foreign.pk])).status_code == 404
    assert is_in(bobs)


@pytest.mark.bar(39)
def test_all_others_end_at_once(alice: User, acme: Account) -> None:
    here, others, root = browser_of(alice), [browser_of(alice) for _ in range(3)], browser_of(acme)
    here.post(reverse("access:end-other-sessions"))
    assert is_in(here) and is_in(root) and not any(is_in(other) for other in others)
    assert Event.objects.get(action=END).detail == {"ended": 3}


@pytest.mark.bar(39)
def test_an_administrator_ends_anyones(alice: User, bob: User) -> None:
    administrator, bobs = browser_of(alice), [browser_of(bob), browser_of(bob)]
    page = administrator.get(reverse("access:list-console-sessions", args=["bob"]))
    one = page.context["page"][0]
    address = reverse("access:end-console-session", args=["bob"])
    administrator.post(address, {"session": str(one.pk)})
    assert [is_in(browser) for browser in bobs].count(True) == 1
    administrator.post(address)
    assert not any(is_in(browser) for browser in bobs) and is_in(administrator)


def test_an_administrator_cannot_end_the_session_of_one_user_through_another(alice: User, bob: User) -> None:
    administrator = browser_of(alice)
    own = ConsoleSession.objects.get(user=alice)
    administrator.post(reverse("access:end-console-session", args=["bob"]), {"session": str(own.pk)})
    assert is_in(administrator)
    reply = administrator.post(reverse("access:end-console-session", args=["bob"]), {"session": "no uuid"})
    assert reply.status_code == 404


def test_it_requires_permission_for_each(alice: User, bob: User) -> None:
    browser, page = browser_of(bob), reverse("access:list-console-sessions", args=["alice"])
    assert browser.get(page).status_code == 403
    allow(bob, LIST)
    browser_of(alice)
    assert END in browser.get(page).content.decode()
    assert browser.post(reverse("access:end-console-session", args=["alice"])).status_code == 403


@pytest.mark.bar(61)
def test_it_hides_other_accounts(mallory: User, bob: User) -> None:
    assert browser_of(mallory).get(reverse("access:list-console-sessions", args=["bob"])).status_code == 404


def test_sessions_that_are_over_are_not_listed(alice: User, noon: Any) -> None:
    browser_of(alice)
    noon.shift(timedelta(minutes=31))
    assert len(browser_of(alice).get(reverse("access:sessions")).context["page"]) == 1


def test_a_page_of_many_sessions_asks_the_database_as_often(alice: User, django_assert_num_queries: Any) -> None:
    browser, page = browser_of(alice), reverse("access:sessions")
    binding = LoginProfile.objects.get(user=alice).get_session_auth_hash()
    browser.get(page)
    with django_assert_num_queries(4):
        browser.get(page)
    for _ in range(60):
        sessions.open_session(
            account_id=alice.account_id, user=alice, password_binding=binding, origin=ORIGIN, mfa=False
        )
    with django_assert_num_queries(4):
        assert len(browser.get(page).context["page"]) == 50
