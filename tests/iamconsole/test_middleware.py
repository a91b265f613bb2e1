"""What is refused before any view: sizes, wrong hosts, writes from other sites, headers that only look right."""

import http.client
import logging
import secrets
from contextlib import closing
from urllib.parse import quote, urlsplit

import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse

from access.origin import client_address
from iamconsole.middleware import MAX_ADDRESS
from identities.models import User
from tests.cast import browser_of
from tests.rig.served import Served

MIB = 1024 * 1024
SIGN_IN = "/signin/"


@pytest.mark.bar(131)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost:80:80", "[::1"])
def test_a_wrong_host_gets_a_plain_400(client: Client, host: str) -> None:
    reply = client.get(SIGN_IN, headers={"Host": host})
    assert reply.status_code == 400
    assert "evil" not in reply.content.decode()


@pytest.mark.bar(129)
def test_a_large_body_is_refused_by_what_it_announces(client: Client) -> None:
    reply = client.post(SIGN_IN, data=b"x", content_type="text/plain", headers={"Content-Length": str(MIB + 1)})
    assert reply.status_code == 413
    assert "1 MiB" in reply.content.decode()


@pytest.mark.bar(129)
@pytest.mark.parametrize("length", ["-1", "1e3", "twelve", "\xb2"])
def test_a_length_that_is_no_number_is_refused(client: Client, length: str) -> None:
    assert client.post(SIGN_IN, headers={"Content-Length": length}).status_code == 413


@pytest.mark.bar(129)
def test_long_addresses_and_many_headers_are_refused(client: Client) -> None:
    assert client.get(SIGN_IN, {"q": "x" * 20_000}).status_code == 414
    assert client.get(SIGN_IN, headers={f"X-Filler-{number}": "x" for number in range(101)}).status_code == 431


@pytest.mark.bar(129)
def test_the_longest_address_gets_through_the_server(served: Served) -> None:
    """The create flows carry their state in the address: the server in front must not cut it shorter than we do."""
    with closing(http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=60)) as connection:
        for length, status in ((MAX_ADDRESS, 200), (MAX_ADDRESS + 1, 414)):
            address = f"{SIGN_IN}?q=".ljust(length, "x")
            connection.request("GET", address, headers={"Referer": f"{served.url}{SIGN_IN}?q=".ljust(8100, "x")})
            reply = connection.getresponse()
            assert (reply.status, b"IAM Console" in reply.read()) == (status, True)


@pytest.mark.bar(129)
def test_a_zero_byte_is_refused_wherever_it_stands(alice: User) -> None:
    browser, tags = browser_of(alice), reverse("identities:tag-user", args=["alice"])
    replies = [
        browser.get("/identities/user/a%00b/"),
        browser.get("/identities/users/?q=a%00b"),
        browser.post(tags, {"key": "a", "value": "b\x00"}),
        browser.post(tags, {"key\x00": "a", "value": "b"}),
    ]
    assert all(reply.status_code == 400 and "zero byte" in reply.content.decode() for reply in replies)


@pytest.mark.bar(56, 129)
def test_a_file_is_refused_and_never_comes_back(alice: User) -> None:
    file = SimpleUploadedFile("x.html", b"<script>alert(1)</script>", "text/html")
    reply = browser_of(alice).post(reverse("identities:tag-user", args=["alice"]), {"key": "a", "value": file})
    assert reply.status_code == 400
    assert "alert(1)" not in reply.content.decode()


@pytest.mark.bar(45)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
def test_a_write_from_another_site_is_refused(alice: User, headers: dict[str, str]) -> None:
    reply = browser_of(alice).post(reverse("access:sign-out"), headers=headers)
    assert reply.status_code == 403
    assert browser_of(alice).get(reverse("access:dashboard")).status_code == 200


@pytest.mark.bar(45)
def test_a_write_without_a_csrf_token_is_a_plain_page(alice: User) -> None:
    reply = browser_of(alice, enforce_csrf=True).post(reverse("access:sign-out"))
    assert reply.status_code == 403
    assert "not valid any more" in reply.content.decode()


