"""Coming into the console with a SAML response: whose it is, which roles it opens, and the session of the one chosen.

Between two pages everything is in a sealed text that only this browser can give back, once; nothing is stored.
"""

import base64
import json
import secrets
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.urls import reverse

from access import sessions, throttle
from access.assume_role import NotAllowed, find_role
from access.federated_roles import TRIES, Vouched, by_saml, may_assume, session_name, session_seconds, take_on
from access.sign_in import LOGIN
from access.temporary import Wish
from audit import clock
from audit.errors import ServiceError
from audit.models import Outcome
from audit.principal import Origin, anonymous
from audit.services import record
from federation import one_time, sp
from federation.errors import InvalidIdentityToken
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
CHOOSE_WITHIN = timedelta(minutes=5)
# By which one company's provider may be known in so many accounts.
_MOST_PROVIDERS = 20
_LONGEST = 43200
_USUAL = 3600


@dataclass(frozen=True, slots=True)
class Asked:
    """A sign-in that began here: the browser keeps it, sealed, until the provider has sent it back."""

    request_id: str
    provider_id: int
    next_url: str
    until: float


@dataclass(frozen=True, slots=True)
class Choice:
    """One role that a response opens."""

    who: Vouched
    role_arn: str
    session_name: str
    seconds: int
    came_from: str


@dataclass(frozen=True, slots=True)
class Session:
    """The console session that was opened; `token` is for the cookie."""

    token: str
    expires_at: datetime


def begin(provider: SAMLProvider, next_url: str) -> tuple[str, str]:
    """Where to send the browser, and the sealed text for its cookie."""
    request_id = f"_{secrets.token_hex(20)}"
    until = (clock.now() + ASKED_FOR).timestamp()
    asked = Asked(request_id, provider.pk, next_url, until)
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


def asked_in(sealed: str) -> Asked | None:
    """What the browser asked for; None when it asked for nothing, or too long ago."""
    try:
        asked = Asked(**json.loads(box().open(sealed, "saml-asked"))) if sealed else None
    except SecretUnreadable:
        return None
    return asked if asked is not None and asked.until > clock.now().timestamp() else None


def choices_of(response: str, asked: Asked | None, origin: Origin) -> list[Choice]:
    """The roles that a response opens; it can't be used again.

    Raises Throttled, InvalidIdentityToken, ExpiredToken, and NotAllowed when there is none.
    """
    counted = throttle.step_try(TRIES, origin.address)
    found: list[Choice] = []
    refusals: list[ServiceError] = []
    for provider in _providers(response, asked):
        try:
            # What is refused for another reason has not used its assertion up.
            with transaction.atomic():
                found += _opened(provider, response, asked, origin)
        except ServiceError as error:
            refusals.append(error)
            _record_refusal(provider, error, origin)
    if found:
        counted.succeeded()
        return found
    raise refusals[0] if refusals else InvalidIdentityToken("Response signature invalid")


def _providers(response: str, asked: Asked | None) -> list[SAMLProvider]:
    """The provider that was asked; without one those of that name, whose keys then have to show that it was them."""
    if asked is not None:
        return list(SAMLProvider.objects.filter(pk=asked.provider_id))
    try:
        issuer = issuer_of(response)
    except SAMLError as error:
        raise InvalidIdentityToken("Response signature invalid", detail=str(error)) from error
    return list(SAMLProvider.objects.filter(entity_id=issuer, starts_sign_in=True).order_by("pk")[:_MOST_PROVIDERS])


def _opened(provider: SAMLProvider, response: str, asked: Asked | None, origin: Origin) -> list[Choice]:
    claims = redeem(provider, response, clock.now())
    if claims.in_response_to != (asked.request_id if asked else ""):
        raise InvalidIdentityToken("This sign-in was not begun in this browser. Begin it anew.")
    who, name, seconds = by_saml(provider, claims), session_name(claims), session_seconds(claims) or _USUAL
    roles = list(_roles(provider, claims, who, name, origin))
    if not roles:
        raise NotAllowed(f"No role lets {claims.name_id[:128]} in through this provider.")
    return [Choice(who, role.arn, name, seconds, start_of(provider)) for role in roles]


