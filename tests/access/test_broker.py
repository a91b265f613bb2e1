"""A company's own identity broker: which credentials become a sign-in token, and which browser that lets in."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from access import broker, cookies
from access.assume_role import assume_role
from access.gate import PrincipalGate
from access.models import ConsoleSession, SigninToken
from access.principals import load_for_access_key
from access.session_tokens import open_token, seal
from access.temporary import Credentials, Wish
from access.user_sessions import get_federation_token, get_session_token
from accounts.models import Account
from audit.models import Event
from audit.principal import Principal
from identities.models import AccessKey, Role, User
from identities.sealed import box
from identities.services.access_keys import create_access_key
from identities.services.role_sessions import revoke_sessions
from identities.services.roles import delete_role
from tests.cast import ACME, ORIGIN, allow, browser_of, make_role, root_of, trusting
from tests.rig.races import THREADS, race

PAGE, GO_ON = "/federation", "/federation/go-on/"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOOK = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}]}'
WRONG = "These credentials do not open the console."


@pytest.fixture
def bobs(acme: Account, bob: User) -> Principal:
    """Bob, by a long-term key."""
    allow(bob, ["iam:ListUsers", "iam:ListGroups", "sts:AssumeRole"])
    key, _ = create_access_key(by=root_of(acme), user=bob)
    holder = load_for_access_key(key.access_key_id, ORIGIN)
    assert holder is not None
    return holder.principal()


@pytest.fixture
def ops(acme: Account, bob: User) -> Role:
    role = make_role(acme, "ops", trusting(bob.arn))
    allow(role, ["iam:ListUsers", "sts:AssumeRole"])
    return role


def federated(bobs: Principal, seconds: int = 3600) -> Credentials:
    return get_federation_token(by=bobs, wish=Wish(name="jane", seconds=seconds, document=LOOK)).credentials


def as_role(by: Principal, role: Role, seconds: int = 900) -> Credentials:
    wish = Wish(name="jane", seconds=seconds)
    return assume_role(gate=PrincipalGate(by), role_arn=role.arn, wish=wish).credentials


def principal_with(made: Credentials) -> Principal:
    holder = load_for_access_key(made.access_key_id, ORIGIN, made.session_token)
    assert holder is not None
    return holder.principal()


def asked(made: Credentials, **more: str) -> dict[str, str]:
    parts = {
        "sessionId": made.access_key_id,
        "sessionKey": made.secret_access_key,
        "sessionToken": made.session_token,
    }
    return {"Action": "getSigninToken", "Session": json.dumps(parts), **more}


def token_for(made: Credentials, **more: str) -> str:
    reply = Client(enforce_csrf_checks=True).post(PAGE, asked(made, **more))
    assert reply.status_code == 200, reply.content
    return str(reply.json()["SigninToken"])


def way_in(token: str, **more: str) -> dict[str, str]:
    return {"Action": "login", "Issuer": "https://login.example/", "SigninToken": token, **more}


def why() -> str:
    return str(Event.objects.filter(outcome="Failure").latest("pk").detail["reason"])


@pytest.mark.bar(117)
def test_a_federated_user_comes_in_and_may_do_what_both_allow(bobs: Principal, client: Client) -> None:
    reply = client.get(PAGE, way_in(token_for(federated(bobs)), Destination="/identities/users/"))
    assert (reply.status_code, reply.headers["Location"]) == (302, "/identities/users/")
    page = client.get("/identities/users/")
    assert page.status_code == 200 and "Federated user" in page.content.decode()
    assert client.get("/identities/groups/").status_code == 403
    session = ConsoleSession.objects.get()
    assert session.is_federated and session.came_from == "https://login.example/"
    events = Event.objects.filter(principal_type="federated-user", outcome="Success")
    assert [*events.values_list("action", flat=True)] == ["signin:GetSigninToken", "signin:ConsoleLogin"]


@pytest.mark.bar(117)
def test_a_role_session_comes_in(bobs: Principal, ops: Role, client: Client) -> None:
    assert client.get(PAGE, way_in(token_for(as_role(bobs, ops)))).headers["Location"] == "/dashboard/"
    assert client.get("/identities/users/").status_code == 200
    assert "ops / jane" in client.get("/dashboard/").content.decode()


def test_get_does_as_well_as_post(bobs: Principal, client: Client) -> None:
    assert client.get(PAGE, asked(federated(bobs))).json().keys() == {"SigninToken"}


Changed = Callable[[Credentials], Credentials]
TAMPERED: dict[str, Changed] = {
    "another secret": lambda made: replace(made, secret_access_key="x" * 40),
    "another key id": lambda made: replace(made, access_key_id=f"ASIA{'Q' * 16}"),
    "a long-term key id": lambda made: replace(made, access_key_id=f"AKIA{made.access_key_id[4:]}"),
    "a flipped letter": lambda made: replace(made, session_token=made.session_token[:-9] + "AAAAAAAA="),
    "no token": lambda made: replace(made, session_token=""),
    "odd letters": lambda made: replace(made, secret_access_key="\ud800"),
    "a zero byte": lambda made: replace(made, session_token="a\x00b"),
}


@pytest.mark.bar(117)
@pytest.mark.parametrize("how", TAMPERED)
def test_tampered_credentials_are_refused_in_the_same_words(bobs: Principal, client: Client, how: str) -> None:
    reply = client.post(PAGE, asked(TAMPERED[how](federated(bobs))))
    assert (reply.status_code, reply.json()) == (400, {"error": WRONG})
    assert not SigninToken.objects.exists() and why()


@pytest.mark.bar(117)
@pytest.mark.parametrize(
    "session", ["", "x", "[]", "{}", '{"sessionId": 1, "sessionKey": 2, "sessionToken": 3}', "[" * 9000]
)
def test_what_is_no_session_is_refused(db: None, client: Client, session: str) -> None:
    reply = client.post(PAGE, {"Action": "getSigninToken", "Session": session})
    assert (reply.status_code, reply.json()) == (400, {"error": WRONG})


@pytest.mark.bar(117)
def test_long_term_credentials_and_those_of_get_session_token_are_refused(
    acme: Account, bob: User, bobs: Principal, client: Client
) -> None:
    made = get_session_token(gate=PrincipalGate(bobs))
    assert client.post(PAGE, asked(made)).json() == {"error": WRONG}
    assert "GetSessionToken" in why() and Event.objects.latest("pk").account_id == ACME
    key, secret = create_access_key(by=root_of(acme), user=bob)
    for token in ("", "x", made.session_token):
        long_term = Credentials(key.access_key_id, secret, token, NOON)
        assert client.post(PAGE, asked(long_term)).json() == {"error": WRONG}


def expire(made: Credentials, by: Principal, role: Role, time: Any) -> None:
    time.shift(timedelta(seconds=901))


def revoke(made: Credentials, by: Principal, role: Role, time: Any) -> None:
    time.shift(timedelta(seconds=1))
    revoke_sessions(by=root_of(role.account), role=role)


def delete(made: Credentials, by: Principal, role: Role, time: Any) -> None:
    role.inline_policies.all().delete()
    delete_role(by=root_of(role.account), role=role)


GONE = {"expired": expire, "revoked": revoke, "gone": delete}


@pytest.mark.bar(117)
@pytest.mark.parametrize("reason", GONE)
def test_what_is_over_opens_nothing_at_either_step(bobs: Principal, ops: Role, client: Client, reason: str) -> None:
    with time_machine.travel(NOON, tick=False) as time:
        made = as_role(bobs, ops)
        token = token_for(made)
        SigninToken.objects.update(expires_at=NOON + timedelta(hours=1))
        GONE[reason](made, bobs, ops, time)
        assert client.post(PAGE, asked(made)).json() == {"error": WRONG}
        assert reason in why()
        assert client.get(PAGE, way_in(token)).status_code == 400
        assert client.post(GO_ON, way_in(token)).status_code == 400
    assert reason in why() and not ConsoleSession.objects.exists()


@pytest.mark.bar(117)
def test_without_the_key_that_made_it_a_federated_user_is_nobody(bobs: Principal, client: Client) -> None:
    made = federated(bobs)
    client.get(PAGE, way_in(token_for(made)))
    AccessKey.objects.update(status="Inactive")
    assert client.post(PAGE, asked(made)).status_code == 400
    assert client.get("/identities/users/").headers["Location"].startswith("/signin/")


@pytest.mark.bar(118)
def test_a_token_signs_in_once(bobs: Principal, client: Client) -> None:
    token = token_for(federated(bobs))
    assert client.get(PAGE, way_in(token)).status_code == 302
    assert Client().get(PAGE, way_in(token)).status_code == 400
    assert Client().post(GO_ON, way_in(token)).status_code == 400
    assert "used before" in why() and Event.objects.latest("pk").account_id == ACME
    assert ConsoleSession.objects.count() == 1


@pytest.mark.bar(118)
@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_comes_in(bobs: Principal) -> None:
    token = token_for(federated(bobs))
    row = SigninToken.objects.get()
    refused = race(lambda number: broker._enter(row, "", ORIGIN), broker.Refused)
    assert refused == THREADS - 1 and ConsoleSession.objects.count() == 1
    assert Client().get(PAGE, way_in(token)).status_code == 400


@pytest.mark.bar(118)
def test_a_token_is_good_for_fifteen_minutes(bobs: Principal, client: Client) -> None:
    with time_machine.travel(NOON, tick=False) as time:
        late, right = token_for(federated(bobs)), token_for(federated(bobs))
        time.shift(timedelta(minutes=14, seconds=59))
        assert client.get(PAGE, way_in(right)).status_code == 302
        time.shift(timedelta(seconds=1))
        assert Client().get(PAGE, way_in(late)).status_code == 400


@pytest.mark.bar(54, 118)
def test_nothing_stored_or_recorded_opens_anything(bobs: Principal, client: Client) -> None:
    made = federated(bobs)
    token = token_for(made)
    client.get(PAGE, way_in(token))
    rows = [*SigninToken.objects.values(), *ConsoleSession.objects.values(), *Event.objects.values()]
    assert not [secret for secret in (token, made.secret_access_key, made.session_token) if secret in str(rows)]
    kept = open_token(ConsoleSession.objects.get().own_token, made.access_key_id, box())
    assert kept.secret != made.secret_access_key


@pytest.mark.bar(35, 118)
def test_whoever_is_signed_in_as_somebody_else_is_asked_first(alice: User, bobs: Principal) -> None:
    browser, token = browser_of(alice, enforce_csrf=True), token_for(federated(bobs))
    old = browser.cookies[cookies.name(cookies.SESSION)].value
    page = browser.get(PAGE, way_in(token, Destination="/identities/users/"))
    shown = page.content.decode()
    assert page.status_code == 200 and alice.arn in shown and "federated-user/jane" in shown
    assert ConsoleSession.objects.get().user == alice
    form = way_in(token, Destination="/identities/users/")
    assert browser.post(GO_ON, form).status_code == 403
    form["csrfmiddlewaretoken"] = str(page.context["csrf_token"])
    assert browser.post(GO_ON, form).headers["Location"] == "/identities/users/"
    assert browser.cookies[cookies.name(cookies.SESSION)].value != old
    assert not ConsoleSession.objects.filter(user=alice).exists()


@pytest.mark.bar(35, 118)
def test_the_same_person_comes_in_again_with_a_new_session(bobs: Principal, client: Client) -> None:
    client.get(PAGE, way_in(token_for(federated(bobs))))
    old = client.cookies[cookies.name(cookies.SESSION)].value
    assert client.get(PAGE, way_in(token_for(federated(bobs)))).status_code == 302
    assert client.cookies[cookies.name(cookies.SESSION)].value != old
    assert ConsoleSession.objects.count() == 1


@pytest.mark.bar(35, 118)
def test_a_planted_session_id_is_not_taken_up(bobs: Principal, client: Client) -> None:
    client.cookies[cookies.name(cookies.SESSION)] = "planted"
    client.get(PAGE, way_in(token_for(federated(bobs))))
    assert client.cookies[cookies.name(cookies.SESSION)].value != "planted"


@pytest.mark.bar(118)
def test_another_site_s_link_is_followed_once_more_from_here(alice: User, bobs: Principal) -> None:
    """A browser keeps root's cookie back when another site leads here: only then it is known who would be replaced."""
    token = token_for(federated(bobs))
    page = Client().get(PAGE, way_in(token), headers={"Sec-Fetch-Site": "cross-site"})
    assert page.status_code == 200 and 'http-equiv="refresh"' in page.content.decode()
    assert not ConsoleSession.objects.exists() and cookies.name(cookies.SESSION) not in page.cookies
    assert Client().get(PAGE, way_in(token), headers={"Sec-Fetch-Site": "same-origin"}).status_code == 302


