"""The one way out: where it goes, and where it does not."""

import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from federation.fetch import MOST_BYTES, Fetcher, FetchError, is_public
from tests.federation.companies import certificate_pem, pem
from tests.federation.issuers import Issuer, running_issuer, send

INSIDE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0.0.0.0",  # noqa: S104 - nobody listens here
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "255.255.255.255",
    "localhost",
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[fe80::1]",
    "[fd00::1]",
    "[ff02::1]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:7f00:1::]",
    "[::7f00:1]",
    "[::ffff:0:7f00:1]",
    "[64:ff9b:1::a9fe:a9fe]",
    "[fec0::1]",
    "[5f00::1]",
]


@pytest.mark.bar(114, 120)
@pytest.mark.parametrize("host", INSIDE)
def test_addresses_inside_are_not_asked(host: str) -> None:
    for fetcher in (Fetcher(), Fetcher(allow_loopback=True)):
        with pytest.raises(FetchError, match="not public|has no address"):
            fetcher.json(f"https://{host}/")


def test_addresses_outside_are_public() -> None:
    for text in ("1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101"):
        assert is_public(ipaddress.ip_address(text))


NO_ADDRESSES = [
    "http://id.example.com/",
    "http://127.0.0.1/",
    "ftp://id.example.com/",
    "file:///etc/hostname",
    "https://",
    "https:///etc",
    "https://user@id.example.com/",
    "https://id.example.com:99999/",
    "https://[::1/",
    "https://id.example.com\\@evil.example/",
    "https://id.exämple.com/",
    "https://id.example.com/a\nb",
    "gopher://127.0.0.1",
    "",
]


@pytest.mark.bar(114)
@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_only_https_addresses_are_asked(url: str) -> None:
    with pytest.raises(FetchError):
        Fetcher().json(url)


@pytest.fixture
def server() -> Iterator[Issuer]:
    with running_issuer() as issuer:
        yield issuer


HERE = Fetcher(allow_loopback=True)


def test_loopback_is_asked_where_it_is_allowed(server: Issuer) -> None:
    assert HERE.json(f"{server.url}/keys")["keys"]
    with pytest.raises(FetchError, match="Only https"):
        Fetcher(allow_private=True).json(f"{server.url}/keys")


def test_redirects_within_the_host_are_followed(server: Issuer) -> None:
    server.pages["/moved"] = lambda handler: send(handler, {}, 302, Location="/keys")
    assert HERE.json(f"{server.url}/moved")["keys"]


@pytest.mark.bar(114)
@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "http://127.0.0.1:1/", "", "ftp://x/", "http://["]
)
def test_redirects_off_the_host_are_not(server: Issuer, target: str) -> None:
    server.pages["/moved"] = lambda handler: send(handler, {}, 302, Location=target)
    with pytest.raises(FetchError, match="another host"):
        HERE.json(f"{server.url}/moved")


@pytest.mark.bar(114)
def test_redirects_in_a_circle_end(server: Issuer) -> None:
    server.pages["/moved"] = lambda handler: send(handler, {}, 302, Location="/moved")
    with pytest.raises(FetchError, match="too often"):
        HERE.json(f"{server.url}/moved")
    assert len(server.requests) == 4


@pytest.mark.bar(114)
def test_long_answers_are_cut_off(server: Issuer) -> None:
    server.pages["/long"] = lambda handler: send(handler, b" " * (MOST_BYTES + 1))
    with pytest.raises(FetchError, match="more than"):
        HERE.json(f"{server.url}/long")


@pytest.mark.bar(114)
@pytest.mark.parametrize("begun", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_slow_answers_are_cut_off(server: Issuer, monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    """A byte now and then is an answer to every single read, in the head as in the body."""
    monkeypatch.setattr("federation.fetch.SECONDS", 0.4)

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(begun)
        try:
            for _ in range(600):
                handler.wfile.write(b" ")
                time.sleep(0.1)
        except OSError:
            pass

    server.pages["/slow"] = drip
    begun_at = time.monotonic()
    with pytest.raises(FetchError, match="did not answer in|can't be reached"):
        HERE.json(f"{server.url}/slow")
    assert time.monotonic() - begun_at < 30


def test_what_is_no_json_is_refused(server: Issuer) -> None:
    for body in (b"<html>", b"\xff", b"[" * 100_000):
        server.pages["/odd"] = partial(send, content=body)
        with pytest.raises(FetchError, match="JSON"):
            HERE.json(f"{server.url}/odd")


def test_errors_say_the_status_and_not_the_query(server: Issuer) -> None:
    with pytest.raises(FetchError, match="status 404") as refused:
        HERE.json(f"{server.url}/nothing?access_token=abc")
    assert "abc" not in str(refused.value)


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[str]:
    """A server whose certificate nobody vouches for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            send(self, {"keys": []})

        def log_message(self, format: str, *args: Any) -> None:
            pass

    (tmp_path / "pair.pem").write_text(pem("server") + certificate_pem("server"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair.pem")
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # the refused handshake is what is wanted
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.bar(120)
def test_certificates_are_always_verified(tls_server: str) -> None:
    with pytest.raises(FetchError, match="can't be reached"):
        Fetcher(allow_private=True).json(tls_server)
