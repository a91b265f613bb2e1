"""Coming into the console with an OpenID Connect provider's code: whose it is, and which roles let them in.

What the browser was sent away with (state, nonce, code verifier) is in a sealed text that only this browser has; what
was used is remembered until it is worth nothing, so that no answer counts twice.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TypeGuard

from django.db.models import QuerySet

from access import throttle
from access.assume_role import NotAllowed
from access.federated_roles import TRIES, identity_from_token, may_assume, refused_by
from access.federated_sign_in import USUAL_SECONDS, Choice, record_refusal, sign_in_over
from access.temporary_credentials import SessionRequest
from access.tokens import new_token, same
from audit import clock
from audit.errors import ServiceError
from audit.principal import Origin
from federation import one_time
from federation.errors import IDPCommunicationError, InvalidIdentityToken
from federation.fetch import FetchError
from federation.models import OIDCClientId, OIDCProvider
from federation.oidc import WebIdentity
from federation.oidc_client import (
    Client,
    authorization_address,
    callback_key,
    endpoints_of,
    id_token_for,
    redirect_uri,
)
from federation.services.oidc_sign_in import enabled_sign_ins, secret_of
from federation.services.web_identities import read_token
from identities.models import Role
from identities.sealed import box
from identities.secretbox import SecretUnreadable

ASKED_FOR = timedelta(minutes=10)
# Of the roles whose trust policy names a provider, so many are asked, in the order of their names.
MOST_ROLES = 100
_LONGEST_CODE = 4000
_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_UNFIT = re.compile(r"[^\w+=,.@-]", re.ASCII)
_LONGEST_NAME, _MARK = 64, 10


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A sign-in that began here. `session_id` is the console session that the browser had then: the cookie of a root
    user does not come along when another site sends the browser back."""

    state: str
    nonce: str
    verifier: str
    provider_id: int
    client_id: str
    next_url: str
    session_id: str
    until: float


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """What the browser brought back in the address. `issuer` None: the provider did not name itself."""

    key: str
    state: str
    code: str
    error: str
    issuer: str | None


def sign_in_at(account_id: str, provider_url: str) -> OIDCClientId | None:
    return enabled_sign_ins().filter(provider__account_id=account_id, provider__url=provider_url).first()


def begin(sign_in: OIDCClientId, next_url: str, session_id: str) -> tuple[str, str]:
    """Where to send the browser, and the sealed text for its cookie. Raises IDPCommunicationError."""
    try:
        endpoints = endpoints_of(sign_in.provider.issuer)
    except FetchError as error:
        raise _unreachable(error) from error
    client, until = _client(sign_in), (clock.now() + ASKED_FOR).timestamp()
    words = (new_token(), new_token(), new_token())
    asked = AuthorizationRequest(*words, sign_in.provider_id, client.client_id, next_url, session_id, until)
    address = authorization_address(
        endpoints, client, scopes=sign_in.scopes, state=asked.state, nonce=asked.nonce, verifier=asked.verifier
    )
    return address, box().seal(json.dumps(asdict(asked)), "oidc-asked")


def _client(sign_in: OIDCClientId) -> Client:
    return Client(sign_in.client_id, redirect_uri(sign_in.provider))


def _unreachable(error: FetchError) -> IDPCommunicationError:
    return IDPCommunicationError(
        "The provider did not answer as it should. Begin again in a minute.", detail=str(error)
    )


def open_request(sealed: str) -> AuthorizationRequest | None:
    """What the browser was sent away with; None when it was not, or too long ago."""
    try:
        asked = AuthorizationRequest(**json.loads(box().open(sealed, "oidc-asked"))) if sealed else None
    except SecretUnreadable:
        return None
    return asked if asked is not None and asked.until > clock.now().timestamp() else None


def choices_of(asked: AuthorizationRequest | None, answer: AuthorizationResponse, origin: Origin) -> list[Choice]:
    """The roles that an answer opens; it can't be used again.

    Raises Throttled, InvalidIdentityToken, ExpiredToken, and NotAllowed when there is none.
    """
    # Before this holds nothing is asked, counted or written: anybody can send a browser here.
    if asked is None or not answer.state or not same(answer.state, asked.state):
        raise NotAllowed("This sign-in was not begun in this browser. Begin it anew.")
    counted = throttle.step_try(TRIES, origin.address)
    until = datetime.fromtimestamp(asked.until, tz=clock.now().tzinfo)
    if not one_time.use("oidc-state", asked.state, until):
        raise sign_in_over()
    sign_in = enabled_sign_ins().filter(provider_id=asked.provider_id, client_id=asked.client_id).first()
    if sign_in is None:
        raise sign_in_over()
    try:
        found = _opened(sign_in, asked, answer, origin)
    except ServiceError as error:
        record_refusal(sign_in.provider, error, origin)
        raise
    counted.succeeded()
    return found