def _roles(provider: SAMLProvider, claims: Claims, who: Vouched, name: str, origin: Origin) -> Iterator[Role]:
    """Of this provider's own account, named by it for this very provider, and willing to let the person in."""
    for role_arn, provider_arn in claims.roles:
        role = find_role(role_arn) if provider_arn == provider.arn else None
        if role is not None and role.account_id == provider.account_id and may_assume(who, role, Wish(name), origin):
            yield role


def _record_refusal(provider: SAMLProvider, error: ServiceError, origin: Origin) -> None:
    """For the account's own people: outsiders are told less."""
    nobody = anonymous(origin, provider.account_id)
    reason = error.detail if isinstance(error, InvalidIdentityToken) else error.message
    record(nobody, LOGIN, provider.arn, outcome=Outcome.FAILURE, error_code=error.code, reason=reason)


def start_of(provider: SAMLProvider) -> str:
    """Where people of a provider begin, and sign in again."""
    return reverse("access:saml-start", args=[provider.account_id, provider.name])


def sealed(choices: list[Choice], browser: str) -> str:
    """The choices as a text that only this browser can give back, for a few minutes."""
    until = clock.now() + CHOOSE_WITHIN
    rows = [_packed(choice) for choice in choices]
    content = {"id": secrets.token_hex(16), "until": until.timestamp(), "choices": rows}
    return box().seal(json.dumps(content), f"saml-choice:{browser}")


def _packed(choice: Choice) -> dict[str, object]:
    facts = asdict(choice)
    ends = choice.who.not_after
    facts["who"]["not_after"] = ends.timestamp() if ends else None
    return facts


def chosen(text: str, browser: str, role_arn: str) -> Choice:
    """The choice that was made, which can be made once. Raises NotAllowed."""
    try:
        content = json.loads(box().open(text, f"saml-choice:{browser}"))
    except SecretUnreadable as error:
        raise _over() from error
    until = datetime.fromtimestamp(content["until"], tz=clock.now().tzinfo)
    row = next((row for row in content["choices"] if row["role_arn"] == role_arn), None)
    if row is None or until <= clock.now() or not one_time.use("saml-choice", content["id"], until):
        raise _over()
    return _unpacked(row)


def _over() -> NotAllowed:
    return NotAllowed("This sign-in is over. Begin it anew.")


def _unpacked(row: dict[str, Any]) -> Choice:
    who = row["who"]
    ends = who["not_after"]
    who = {
        **who,
        "keys": {key: tuple(values) for key, values in who["keys"].items()},
        "transitive_keys": tuple(who["transitive_keys"]),
        "not_after": datetime.fromtimestamp(ends, tz=clock.now().tzinfo) if ends else None,
    }
    return Choice(**{**row, "who": Vouched(**who)})


@transaction.atomic
def enter(choice: Choice, origin: Origin) -> Session:
    """Open the console for the person as the role. Raises NotAllowed, also when the provider is gone meanwhile."""
    account_id, name = choice.who.provider.split(":")[4], choice.who.provider.rpartition("/")[2]
    if not SAMLProvider.objects.filter(account_id=account_id, name=name, disabled_at=None).exists():
        raise _over()
    wish = Wish(name=choice.session_name, seconds=choice.seconds)
    made = take_on(choice.who, find_role(choice.role_arn), wish, origin, longest=_LONGEST)
    kept = sessions.Temporary(made.credentials.access_key_id, made.credentials.session_token)
    token = sessions.open_federated_session(
        account_id=account_id,
        credentials=kept,
        expires_at=made.credentials.expires_at,
        origin=origin,
        came_from=choice.came_from,
    )
    record(choice.who.principal(account_id, origin), LOGIN, choice.role_arn, page="saml", session=made.arn)
    return Session(token, made.credentials.expires_at)
