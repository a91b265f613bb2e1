"""Forward authentication with real proxies in front of a small service, each set up by its guide's own words:
`make test-clients` installs them into .clients. (nginx has its own test.)"""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test.utils import override_settings
from pytest_django.live_server_helper import LiveServer

from access.route_tables import create_route_table, rotate_route_table_token
from identities.models import User
from tests.api.conftest import SECRET, key_of
from tests.api.test_authorize import signed
from tests.api.test_nginx import raw, raw_answer, send
from tests.cast import allow, principal_of
from tests.rig.proxies import CADDY, ENVOY, TRAEFIK, Proxy, caddy, envoy, traefik
from tests.rig.served import free_port

ROUTES = """
GET,PUT,DELETE * /orders/{order} orders:GetOrder arn:aws:orders::{account}:order/{order}
"""
CHUNKED = b"2\r\nhi\r\n0\r\n\r\n"
EMPTY = hashlib.sha256(b"").hexdigest()
PROXIES = [
    pytest.param(
        proxy,
        id=program.name,
        marks=pytest.mark.skipif(not program.exists(), reason=f"There is no {program}: `make test-clients` brings it."),
    )
    for program, proxy in ((CADDY, caddy), (ENVOY, envoy), (TRAEFIK, traefik))
]


@pytest.fixture(params=PROXIES)
def proxy(request: pytest.FixtureRequest) -> Proxy:
    return request.param  # type: ignore[no-any-return] # pytest's own


@pytest.fixture
def front(proxy: Proxy, tmp_path: Path, live_server: LiveServer, alice: User) -> Iterator[str]:
    """The proxy, which asks the running console."""
    table = create_route_table(by=principal_of(alice), name="orders", signing_name="orders", routes=ROUTES)
    token = rotate_route_table_token(by=principal_of(alice), table=table)
    with override_settings(TRUSTED_PROXY_COUNT=0), proxy(tmp_path, live_server.url, token) as address:
        yield address


@pytest.fixture
def bobs(alice: User, bob: User) -> str:
    allow(bob, "orders:GetOrder", "arn:aws:orders::111122223333:order/7*")
    return key_of(bob).access_key_id


@pytest.mark.bar(13)
def test_who_may_reaches_the_service_under_no_other_name(front: str, bobs: str, bob: User) -> None:
    expected = {"arn": bob.arn, "account": "111122223333", "user-id": bob.unique_id, "name": "bob", "type": "user"}
    expected |= {"access-key-id": bobs, "content-sha256": EMPTY}
    forged = {f"X-Iam-{name}": "forged" for name in expected} | {"X_Iam_Arn": "forged", "X-Iam_Name": "forged"}
    for path in ("/orders/7", "/orders/7?q=a%20b&c=%2B"):
        status, got = send(signed(bobs, f"{front}{path}"), **forged)
        assert (status, got["path"]) == (200, path)
        seen = {name.replace("_", "-"): value for name, value in got["headers"].items()}
        assert {name: seen[f"x-iam-{name}"] for name in expected} == expected
        assert "forged" not in got["headers"].values()
        assert "x-iam-token" not in got["headers"]


def test_who_may_not_is_told_403_and_who_is_unknown_401(front: str, bobs: str) -> None:
    assert send(signed(bobs, f"{front}/orders/8"))[0] == 403
    assert send(signed(bobs, f"{front}/nothing"))[0] == 403
    assert send(signed("AKIAIOSFODNN7EXAMPLE", f"{front}/orders/7"))[0] == 401


