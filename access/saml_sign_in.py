"""Coming into the console with a SAML response: whose it is, and which roles it opens."""

import base64
import json
import secrets
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.db import transaction

from access import throttle
from access.assume_role import NotAllowed, find_role
from access.federated_roles import TRIES, identity_from_saml, may_assume, refused_by, session_name, session_seconds
from access.federated_sign_in import USUAL_SECONDS, Choice, record_refusal
from access.temporary_credentials import SessionRequest
from audit import clock
from audit.errors import ServiceError
from audit.principal import Origin
from federation import sp
from federation.errors import InvalidIdentityToken, UnprovenToken
from federation.models import SAMLProvider
from federation.saml.claims import Claims
from federation.saml.parsing import SAMLError
from federation.saml.request import authentication_request
from federation.saml.response import issuer_of
from federation.services.assertions import redeem
from identities.models import Role
from identities.sealed import box
from identities.secretbox import SecretUnreadable

ASKED_FOR = timedelta(minutes=10)
# By which one company's provider may be known in so many accounts.
_MOST_PROVIDERS = 20


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A sign-in that began here: the browser keeps it, sealed, until the provider has sent it back."""

    request_id: str
    provider_id: int
    next_url: str
    until: float


class NotMeant(NotAllowed):
    """The response names no role for this provider."""


def begin(provider: SAMLProvider, next_url: str) -> tuple[str, str]:
    """Where to send the browser, and the sealed text for its cookie."""
    request_id = f"_{secrets.token_hex(20)}"
    until = (clock.now() + ASKED_FOR).timestamp()
    asked = PendingRequest(request_id, provider.pk, next_url, until)
    document = authentication_request(
        request_id, provider.single_sign_on_url, sp.acs_url(), sp.entity_id(), clock.now()
    )
    joined = "&" if "?" in provider.single_sign_on_url else "?"
    query = urlencode({"SAMLRequest": _deflated(document)})
    return f"{provider.single_sign_on_url}{joined}{query}", box().seal(json.dumps(asdict(asked)), "saml-asked")


def _deflated(document: bytes) -> str:
    """The HTTP-Redirect binding (SAML 2.0 Bindings 3.4.4.1)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(packer.compress(document) + packer.flush()).decode()


def open_request(sealed: str) -> PendingRequest | None:
    """What the browser asked for; None when it asked for nothing, or too long ago."""
    try:
        asked = PendingRequest(**json.loads(box().open(sealed, "saml-asked"))) if sealed else None
    except SecretUnreadable:
        return None
    return asked if asked is not None and asked.until > clock.now().timestamp() else None


def choices_of(response: str, asked: PendingRequest | None, origin: Origin) -> list[Choice]:
    """The roles that a response opens; it can't be used again.

    Raises Throttled, InvalidIdentityToken, ExpiredToken, and NotAllowed when there is none.
    """
    counted = throttle.step_try(TRIES, origin.address)
    found: list[Choice] = []
    refusals: list[tuple[SAMLProvider, ServiceError]] = []
    for provider in _providers(response, asked):
        try:
            # What is refused for another reason has not used its assertion up.
            with transaction.atomic():
                found += _opened(provider, response, asked, origin)
        except ServiceError as error:
            refusals.append((provider, error))
    concerned = _concerned(response, refusals, is_somebody_meant=bool(found))
    for provider, refusal in concerned:
        record_refusal(provider, refusal, origin)
    if found:
        counted.succeeded()
        return found
    raise concerned[0][1] if concerned else InvalidIdentityToken("Response signature invalid")


def _concerned(
    response: str, refusals: Sequence[tuple[SAMLProvider, ServiceError]], *, is_somebody_meant: bool
) -> Sequence[tuple[SAMLProvider, ServiceError]]:
    """Which refusals their accounts are told of. Any account can know a company's provider: once it is known whom a
    response was meant for, who came and from where is no other account's business. Of one that is over, or was used
    before, the roles are not read; but the provider's keys have shown that it said what stands there."""
    meant = [(provider, error) for provider, error in refusals if not isinstance(error, NotMeant | UnprovenToken)]
    text = _text(response) if len(meant) > 1 else b""
    named = [(provider, error) for provider, error in meant if _is_named(provider, text)]
    return named or meant if meant or is_somebody_meant else refusals


def _text(response: str) -> bytes:
    """A response as it came, to look for names in it: nothing that is believed."""
    return base64.b64decode("".join(response.split()))


def _is_named(provider: SAMLProvider, text: bytes) -> bool:
    return provider.arn.encode() in text


def _providers(response: str, asked: PendingRequest | None) -> list[SAMLProvider]:
    """The provider that was asked; without one those of that name, whose keys then have to show that it was them."""
    if asked is not None:
        return list(SAMLProvider.objects.filter(pk=asked.provider_id))
    try:
        issuer = issuer_of(response)
    except SAMLError as error:
        raise InvalidIdentityToken("Response signature invalid", detail=str(error)) from error
    rows = SAMLProvider.objects.filter(entity_id=issuer, starts_sign_in=True).order_by("pk")
    # Whom it names comes first: any account can know a company, and as often as it likes.
    text = _text(response)
    return sorted(rows, key=lambda provider: not _is_named(provider, text))[:_MOST_PROVIDERS]


def _opened(provider: SAMLProvider, response: str, asked: PendingRequest | None, origin: Origin) -> list[Choice]:
    claims = redeem(provider, response, clock.now())
    if all(provider_arn != provider.arn for _, provider_arn in claims.roles):
        raise NotMeant(f"No role lets {claims.name_id[:128]} in through this provider.")
    if claims.in_response_to != (asked.request_id if asked else ""):
        raise InvalidIdentityToken("This sign-in was not begun in this browser. Begin it anew.")
    who, name, seconds = (
        identity_from_saml(provider, claims),
        session_name(claims),
        session_seconds(claims) or USUAL_SECONDS,
    )
    named = list(_named(provider, claims))
    roles = [role for role in named if may_assume(who, role, SessionRequest(name), origin)]
    if not roles:
        message = f"No role lets {claims.name_id[:128]} in through this provider."
        raise refused_by(who, named, SessionRequest(name), origin, message)
    return [Choice(who, role.arn, name, seconds, provider.start_path) for role in roles]


def _named(provider: SAMLProvider, claims: Claims) -> Iterator[Role]:
    """Roles of this provider's own account that it named for this very provider."""
    for role_arn, provider_arn in claims.roles:
        role = find_role(role_arn) if provider_arn == provider.arn else None
        if role is not None and role.account_id == provider.account_id:
            yield role
