"""Proving who signed a request: to this endpoint, or to somebody's own service that asks us."""

from collections.abc import Callable
from threading import Lock

from access.gate import PrincipalGate
from access.principals import load_for_access_key
from api.sigv4 import Presented, Scope, SignatureError, parse, signature_fits, verify
from api.wire import WireRequest
from audit import clock
from audit.principal import Origin

# Signing keys, good for a day, a region and a service, of those who signed rightly; the oldest goes first.
_LATELY: dict[tuple[str, Scope], bytes] = {}
_MOST = 1000
_CHANGING = Lock()
_NOBODYS_KEY = bytes(32)


def authenticate(
    presented: Presented, origin: Origin, *, meanwhile: Callable[[str], None] | None = None
) -> PrincipalGate:
    """Who signed, with the gate that decides what they may. The key and the policies are looked up at every call, so
    that a deleted or inactive one, and a changed permission, count at once.

    `meanwhile` is done before that for a signature that fits the key of somebody who signed rightly lately, with the
    id of that key: nobody else is to learn from how long it takes.
    """
    if meanwhile and _fits_lately(presented):
        meanwhile(presented.access_key_id)
    holder = load_for_access_key(presented.access_key_id, origin, presented.session_token)
    signing_key = verify(presented, holder.secret if holder else None, clock.now())
    if holder is None:
        raise _nobody()
    principal = holder.principal()
    holder.note_use(service=presented.scope.service, region=presented.scope.region)
    _remember(presented, signing_key)
    return PrincipalGate(principal, holder.policies)


def _fits_lately(presented: Presented) -> bool:
    """Proves nothing: since then the key may have gone. Whether a key is known here costs the same."""
    key = _LATELY.get((presented.access_key_id, presented.scope))
    return signature_fits(presented, key or _NOBODYS_KEY) and key is not None


def _remember(presented: Presented, signing_key: bytes) -> None:
    place = presented.access_key_id, presented.scope
    if place in _LATELY:
        return
    with _CHANGING:
        if len(_LATELY) >= _MOST:
            del _LATELY[next(iter(_LATELY))]
        _LATELY[place] = signing_key


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
