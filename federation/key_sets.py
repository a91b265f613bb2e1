"""The keys of issuers, fetched when first needed and kept for a while in this process.

A failed or useless fetch is remembered too: whoever sends tokens with made-up key ids makes no more requests than one
a minute for each issuer.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import BoundedSemaphore, Lock
from typing import Any, TypeVar

from django.conf import settings

from federation.fetch import Fetcher, FetchError
from federation.jwt import ALGORITHMS, Key, TokenError, UnknownKey, read_key_set

KEPT_SECONDS = 600.0
BACK_OFF_SECONDS = 60.0
# How long somebody waits for others who are asking.
PATIENCE_SECONDS = 2.0
_MOST_ISSUERS = 1000


@dataclass(frozen=True, slots=True)
class Issuer:
    """What discovery told. Without `keys`, `problem` says why there are none."""

    keys: tuple[Key, ...]
    document: dict[str, Any]
    fetched_at: float
    problem: str = ""


Claims = TypeVar("Claims")
_known: dict[str, Issuer] = {}
_lock = Lock()


@cache
def _room() -> BoundedSemaphore:
    """Half of the threads: the others go on answering, however slow providers are, or want to be."""
    return BoundedSemaphore(max(1, settings.THREADS // 2))


@contextmanager
def asking() -> Iterator[Fetcher]:
    """The way out, for somebody who may wait for an answer. Raises FetchError where too many do already."""
    if not _room().acquire(timeout=PATIENCE_SECONDS):
        raise FetchError("Too many providers are being asked at this moment.")
    try:
        yield Fetcher(settings.FEDERATION_ALLOW_PRIVATE_ADDRESSES, settings.FEDERATION_ALLOW_LOOPBACK)
    finally:
        _room().release()


def issuer_of(url: str, *, newer_than: float | None = None) -> Issuer:
    """The issuer as it is known, or freshly fetched where that is too old. `newer_than` asks for keys that are not
    those of that moment, which is granted once in a while. Raises FetchError."""
    known = _known.get(url)
    age = time.monotonic() - known.fetched_at if known else KEPT_SECONDS
    wanted = newer_than is not None and known is not None and known.fetched_at <= newer_than
    stale = age >= KEPT_SECONDS or ((wanted or (known is not None and bool(known.problem))) and age >= BACK_OFF_SECONDS)
    if known is None or stale:
        known = _renewed(url, known)
    if known.problem:
        raise FetchError(known.problem)
    return known


def verified(url: str, check: Callable[[tuple[Key, ...]], Claims]) -> Claims:
    """Run `check(keys)`; when no key fits, once more with keys fetched anew. Raises what it raises, and FetchError."""
    issuer = issuer_of(url)
    try:
        return check(issuer.keys)
    except UnknownKey:
        fresh = issuer_of(url, newer_than=issuer.fetched_at)
        if fresh is issuer:
            raise
        return check(fresh.keys)


def forget() -> None:
    """Know nobody any more; for tests."""
    _known.clear()


def _renewed(url: str, known: Issuer | None) -> Issuer:
    """Fetched now, unless somebody else did while there was no room."""
    with asking() as fetcher:
        present = _known.get(url)
        return present if present is not None and present is not known else _fetched(url, fetcher)


def _fetched(url: str, fetcher: Fetcher) -> Issuer:
    try:
        document = discover(url, fetcher)
        allowed = document.get("id_token_signing_alg_values_supported") or ALGORITHMS
        keys = read_key_set(fetcher.json(_https(document, "jwks_uri")), _texts(allowed))
        found = Issuer(keys, document, time.monotonic())
    except (FetchError, TokenError) as error:
        found = Issuer((), {}, time.monotonic(), str(error))
    with _lock:
        if len(_known) >= _MOST_ISSUERS:
            _known.clear()
        _known[url] = found
    return found


def discover(url: str, fetcher: Fetcher) -> dict[str, Any]:
    """The issuer's configuration (OpenID Connect Discovery 4). Raises FetchError."""
    document = fetcher.json(f"{url.rstrip('/')}/.well-known/openid-configuration")
    if not isinstance(document, dict) or document.get("issuer") != url:
        raise FetchError("The issuer in the provider's configuration is not its URL.")
    return document


def _https(document: dict[str, Any], name: str) -> str:
    address = document.get(name)
    if not isinstance(address, str) or "://" not in address:
        raise FetchError(f"The provider's configuration has no {name}.")
    return address


def _texts(values: Any) -> frozenset[str]:
    if not isinstance(values, (list, frozenset)):
        return frozenset()
    return frozenset(value for value in values if isinstance(value, str))