@pytest.mark.bar(118)
def test_a_form_of_another_site_signs_nobody_in(bobs: Principal, client: Client) -> None:
    outside = {"Sec-Fetch-Site": "cross-site", "Origin": "https://login.example"}
    token = token_for(federated(bobs))
    page = client.post(PAGE, way_in(token), headers=outside)
    assert page.status_code == 200 and not ConsoleSession.objects.exists()
    assert client.post(GO_ON, way_in(token), headers=outside).status_code == 403
    assert client.post(GO_ON, way_in(token)).status_code == 302


def session_seconds(made: Credentials, *, client: Client | None = None, **more: str) -> float:
    ConsoleSession.objects.all().delete()
    (client or Client()).get(PAGE, way_in(token_for(made, **more)))
    return (ConsoleSession.objects.get().expires_at - NOON).total_seconds()


def test_a_session_lasts_as_long_as_its_credentials_or_as_was_asked(bobs: Principal, ops: Role) -> None:
    with time_machine.travel(NOON, tick=False):
        assert session_seconds(federated(bobs, 129_600)) == 129_600
        assert session_seconds(as_role(bobs, ops)) == 900
        assert session_seconds(as_role(bobs, ops), SessionDuration="43200") == 43200
        assert session_seconds(as_role(bobs, ops, 3600), SessionDuration="1000") == 1000