@pytest.mark.bar(13)
def test_what_a_client_says_of_itself_is_not_believed(front: str, bobs: str, bob: User) -> None:
    told = {"X-Forwarded-Uri": "/orders/7", "X-Original-Uri": "/orders/7", "X-Envoy-Original-Path": "/orders/7"}
    told |= {"X-Forwarded-Method": "GET", "X-Iam-Token": "guess", "X-Iam-Host": "127.0.0.1"}
    request = signed(bobs, f"{front}/orders/7")
    request.url = f"{front}/orders/8"
    assert send(request, **told)[0] == 401
    request = signed(bobs, f"{front}/orders/7", method="PUT")
    request.method = "DELETE"
    assert send(request, **told)[0] == 401
    allow(bob, "orders:GetOrder", Effect="Deny", Condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}})
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Real-Ip": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    assert send(signed(bobs, f"{front}/orders/7"), **forged)[0] == 403


@pytest.mark.bar(13)
def test_a_body_needs_its_hash_in_a_header(front: str, bobs: str) -> None:
    body, url = b'{"paid":true}', f"{front}/orders/7"
    declared = hashlib.sha256(body).hexdigest()
    length = {"X-Forwarded-Content-Length": "0"}
    assert send(signed(bobs, url, method="PUT", body=body), **length)[0] == 401
    status, got = send(signed(bobs, url, method="PUT", body=body, declared=declared))
    assert (status, got["headers"]["x-iam-content-sha256"]) == (200, declared)


def test_nothing_needs_no_hash_where_the_proxy_says_so(proxy: Proxy, front: str, bobs: str) -> None:
    status = send(signed(bobs, f"{front}/orders/7", method="PUT"), **{"Content-Length": "0"})[0]
    assert status == (401 if proxy is traefik else 200)


@pytest.mark.bar(13)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_no_chunked_body_rides_on_an_empty_ones_signature(front: str, bobs: str, method: str) -> None:
    request = signed(bobs, f"{front}/orders/7", method=method)
    for more in ({}, {"X-Forwarded-Content-Length": "0"}):
        told = {"Transfer-Encoding": "chunked", **more}
        assert raw(front, request, f"{method} /orders/7 HTTP/1.1", CHUNKED, **told) in (401, 411)


@pytest.mark.bar(13)
def test_a_get_with_a_body_is_refused_or_the_service_can_see_it(proxy: Proxy, front: str, bobs: str) -> None:
    request = signed(bobs, f"{front}/orders/7")
    answer = raw_answer(front, request, "GET /orders/7 HTTP/1.1", CHUNKED, **{"Transfer-Encoding": "chunked"})
    if proxy is traefik:
        assert f'"x-iam-content-sha256": "{EMPTY}"'.encode() in answer
    else:
        assert int(answer.split()[1]) in (401, 411)


@pytest.mark.bar(13)
def test_a_request_line_with_another_host_or_a_strange_path_is_refused(front: str, bobs: str) -> None:
    request = signed(bobs, f"{front}/orders/7")
    assert b"x-iam-arn" in raw_answer(front, request, "GET /orders/7 HTTP/1.1")
    # Caddy answers for hosts that it doesn't serve by itself.
    assert b"x-iam-arn" not in raw_answer(front, request, "GET http://other.example.com/orders/7 HTTP/1.1")
    for path in ("/orders/../orders/7", "//orders/7", "/orders/7%2F..%2F8", "/orders/7/", "/orders/7;x", "/ORDERS/7"):
        status, got = send(signed(bobs, f"{front}{path}"))
        # Traefik cleans the path, for the console and the service alike.
        assert status in (400, 401, 403) or got["path"] == "/orders/7", path


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(("path", "status"), [("/orders/7?x=1&y=a%2Bb", "200"), ("/x", "403")])
def test_curl_signs_for_it(front: str, bobs: str, path: str, status: str) -> None:
    command = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--aws-sigv4", "aws:amz:us-east-1:orders"]
    command += ["--user", f"{bobs}:{SECRET}", f"{front}{path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == status


@pytest.mark.bar(13)
def test_nobody_gets_in_while_the_console_is_away(proxy: Proxy, tmp_path: Path, bobs: str) -> None:
    with proxy(tmp_path, f"http://127.0.0.1:{free_port()}", "token") as address:
        assert send(signed(bobs, f"{address}/orders/7"))[0] >= 400
