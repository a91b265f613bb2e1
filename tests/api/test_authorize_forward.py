"""Forward authentication: what nginx, Caddy, Traefik and Envoy are told."""

import hashlib
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from access.models import RouteTable
from access.route_tables import create_route_table, rotate_route_table_token
from audit.models import Event
from identities.models import User
from tests.api.conftest import key_of
from tests.api.test_authorize import ORDER, signed
from tests.cast import allow, principal_of

ROUTES = """
GET,PUT,POST,PATCH,DELETE api.example.com /orders/{order} orders:GetOrder arn:aws:orders::{account}:order/{order}
"""
URL = "https://api.example.com/orders/7"


@pytest.fixture
def table(alice: User) -> RouteTable:
    return create_route_table(by=principal_of(alice), name="orders", signing_name="orders", routes=ROUTES)


@pytest.fixture
def token(alice: User, table: RouteTable) -> str:
    return rotate_route_table_token(by=principal_of(alice), table=table)


@pytest.fixture
def bobs(bob: User) -> str:
    allow(bob, "orders:GetOrder", ORDER)
    return key_of(bob).access_key_id


def headers_of(request: Any, token: str, **more: str) -> dict[str, str]:
    """What nginx, Caddy and Traefik send: the client's headers, and where it wanted to go."""
    parts = urlsplit(request.url)
    sent = {name: value for name, value in request.headers.items() if name != "Host"}
    uri = parts.path + (f"?{parts.query}" if parts.query else "")
    told = {"X-Forwarded-Method": request.method, "X-Forwarded-Host": parts.netloc, "X-Forwarded-Uri": uri}
    return {**sent, **told, "X-Iam-Token": token, "Host": "console.internal", **more}


def ask(request: Any, token: str, **more: str) -> Any:
    return Client().get("/authorize/forward", headers=headers_of(request, token, **more))


def test_it_lets_in_who_may_and_says_who_it_is(token: str, bobs: str, bob: User) -> None:
    reply = ask(signed(bobs, f"{URL}?page=2&q=a%20b"), token)
    assert reply.status_code == 200
    assert reply.headers["X-Iam-Arn"] == bob.arn
    assert reply.headers["X-Iam-Account"] == "111122223333"
    assert reply.headers["X-Iam-User-Id"] == bob.unique_id
    assert (reply.headers["X-Iam-Name"], reply.headers["X-Iam-Type"]) == ("bob", "user")
    assert reply.headers["X-Iam-Access-Key-Id"] == bobs


def test_who_may_not_is_refused_and_recorded(token: str, bobs: str, bob: User) -> None:
    reply = ask(signed(bobs, "https://api.example.com/orders/8"), token)
    assert (reply.status_code, reply.json()["Error"]["Code"]) == (403, "AccessDenied")
    event = Event.objects.get(action="orders:GetOrder")
    assert (event.principal_arn, event.outcome, event.detail["route_table"]) == (bob.arn, "Denied", "orders")


def test_who_signed_nothing_is_unknown(token: str) -> None:
    told = {"X-Forwarded-Method": "GET", "X-Forwarded-Host": "api.example.com", "X-Forwarded-Uri": "/orders/7"}
    reply = Client().get("/authorize/forward", headers={**told, "X-Iam-Token": token})
    assert (reply.status_code, reply.json()["Error"]["Code"]) == (401, "MissingAuthenticationToken")
    assert reply.headers["WWW-Authenticate"]


@pytest.mark.bar(81)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Forwarded-Method", "PUT"),
        ("X-Forwarded-Uri", "/orders/7?admin=1"),
        ("X-Forwarded-Uri", "/orders/9"),
        ("X-Forwarded-Host", "other.example.com"),
    ],
)
def test_another_request_than_the_signed_one_is_refused(token: str, bobs: str, name: str, value: str) -> None:
    assert ask(signed(bobs, URL), token, **{name: value}).status_code == 401