def test_it_goes_on_after_the_credentials_end_where_that_was_asked(bobs: Principal, ops: Role, client: Client) -> None:
    with time_machine.travel(NOON, tick=False) as time:
        made = as_role(bobs, ops)
        session_seconds(made, client=client, SessionDuration="3600")
        time.shift(timedelta(minutes=20))
        assert client.get("/identities/users/").status_code == 200
        assert client.post(PAGE, asked(made)).status_code == 400
        time.shift(timedelta(minutes=20))
        assert client.get("/identities/users/").status_code == 200
        revoke_sessions(by=root_of(ops.account), role=ops)
        assert client.get("/identities/users/").status_code == 403


def test_what_came_of_temporary_credentials_does_not_last_longer(
    acme: Account, bobs: Principal, ops: Role, client: Client
) -> None:
    last = make_role(acme, "last", trusting(ops.arn))
    chained = as_role(principal_with(as_role(bobs, ops)), last)
    reply = client.post(PAGE, asked(chained, SessionDuration="1800"))
    assert (reply.status_code, reply.json()["error"]) == (
        400,
        "SessionDuration is longer than what is left of these credentials.",
    )
    assert client.post(PAGE, asked(as_role(bobs, ops), SessionDuration="1800")).status_code == 200


@pytest.mark.parametrize("seconds", ["899", "43201", "-1", "x", "9" * 30, "٩٠٠"])
def test_a_duration_out_of_bounds_is_an_error(bobs: Principal, ops: Role, client: Client, seconds: str) -> None:
    reply = client.post(PAGE, asked(as_role(bobs, ops), SessionDuration=seconds))
    assert reply.status_code == 400 and "between 900 and 43200" in reply.json()["error"]