def _opened(
    sign_in: OIDCClientId, asked: AuthorizationRequest, answer: AuthorizationResponse, origin: Origin
) -> list[Choice]:
    provider = sign_in.provider
    person = _person(sign_in, asked, _token(sign_in, asked, answer))
    who, name = identity_from_token(provider.arn, person), session_name(person)
    trusting = list(_trusting(provider))
    roles = [role for role in trusting if may_assume(who, role, SessionRequest(name), origin)]
    if not roles:
        raise refused_by(who, trusting, SessionRequest(name), origin, f"No role lets {name} in through this provider.")
    return [Choice(who, role.arn, name, USUAL_SECONDS, provider.start_path) for role in roles]


def _token(sign_in: OIDCClientId, asked: AuthorizationRequest, answer: AuthorizationResponse) -> str:
    """The ID token for the code of an answer that came from the provider that was asked."""
    try:
        endpoints = endpoints_of(sign_in.provider.issuer)
        _check_sender(sign_in.provider, answer, names_itself=endpoints.names_itself)
        secret = secret_of(sign_in)
        return id_token_for(endpoints, _client(sign_in), secret=secret, code=answer.code, verifier=asked.verifier)
    except FetchError as error:
        raise _unreachable(error) from error
    except SecretUnreadable as error:
        raise InvalidIdentityToken("This provider's sign-in has to be set up anew.", detail=str(error)) from error


def _check_sender(provider: OIDCProvider, answer: AuthorizationResponse, *, names_itself: bool) -> None:
    """The code of one provider must never be handed to another (RFC 9207, RFC 9700 4.4)."""
    stranger = InvalidIdentityToken(
        "The answer is not from the provider that was asked.", detail=f"iss is {(answer.issuer or 'missing')[:255]}"
    )
    if not same(answer.key, callback_key(provider)):
        raise stranger
    if answer.issuer is not None and answer.issuer != provider.issuer:
        raise stranger
    if answer.issuer is None and names_itself:
        raise stranger
    if answer.error:
        told = answer.error[:64] if answer.error.isascii() and answer.error.isprintable() else "unreadable"
        raise InvalidIdentityToken("The provider did not sign you in.", detail=f"The provider answered: {told}")
    if not 1 <= len(answer.code) <= _LONGEST_CODE:
        raise InvalidIdentityToken("The provider's answer holds no code.")


def _person(sign_in: OIDCClientId, asked: AuthorizationRequest, token: str) -> WebIdentity:
    """Raises InvalidIdentityToken for a token that is good, but not for this sign-in (OpenID Connect Core 3.1.3.7)."""
    arn, person = read_token(sign_in.provider.account_id, token, clock.now())
    asker, nonce = person.claims.get("azp"), person.claims.get("nonce")
    if arn != sign_in.provider.arn:
        raise InvalidIdentityToken("The token is another provider's.")
    if not isinstance(nonce, str) or not same(nonce, asked.nonce):
        raise InvalidIdentityToken("The token was not made for this sign-in.", detail="The token's nonce is wrong.")
    if asked.client_id not in person.audiences or asker not in (None, asked.client_id):
        raise InvalidIdentityToken("Incorrect token audience")
    if asker is None and len(person.audiences) > 1:
        raise InvalidIdentityToken("Incorrect token audience", detail="Several audiences, and no azp says who asked.")
    return person


def _trusting(provider: OIDCProvider) -> QuerySet[Role]:
    """Roles of the provider's own account whose trust policy names it."""
    rows = Role.objects.filter(account_id=provider.account_id, document__contains=provider.arn)
    return rows.order_by("name_key").prefetch_related("tags")[:MOST_ROLES]


def session_name(person: WebIdentity) -> str:
    """How the session is called in the trail: by what people know each other by, where the provider says so. Policies
    may ask about it (`aws:userid`, a session's ARN), and people often choose their user name themselves: one that
    nobody vouches for gets a mark of the subject, so that no one is called as somebody else is."""
    claims, subject = person.claims, person.subject
    email, liked = claims.get("email"), claims.get("preferred_username")
    if claims.get("email_verified") is True and _fits(email):
        return email
    if _fits(subject) and (liked == subject or not _fits(liked)):
        return subject
    known = liked if _fits(liked) else _UNFIT.sub("-", subject)
    return f"{known[: _LONGEST_NAME - _MARK - 1]}-{hashlib.sha256(subject.encode()).hexdigest()[:_MARK]}"


def _fits(name: object) -> TypeGuard[str]:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None