def test_a_stranger_learns_nothing_of_the_routes(token: str) -> None:
    known = ask(signed("AKIAIOSFODNN7EXAMPLE", URL), token)
    unknown = ask(signed("AKIAIOSFODNN7EXAMPLE", "https://api.example.com/nothing"), token)
    assert known.status_code == unknown.status_code == 401
    assert known.json()["Error"] == unknown.json()["Error"]


def test_what_no_route_fits_is_refused(token: str, bobs: str) -> None:
    reply = ask(signed(bobs, "https://api.example.com/nothing"), token)
    assert (reply.status_code, reply.json()["Error"]["Code"]) == (403, "NoRoute")


@pytest.mark.parametrize("path", ["/orders/x/../7", "/orders/%2e%2e", "/orders//7", "/orders/7;x"])
def test_a_path_with_two_readings_is_refused(token: str, bobs: str, path: str) -> None:
    reply = ask(signed(bobs, f"https://api.example.com{path}"), token)
    assert (reply.status_code, reply.json()["Error"]["Code"]) == (403, "UnreadableRequest")


@pytest.mark.bar(13)
@pytest.mark.parametrize("wrong", ["", "guess", "x" * 5000])
def test_nobody_is_believed_without_the_token(token: str, bobs: str, wrong: str) -> None:
    reply = ask(signed(bobs, URL), wrong)
    assert (reply.status_code, reply.json()["Error"]["Code"]) == (403, "InvalidRouteTableToken")


def test_an_earlier_token_stops_at_once(token: str, bobs: str, alice: User, table: RouteTable) -> None:
    newer = rotate_route_table_token(by=principal_of(alice), table=table)
    assert ask(signed(bobs, URL), token).status_code == 403
    assert ask(signed(bobs, URL), newer).status_code == 200


@pytest.mark.bar(127)
def test_people_of_another_account_are_unknown(token: str, mallory: User) -> None:
    reply = ask(signed(key_of(mallory).access_key_id, URL), token)
    assert (reply.status_code, reply.json()["Error"]["Code"]) == (401, "InvalidClientTokenId")


@pytest.mark.parametrize("missing", ["X-Forwarded-Method", "X-Forwarded-Host", "X-Forwarded-Uri"])
def test_a_proxy_that_leaves_something_out_is_refused(token: str, bobs: str, missing: str) -> None:
    headers = headers_of(signed(bobs, URL), token)
    del headers[missing]
    reply = Client().get("/authorize/forward", headers=headers)
    assert (reply.status_code, reply.json()["Error"]["Code"]) == (403, "UnreadableRequest")


def test_a_body_is_covered_when_the_client_says_its_hash(token: str, bobs: str) -> None:
    request = signed(bobs, URL, method="PUT", body=b"{}")
    assert ask(request, token, **{"X-Forwarded-Content-Length": "2"}).status_code == 401
    request = signed(bobs, URL, method="PUT", body=b"{}", declared=hashlib.sha256(b"{}").hexdigest())
    assert ask(request, token, **{"X-Forwarded-Content-Length": "2"}).status_code == 200


EMPTY = hashlib.sha256(b"").hexdigest()


@pytest.mark.bar(13)
@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE", "GET"])
@pytest.mark.parametrize("length", ["", "chunked", "5", "0, 5"])
def test_a_body_can_not_ride_on_an_empty_ones_signature(token: str, bobs: str, method: str, length: str) -> None:
    """Only in a GET, where a body means nothing, silence about its length is taken for none."""
    request = signed(bobs, URL, method=method)
    silent = method == "GET" and not length
    assert (ask(request, token, **{"X-Forwarded-Content-Length": length}).status_code == 401) is not silent


