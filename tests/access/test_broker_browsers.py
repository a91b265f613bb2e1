"""A company's own identity broker: which browser its sign-in token lets in, and where that one goes on."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from access import broker, cookies
from access.models import ConsoleSession, SigninToken
from access.session_tokens import open_token
from audit.models import Event
from audit.principal import Principal
from identities.models import User
from identities.sealed import box
from tests.access.brokers import GO_ON, NOON, PAGE, federated, token_for, way_in, why
from tests.cast import ACME, ORIGIN, browser_of
from tests.rig.races import THREADS, race


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
