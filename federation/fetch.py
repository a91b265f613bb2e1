"""The one way out: fetching a small JSON document from an address that somebody typed, or posting a form there. Pure.

https only, verified; never to an address inside, and to the very address that was looked at, so that a name can't
point elsewhere a moment later; bounded in size and time; redirects only within the host.
"""

import ipaddress
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import botocore
import urllib3

MOST_BYTES = 512 * 1024
SECONDS = 5.0
_REDIRECTS = 3
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost"})
# Addresses that hold an IPv4 address: NAT64 (RFC 6052) is public, but what it leads to may not be.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class FetchError(Exception):
    """Why a document could not be had; says nothing of what is inside the network."""


@dataclass(frozen=True, slots=True)
class Fetcher:
    """`allow_private` lets it ask servers of one's own network, `allow_loopback` plain http on this machine."""

    allow_private: bool = False
    allow_loopback: bool = False

    def json(self, url: str) -> Any:
        """The document at an address. Raises FetchError."""
        return _parsed(self._body(url, time.monotonic() + SECONDS), url)

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Any:
        """What the address answers to a form, which goes to this very address or nowhere. Raises FetchError."""
        deadline = time.monotonic() + SECONDS
        content = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        answer = self._ask(url, deadline, "POST", content, urlencode(form).encode())
        try:
            return _parsed(_read(answer, url, deadline), url)
        finally:
            answer.release_conn()
            answer.close()

    def _body(self, url: str, deadline: float) -> bytes:
        for _ in range(_REDIRECTS + 1):
            answer = self._ask(url, deadline)
            try:
                if answer.status not in (301, 302, 303, 307, 308):
                    return _read(answer, url, deadline)
                url = _followed(url, answer.headers.get("Location", ""))
            finally:
                answer.release_conn()
                answer.close()
        raise FetchError(f"{_shown(url)} redirects too often.")

    def _ask(
        self,
        url: str,
        deadline: float,
        method: str = "GET",
        more: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> urllib3.BaseHTTPResponse:
        scheme, host, port = self._place(url)
        address = str(self._address(scheme, host, port))
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        default = port == (443 if scheme == "https" else 80)
        headers = {"Host": host if default else f"{host}:{port}", "Accept": "application/json", **(more or {})}
        timeout = urllib3.Timeout(total=max(0.1, deadline - time.monotonic()))
        try:
            with _pool(scheme, address, port, host, timeout) as pool:
                return pool.request(
                    method, target, body=body, headers=headers, redirect=False, retries=False, preload_content=False
                )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise FetchError(f"{_shown(url)} can't be reached.") from error

    def _place(self, url: str) -> tuple[str, str, int]:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise FetchError("The address can't be read.") from error
        host = parts.hostname or ""
        if not host or "@" in parts.netloc or not url.isascii() or not url.isprintable() or "\\" in url:
            raise FetchError("The address can't be read.")
        if parts.scheme == "http" and self.allow_loopback and host in LOOPBACK_HOSTS:
            return "http", host, port or 80
        if parts.scheme != "https":
            raise FetchError("Only https addresses are asked.")
        return "https", host, port or 443

    def _address(self, scheme: str, host: str, port: int) -> Address:
        """The address to connect to: looked up once, judged, and then used as it is."""
        try:
            found = [
                ipaddress.ip_address(str(entry[4][0]))
                for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            ]
        except (OSError, ValueError, UnicodeError) as error:
            raise FetchError(f"{host} has no address.") from error
        if scheme == "http":
            inside = [address for address in found if address.is_loopback]
            if len(inside) < len(found):
                raise FetchError(f"{host} is not this machine.")
            return inside[0]
        if not self.allow_private and not all(is_public(address) for address in found):
            raise FetchError(f"{host} has an address that is not public.")
        return found[0]


def is_public(address: Address) -> bool:
    """Whether an address and everything that hides in it belongs to the public internet."""
    return all(each.is_global and not each.is_multicast for each in (address, *_hidden(address)))


def _hidden(address: Address) -> Iterator[Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return
    for inner in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())):
        if inner is not None:
            yield inner
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


@cache
def _tls() -> ssl.SSLContext:
    """The system's certificates (or those of SSL_CERT_FILE); where a slim machine has none, those botocore ships."""
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(Path(botocore.__file__).with_name("cacert.pem"))
    return context


def _pool(
    scheme: str, address: str, port: int, host: str, timeout: urllib3.Timeout
) -> urllib3.HTTPConnectionPool | urllib3.HTTPSConnectionPool:
    """Connects to the address, and demands the certificate of the host."""
    if scheme == "http":
        return urllib3.HTTPConnectionPool(address, port, timeout=timeout)
    return urllib3.HTTPSConnectionPool(
        address, port, timeout=timeout, ssl_context=_tls(), server_hostname=host, assert_hostname=host
    )


def _parsed(body: bytes, url: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FetchError(f"{_shown(url)} did not answer with JSON.") from error


def _read(answer: urllib3.BaseHTTPResponse, url: str, deadline: float) -> bytes:
    if answer.status != 200:
        raise FetchError(f"{_shown(url)} answered with status {answer.status}.")
    body = bytearray()
    try:
        for piece in answer.stream(16 * 1024, decode_content=False):
            body += piece
            if len(body) > MOST_BYTES:
                raise FetchError(f"{_shown(url)} answered with more than {MOST_BYTES} bytes.")
            if time.monotonic() > deadline:
                raise FetchError(f"{_shown(url)} did not answer in {SECONDS:.0f} seconds.")
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise FetchError(f"{_shown(url)} broke off.") from error
    return bytes(body)


def _followed(url: str, location: str) -> str:
    target = urljoin(url, location)
    if not location or urlsplit(target)[:2] != urlsplit(url)[:2]:
        raise FetchError(f"{_shown(url)} redirects to another host.")
    return target


def _shown(url: str) -> str:
    """An address for an error: without its query, which may hold a secret."""
    return url.partition("?")[0][:200]
