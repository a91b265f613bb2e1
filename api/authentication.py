"""Proving who signed a request: to this endpoint, or to somebody's own service that asks us."""

from access.gate import PrincipalGate
from access.principals import load_for_access_key
from api.sigv4 import Presented, SignatureError, parse, verify
from api.wire import WireRequest
from audit import clock
from audit.principal import Origin


def authenticate(presented: Presented, origin: Origin) -> PrincipalGate:
    """Who signed, with the gate that decides what they may. The key and the policies are looked up at every call, so
    that a deleted or inactive one, and a changed permission, count at once."""
    holder = load_for_access_key(presented.access_key_id, origin, presented.session_token)
    verify(presented, holder.secret if holder else None, clock.now())
    if holder is None:
        raise _nobody()
    principal = holder.principal()
    holder.note_use(service=presented.scope.service, region=presented.scope.region)
    return PrincipalGate(principal, holder.policies)


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