@pytest.mark.bar(126)
def test_an_unexpected_error_shows_nothing_of_itself(
    alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = secrets.token_hex()

    def fail(*args: object) -> None:
        raise RuntimeError(secret)

    monkeypatch.setattr("access.guard.sessions.load_session", fail)
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)
    browser = browser_of(alice)
    browser.raise_request_exception = False
    reply = browser.get(reverse("access:dashboard"))
    assert reply.status_code == 500
    shown = reply.content.decode()
    assert secret not in shown and "Traceback" not in shown
    named = [record.args for record in caplog.records if record.name == "iamconsole"]
    assert len(named) == 1 and str(named[0][0]) in shown  # type: ignore[index] # logged with one argument


@pytest.mark.bar(13)
@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, "6.6.6.6", "127.0.0.1"),
        (1, "6.6.6.6", "6.6.6.6"),
        (1, "1.1.1.1, 6.6.6.6", "6.6.6.6"),
        (2, "1.1.1.1, 2.2.2.2, 10.0.0.1", "2.2.2.2"),
        (1, "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_the_address_is_what_a_trusted_proxy_saw(proxies: int, header: str, address: str) -> None:
    request = RequestFactory().get("/", headers={"X-Forwarded-For": header})
    with override_settings(TRUSTED_PROXY_COUNT=proxies):
        assert client_address(request) == address


@pytest.mark.bar(13, 14)
@pytest.mark.parametrize("header", ["", "a", "1.1.1.1, unknown", "1.1.1.1:80", "1.1.1.1,"])
def test_a_proxys_header_that_cannot_be_read_is_an_error(header: str) -> None:
    request = RequestFactory().get("/", headers={"X-Forwarded-For": header})
    with override_settings(TRUSTED_PROXY_COUNT=1), pytest.raises(SuspiciousOperation):
        client_address(request)


@pytest.mark.bar(132)
def test_https_is_believed_only_from_the_configured_header() -> None:
    request = RequestFactory().get("/", headers={"X-Forwarded-Proto": "https"})
    with override_settings(SECURE_PROXY_SSL_HEADER=None):
        assert not request.is_secure()
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        assert RequestFactory().get("/", headers={"X-Forwarded-Proto": "https"}).is_secure()
        assert not RequestFactory().get("/", headers={"X-Forwarded-Proto": "http"}).is_secure()


@pytest.mark.bar(124)
@pytest.mark.parametrize("said", ["x\n2026-01-01 12:00 INFO all is well", "x\r\x1b[2J", "x\u2028\x85y"])
def test_nothing_that_is_sent_makes_a_second_line_in_the_log(
    db: None, caplog: pytest.LogCaptureFixture, said: str
) -> None:
    stranger = Client(enforce_csrf_checks=True, raise_request_exception=False)
    for path in (f"/{quote(said)}/", f"{SIGN_IN}{quote(said)}/"):
        stranger.get(path)
        stranger.post(path, {said: said}, headers={"Referer": said, "User-Agent": said})
        stranger.post(path, headers={"Origin": f"http://{said}"})
        stranger.put(path, said, headers={"Authorization": f"AWS4-HMAC-SHA256 {said}", "Content-Type": said})
    line = logging.Formatter("{asctime} {levelname} {name} {message}", style="{")
    with override_settings(TRUSTED_PROXY_COUNT=1):
        stranger.get(SIGN_IN, headers={"X-Forwarded-For": said})
    told = [line.format(record) for record in caplog.records]
    assert len(told) >= 5 and not [text for text in told if said in text]
    assert {char for text in told for char in text if not char.isprintable()} <= {"\n"}  # those of a traceback


@pytest.mark.bar(134)
def test_the_server_drops_header_names_with_underscores(served: Served) -> None:
    """The look-alike of a header that would call this write our own is not even seen."""
    headers = {"Sec_Fetch_Site": "same-origin", "Origin": "https://evil.example"}
    with closing(http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=60)) as connection:
        connection.request("POST", "/signin/", headers=headers)
        reply = connection.getresponse()
        assert (reply.status, b"another site" in reply.read()) == (403, True)
        connection.request("POST", "/signin/", headers=headers | {"Sec-Fetch-Site": "same-origin"})
        reply = connection.getresponse()
        assert b"another site" not in reply.read()
