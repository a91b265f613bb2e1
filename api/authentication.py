"""Proving who signed a request: to this endpoint, or to somebody's own service that asks us."""

from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from access.gate import PrincipalGate
from access.principals import load_for_access_key
from api.sigv4 import Presented, Scope, SignatureError, check_time, parse, signature_fits, verify
from api.wire import WireRequest
from audit import clock
from audit.principal import Origin

_MOST_KEYS = 1000
_CHANGING = Lock()
_NOBODYS_KEY = bytes(32)


class CachedKey(NamedTuple):
    """A signing key, good for a day, a region and a service, and the sealed secret that it was derived from."""

    signing_key: bytes
    sealed: str


# The signing keys of those whose signatures were right lately, by access key id and scope; the oldest goes first.
_CACHED_KEYS: dict[tuple[str, Scope], CachedKey] = {}


def authenticate(
    presented: Presented, origin: Origin, *, prefetch: Callable[[str], None] | None = None
) -> PrincipalGate:
    """Who signed, with the gate that decides what they may. The key and the policies are looked up at every call, so
    that a deleted or inactive one, and a changed permission, count at once. Raises SignatureError, ExpiredToken.

    `prefetch` is called with the access key id before the database is asked, if the signature fits a cached key: nobody
    else is to learn from how long it takes.
    """
    cached = _cached_key_that_fits(presented)
    if prefetch and cached:
        prefetch(presented.access_key_id)
    holder = load_for_access_key(presented.access_key_id, origin, presented.session_token)
    now = clock.now()
    if holder is None:
        verify(presented, None, now)
        raise _nobody()
    if cached and cached.sealed == holder.sealed:
        check_time(presented, now)
    else:
        _cache(presented, CachedKey(verify(presented, holder.secret, now), holder.sealed))
    principal = holder.principal()
    holder.note_use(service=presented.scope.service, region=presented.scope.region)
    return PrincipalGate(principal, holder.policies)


def _cached_key_that_fits(presented: Presented) -> CachedKey | None:
    """The cached key that made the signature. Alone it proves nothing: the access key may have been deleted since. One
    that is not cached costs as much, so that time does not tell who is known here."""
    cached = _CACHED_KEYS.get((presented.access_key_id, presented.scope))
    fits = signature_fits(presented, cached.signing_key if cached else _NOBODYS_KEY)
    return cached if fits else None


def _cache(presented: Presented, key: CachedKey) -> None:
    with _CHANGING:
        _CACHED_KEYS[presented.access_key_id, presented.scope] = key
        if len(_CACHED_KEYS) > _MOST_KEYS:
            del _CACHED_KEYS[next(iter(_CACHED_KEYS))]


def prove_for_service(request: WireRequest, service: str, origin: Origin, account_id: str) -> PrincipalGate:
    """Who of the account signed a request to a service of its own. Raises SignatureError and ExpiredToken.

    Whoever is of another account is as unknown there as a key that nobody has, and costs as much.
    """
    gate = authenticate(parse(request, frozenset({service})), origin)
    if gate.principal.account_id != account_id:
        raise _nobody()
    return gate


def _nobody() -> SignatureError:
    return SignatureError("InvalidClientTokenId", "The security token included in the request is invalid.")
