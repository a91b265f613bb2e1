"""The one way out: fetching a small JSON document from an address that somebody typed, or posting a form there. Pure.

https only, verified; never to an address inside, and to the very address that was looked at, so that a name can't
point elsewhere a moment later; bounded in size and time; redirects only within the host.
"""

import http.client
import io
import ipaddress
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import botocore

MOST_BYTES = 512 * 1024
SECONDS = 5.0
_REDIRECTS = 3
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost"})
# All that the public internet uses of IPv6 (RFC 4291, 2.4); there are more sorts of others than a list keeps up with.
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
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
        with self._asked(url, deadline, "POST", content, urlencode(form).encode()) as answer:
            return _parsed(_read(answer, url), url)

    def _body(self, url: str, deadline: float) -> bytes:
        for _ in range(_REDIRECTS + 1):
            with self._asked(url, deadline) as answer:
                if answer.status not in (301, 302, 303, 307, 308):
                    return _read(answer, url)
                url = _followed(url, answer.headers.get("Location", ""))
        raise FetchError(f"{_shown(url)} redirects too often.")

    @contextmanager
    def _asked(
        self,
        url: str,
        deadline: float,
        method: str = "GET",
        more: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        scheme, host, port = self._place(url)
        address = str(self._address(scheme, host, port))
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        default = port == (443 if scheme == "https" else 80)
        headers = {"Host": host if default else f"{host}:{port}", "Accept": "application/json", **(more or {})}
        connection = http.client.HTTPConnection(host, port)
        connection.response_class = partial(_Answer, deadline=deadline)  # type: ignore[assignment] # made the same way
        try:
            connection.sock = _connected(scheme, address, port, host, deadline)
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
        except (http.client.HTTPException, OSError, ValueError) as error:
            connection.close()
            raise FetchError(f"{_shown(url)} can't be reached.") from error
        try:
            yield answer
        finally:
            answer.close()
            connection.close()

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
    return all(
        each.is_global and not each.is_multicast and (each.version == 4 or each in _PUBLIC_V6 or each in _NAT64)
        for each in (address, *_hidden(address))
    )


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


class _Until(io.RawIOBase):
    """What the other side sends, until the deadline. A limit for each read alone is none: a byte now and then would
    keep us for hours."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw, self._sock, self._deadline = raw, sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left(self._deadline))
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer of which head and body have to be here before the deadline."""

    def __init__(self, sock: socket.socket, *words: Any, deadline: float, **more: Any) -> None:
        super().__init__(sock, *words, **more)
        self.fp = io.BufferedReader(_Until(self.fp.detach(), sock, deadline))


def _left(deadline: float) -> float:
    """Raises TimeoutError."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connected(scheme: str, address: str, port: int, host: str, deadline: float) -> socket.socket:
    """Connects to the address, and demands the certificate of the host."""
    sock = socket.create_connection((address, port), timeout=_left(deadline))
    try:
        sock.settimeout(_left(deadline))
        return _tls().wrap_socket(sock, server_hostname=host) if scheme == "https" else sock
    except BaseException:
        sock.close()
        raise


def _parsed(body: bytes, url: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FetchError(f"{_shown(url)} did not answer with JSON.") from error


def _read(answer: http.client.HTTPResponse, url: str) -> bytes:
    if answer.status != 200:
        raise FetchError(f"{_shown(url)} answered with status {answer.status}.")
    try:
        body = answer.read(MOST_BYTES + 1)
    except TimeoutError as error:
        raise FetchError(f"{_shown(url)} did not answer in {SECONDS:.0f} seconds.") from error
    except (http.client.HTTPException, OSError) as error:
        raise FetchError(f"{_shown(url)} broke off.") from error
    if len(body) > MOST_BYTES:
        raise FetchError(f"{_shown(url)} answered with more than {MOST_BYTES} bytes.")
    return body


def _followed(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
        stays = bool(location) and urlsplit(target)[:2] == urlsplit(url)[:2]
    except ValueError:
        stays = False
    if not stays:
        raise FetchError(f"{_shown(url)} redirects to another host.")
    return target


def _shown(url: str) -> str:
    """An address for an error: without its query, which may hold a secret."""
    return url.partition("?")[0][:200]
