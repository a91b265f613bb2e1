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

_MOST = 1000
_CHANGING = Lock()
_NOBODYS_KEY = bytes(32)


class Proven(NamedTuple):
    """A signing key, good for a day, a region and a service, and the sealed secret that it was made of."""

    signing_key: bytes
    sealed: str


# Of those who signed rightly lately; the oldest goes first.
_LATELY: dict[tuple[str, Scope], Proven] = {}


def authenticate(
    presented: Presented, origin: Origin, *, meanwhile: Callable[[str], None] | None = None
) -> PrincipalGate:
    """Who signed, with the gate that decides what they may. The key and the policies are looked up at every call, so
    that a deleted or inactive one, and a changed permission, count at once.

    `meanwhile` is done before that for a signature that fits the key of somebody who signed rightly lately, with the
    id of that key: nobody else is to learn from how long it takes.
    """
    proven = _fits_lately(presented)
    if meanwhile and proven:
        meanwhile(presented.access_key_id)
    holder = load_for_access_key(presented.access_key_id, origin, presented.session_token)
    now = clock.now()
    if holder is None:
        verify(presented, None, now)
        raise _nobody()
    if proven and proven.sealed == holder.sealed:
        check_time(presented, now)
    else:
        _remember(presented, Proven(verify(presented, holder.secret, now), holder.sealed))
    principal = holder.principal()
    holder.note_use(service=presented.scope.service, region=presented.scope.region)
    return PrincipalGate(principal, holder.policies)


def _fits_lately(presented: Presented) -> Proven | None:
    """Proves nothing alone: since then the key may have gone. Whether a key is known here costs the same."""
    proven = _LATELY.get((presented.access_key_id, presented.scope))
    fits = signature_fits(presented, proven.signing_key if proven else _NOBODYS_KEY)
    return proven if fits else None


def _remember(presented: Presented, proven: Proven) -> None:
    with _CHANGING:
        _LATELY[presented.access_key_id, presented.scope] = proven
        if len(_LATELY) > _MOST:
            del _LATELY[next(iter(_LATELY))]


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
