"""A company's own identity broker: which credentials open a sign-in, and for how long."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from access import broker
from access.gate import PrincipalGate
from access.models import ConsoleSession, SigninToken
from access.session_tokens import open_token, seal
from access.temporary_credentials import Credentials, SessionRequest
from access.user_sessions import get_federation_token, get_session_token
from accounts.models import Account
from audit.models import Event
from audit.principal import Principal
from identities.models import AccessKey, Role, User
from identities.sealed import box
from identities.services.access_keys import create_access_key
from identities.services.role_sessions import revoke_sessions
from identities.services.roles import delete_role
from tests.access.brokers import (
    GO_ON,
    LOOK,
    NOON,
    PAGE,
    WRONG,
    as_role,
    asked,
    federated,
    principal_with,
    token_for,
    way_in,
    why,
)
from tests.cast import ACME, allow, make_role, root_of, trusting


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
def test_a_federated_user_takes_on_no_role_here_either(bobs: Principal, bob: User, ops: Role, client: Client) -> None:
    """As AssumeRole refuses them: the role would not be limited by what the broker gave."""
    allow(bob, ["sts:AssumeRole", "sts:GetFederationToken"], name="more")
    requested = SessionRequest(name="jane", seconds=3600, document=LOOK.replace("iam:ListUsers", "*"))
    client.get(PAGE, way_in(token_for(get_federation_token(by=bobs, requested=requested).credentials)))
    assert "/switchrole" not in client.get("/dashboard/").text
    reply = client.post("/switchrole", {"account": bob.account_id, "role_name": "ops"})
    assert reply.status_code == 200 and "A federated user can" in reply.text
    assert not ConsoleSession.objects.get().acting_token


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


@pytest.mark.bar(10, 11)
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