@pytest.mark.bar(13)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "GET"])
def test_the_service_is_told_what_the_signature_covers(token: str, bobs: str, method: str) -> None:
    """With it a service finds out a body that nobody signed, in whatever request it comes."""
    covered = hashlib.sha256(b"{}").hexdigest()
    for declared, expected in (("", EMPTY), (EMPTY, EMPTY), (covered, covered)):
        body = b"{}" if expected == covered else b""
        request = signed(bobs, URL, method=method, body=body, declared=declared)
        reply = ask(request, token, **{"X-Forwarded-Content-Length": str(len(body))})
        assert reply.headers.get("X-Iam-Content-Sha256") == expected


@pytest.mark.bar(13)
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_nobody_vouches_for_a_body_that_is_not_signed(token: str, bobs: str, method: str) -> None:
    request = signed(bobs, URL, method=method, declared="UNSIGNED-PAYLOAD")
    assert ask(request, token, **{"X-Forwarded-Content-Length": "0"}).status_code == 401


@pytest.mark.bar(13)
def test_a_request_with_two_hosts_is_refused(token: str, bobs: str) -> None:
    request = signed(bobs, URL)
    assert ask(request, token, **{"X-Iam-Host": "api.example.com"}).status_code == 200
    reply = ask(request, token, **{"X-Iam-Host": "other.example.com"})
    assert (reply.status_code, reply.json()["Error"]["Code"]) == (403, "UnreadableRequest")


@pytest.mark.parametrize(
    ("name", "same", "other"),
    [
        ("X-HTTP-Method-Override", "POST", "DELETE"),
        ("X-Http-Method", "POST", "GET"),
        ("X-Method-Override", "POST", "post, DELETE"),
        ("X-Original-Url", f"{URL}?x=1", "/orders/8"),
        ("X-Rewrite-Url", "/orders/7?x=1", "/orders/7?x=2"),
    ],
)
def test_a_request_that_means_another_one_by_a_header_is_refused(
    token: str, bobs: str, name: str, same: str, other: str
) -> None:
    """Many frameworks do what such a header says, and the decision would be about something else."""
    request = signed(bobs, f"{URL}?x=1", method="POST")
    more = {"X-Forwarded-Content-Length": "0"}
    assert ask(request, token, **more, **{name: same}).status_code == 200
    reply = ask(request, token, **more, **{name: other})
    assert (reply.status_code, reply.json()["Error"]["Code"]) == (403, "UnreadableRequest")


def test_conditions_see_the_address_that_the_proxy_saw(token: str, bobs: str, bob: User) -> None:
    allow(bob, "orders:GetOrder", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})
    request = signed(bobs, URL)
    assert ask(request, token).status_code == 403
    assert ask(request, token, **{"X-Forwarded-For": "203.0.113.9, 198.51.100.1"}).status_code == 403
    assert ask(request, token, **{"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}).status_code == 200
    with override_settings(TRUSTED_PROXY_COUNT=1):
        assert ask(request, token, **{"X-Forwarded-For": "203.0.113.9, 10.0.0.1"}).status_code == 200


def test_envoy_asks_with_the_requests_own_method_and_path(token: str, bobs: str, bob: User) -> None:
    request = signed(bobs, f"{URL}?a=1", method="PUT", declared=hashlib.sha256(b"").hexdigest())
    sent = {name: value for name, value in request.headers.items() if name != "Host"}
    headers = {**sent, "Host": "api.example.com", "X-Iam-Token": token, "X-Forwarded-Method": "GET"}
    reply = Client().put("/authorize/envoy/orders/7?a=1", headers=headers)
    assert (reply.status_code, reply.headers["X-Iam-Arn"]) == (200, bob.arn)
    assert Client().put("/authorize/envoy/orders/8?a=1", headers=headers).status_code == 401


def test_it_asks_the_database_twice(token: str, bobs: str) -> None:
    ask(signed(bobs, URL), token)
    with CaptureQueriesContext(connection) as queries:
        assert ask(signed(bobs, URL), token).status_code == 200
    assert len(queries) == 2