def test_no_duration_goes_with_get_federation_token(bobs: Principal, client: Client) -> None:
    reply = client.post(PAGE, asked(federated(bobs), SessionDuration="900"))
    assert reply.status_code == 400 and "GetFederationToken" in reply.json()["error"]


@pytest.mark.bar(51, 119)
@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("http://localhost:8000/policies/", "/policies/"),
        ("http://localhost:8000//evil.example", "/dashboard/"),
        ("http://localhost:8000.evil.example/", "/dashboard/"),
        ("https://evil.example/", "/dashboard/"),
        ("//evil.example", "/dashboard/"),
        ("/\\evil.example", "/dashboard/"),
        ("javascript:alert(1)", "/dashboard/"),
        ("", "/dashboard/"),
    ],
)
def test_the_destination_is_a_page_of_ours(
    bobs: Principal, client: Client, settings: Any, address: str, where: str
) -> None:
    settings.SITE_URL = "http://localhost:8000"
    reply = client.get(PAGE, way_in(token_for(federated(bobs)), Destination=address))
    assert reply.headers["Location"] == where


@pytest.mark.bar(119)
@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example/",
        "javascript:alert(1)",
        "https://a@evil.example/",
        "https://",
        "//x",
        "<b>",
        'https://x/"',
    ],
)
def test_an_issuer_is_linked_only_if_https(bobs: Principal, client: Client, issuer: str) -> None:
    page = client.get(PAGE, way_in("unknown", Issuer=issuer)).content.decode()
    assert "You were sent by" in page and "Sign in again" not in page and "<b>" not in page
    assert 'href="https://login.example/"' in client.get(PAGE, way_in("unknown")).content.decode()
    client.get(PAGE, way_in(token_for(federated(bobs)), Issuer=issuer))
    assert ConsoleSession.objects.get().came_from == ""


