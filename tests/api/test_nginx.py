"""Forward authentication with a real nginx in front of a small service, set up by the guide's own words."""

import hashlib
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from django.test.utils import override_settings
from pytest_django.live_server_helper import LiveServer

from access.route_tables import create_route_table, rotate_route_table_token
from identities.models import User
from tests.api.conftest import SECRET, key_of
from tests.api.test_authorize import signed
from tests.cast import allow, principal_of
from tests.rig.nginx import NGINX, nginx

pytestmark = pytest.mark.skipif(not NGINX.exists(), reason="There is no nginx: install Debian's package nginx-light.")

ROUTES = """
GET,PUT * /orders/{order} orders:GetOrder arn:aws:orders::{account}:order/{order}
"""


@pytest.fixture
def front(tmp_path: Path, live_server: LiveServer, alice: User) -> Iterator[str]:
    """nginx, which asks the running console."""
    table = create_route_table(by=principal_of(alice), name="orders", signing_name="orders", routes=ROUTES)
    token = rotate_route_table_token(by=principal_of(alice), table=table)
    with override_settings(TRUSTED_PROXY_COUNT=0), nginx(tmp_path, live_server.url, token) as address:
        yield address


@pytest.fixture
def bobs(alice: User, bob: User) -> str:
    allow(bob, "orders:GetOrder", "arn:aws:orders::111122223333:order/7*")
    return key_of(bob).access_key_id


def send(request: Any, **more: str) -> tuple[int, dict[str, Any]]:
    headers = {**dict(request.headers.items()), **more}
    sent = Request(request.url, data=request.body or None, headers=headers, method=request.method)  # noqa: S310 - ours
    try:
        with urlopen(sent, timeout=60) as answer:  # noqa: S310 - the server started here
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, {}


def test_who_may_reaches_the_service_with_a_name(front: str, bobs: str, bob: User) -> None:
    status, got = send(signed(bobs, f"{front}/orders/7?q=a%20b"), **{"X-Iam-Arn": "arn:aws:iam::1:root"})
    assert (status, got["path"]) == (200, "/orders/7?q=a%20b")
    assert got["headers"]["x-iam-arn"] == bob.arn
    assert got["headers"]["x-iam-user-id"] == bob.unique_id
    assert "x-iam-token" not in got["headers"]


def test_who_may_not_is_told_403_and_who_is_unknown_401(front: str, bobs: str) -> None:
    assert send(signed(bobs, f"{front}/orders/8"))[0] == 403
    assert send(signed(bobs, f"{front}/nothing"))[0] == 403
    assert send(signed("AKIAIOSFODNN7EXAMPLE", f"{front}/orders/7"))[0] == 401


@pytest.mark.bar(13)
def test_what_a_client_says_of_itself_is_not_believed(front: str, bobs: str) -> None:
    """The headers by which nginx asks are nginx's own, whatever the client sends."""
    request = signed(bobs, f"{front}/orders/7")
    request.url = f"{front}/orders/8"
    assert send(request, **{"X-Forwarded-Uri": "/orders/7", "X-Original-URI": "/orders/7"})[0] == 401
    assert send(signed(bobs, f"{front}/orders/7"), **{"X-Original-Url": "/orders/8"})[0] == 403
    request = signed(bobs, f"{front}/orders/7")
    request.method = "PUT"
    assert send(request, **{"X-Forwarded-Method": "GET"})[0] == 401


def test_a_body_needs_its_hash_in_a_header(front: str, bobs: str) -> None:
    body = b'{"paid":true}'
    declared, wrong = hashlib.sha256(body).hexdigest(), hashlib.sha256(b"{}").hexdigest()
    assert send(signed(bobs, f"{front}/orders/7", method="PUT", body=body))[0] == 401
    assert (
        send(signed(bobs, f"{front}/orders/7", method="PUT", body=body, declared=wrong))[0] == 200
    )  # the service has to look at it
    assert send(signed(bobs, f"{front}/orders/7", method="PUT", body=body, declared=declared))[0] == 200


def raw(front: str, request: Any, line: str, body: bytes = b"", **more: str) -> int:
    """Sent word for word, as no honest client would; the status of the answer."""
    return int(raw_answer(front, request, line, body, **more).split()[1])


def raw_answer(front: str, request: Any, line: str, body: bytes = b"", **more: str) -> bytes:
    parts = urlsplit(front)
    headers = {**dict(request.headers.items()), **more, "Host": parts.netloc, "Connection": "close"}
    words = [line, *(f"{name}: {value}" for name, value in headers.items())]
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as connection:
        connection.sendall("\r\n".join([*words, "", ""]).encode() + body)
        return connection.makefile("rb").read()


@pytest.mark.bar(13)
def test_a_request_line_with_another_host_is_refused(front: str, bobs: str) -> None:
    """nginx would serve the other host."""
    request = signed(bobs, f"{front}/orders/7")
    assert raw(front, request, "GET /orders/7 HTTP/1.1") == 200
    assert raw(front, request, "GET http://other.example.com/orders/7 HTTP/1.1") == 403


@pytest.mark.bar(13)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_no_chunked_body_rides_on_an_empty_ones_signature(front: str, bobs: str, method: str) -> None:
    request = signed(bobs, f"{front}/orders/7", method=method)
    body = b"2\r\nhi\r\n0\r\n\r\n"
    chunked = {"Transfer-Encoding": "chunked"}
    assert raw(front, request, f"{method} /orders/7 HTTP/1.1", body, **chunked) == 401


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(("path", "status"), [("/orders/7", "200"), ("/orders/7?x=1&y=a%2Bb", "200"), ("/x", "403")])
def test_curl_signs_for_it(front: str, bobs: str, path: str, status: str) -> None:
    command = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--aws-sigv4", "aws:amz:us-east-1:orders"]
    command += ["--user", f"{bobs}:{SECRET}", f"{front}{path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == status