def test_a_broker_on_this_machine_may_do_without_https_in_development(settings: Any) -> None:
    assert broker.linkable("http://127.0.0.1:8700/") == ""
    settings.FEDERATION_ALLOW_LOOPBACK = True
    assert broker.linkable("http://127.0.0.1:8700/") == "http://127.0.0.1:8700/"
    assert broker.linkable("http://login.example/") == ""


def test_refused_tries_are_limited_and_good_ones_are_not(bobs: Principal, client: Client) -> None:
    for _ in range(3):
        token_for(federated(bobs))
    for _ in range(broker.TRIES.tries):
        assert client.post(PAGE, {"Action": "getSigninToken"}).status_code == 400
    reply = client.post(PAGE, asked(federated(bobs)))
    assert reply.status_code == 429 and int(reply.headers["Retry-After"]) > 0
    assert client.get(PAGE, way_in("unknown")).status_code == 429


def test_any_other_action_is_refused(db: None, client: Client) -> None:
    assert client.get(PAGE).status_code == 400
    assert client.get(PAGE, {"Action": "logout"}).json() == {"error": "Action must be getSigninToken or login."}


def test_a_session_sealed_for_another_purpose_is_no_way_around(bobs: Principal, client: Client) -> None:
    """Claims that no operation made: only the four that a broker calls open the console."""
    made = federated(bobs)
    claims = open_token(made.session_token, made.access_key_id, box())
    other = seal(replace(claims, made_by="Invented"), made.access_key_id, box())
    assert client.post(PAGE, asked(replace(made, session_token=other))).json() == {"error": WRONG}
