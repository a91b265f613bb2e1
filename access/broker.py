"""Coming into the console through a company's own identity broker (IAM User Guide,
"id_roles_providers_enable-console-custom-url"): temporary credentials become a sign-in token, and that a session."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from access import sessions, throttle
from access.guard import safe_next
from access.models import SigninToken
from access.principals import (
    ROLE_SESSIONS,
    TEMPORARY,
    RoleSessionHolder,
    UserSessionHolder,
    load_for_access_key,
)
from access.session_tokens import SessionClaims, seal
from access.sign_in import LOGIN
from access.temporary_credentials import LONGEST_SESSION, SHORTEST_SESSION, lifetime
from access.tokens import new_token, same, token_hash
from accounts.ids import account_of_access_key, new_secret_access_key
from accounts.models import Account
from audit import clock
from audit.errors import ServiceError, ValidationError
from audit.models import Outcome
from audit.principal import Origin, Principal, anonymous
from audit.services import record
from federation.services.oidc_providers import is_loopback
from identities.sealed import box
from identities.services.role_sessions import revoked_at

GOOD_FOR = timedelta(minutes=15)
# Refused tries of one network; those that succeed don't count.
TRIES = throttle.Limit("broker-from-address", 60, timedelta(minutes=15), by_address=True)
GET_TOKEN = "signin:GetSigninToken"  # noqa: S105 # the name of an action
_FEDERATED_USER = "GetFederationToken"
_LONGEST_JSON = 16_000
_LONGEST_ISSUER = 2000
_PURPOSE = "signin-token"

Holder = RoleSessionHolder | UserSessionHolder


class Refused(ServiceError):
    """Credentials or a token that open no console: one sentence whatever is wrong with them. `reason` and `account_id`
    are for the audit trail."""

    code = "AccessDenied"

    def __init__(self, reason: str, account_id: str = "") -> None:
        self.reason, self.account_id = reason, account_id
        super().__init__("These credentials do not open the console.")


@dataclass(frozen=True, slots=True)
class PresentedCredentials:
    """Credentials as a broker hands them over."""

    access_key_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)


def signin_token(session: str, seconds: int | None, origin: Origin) -> str:
    """The token with which one browser can come in as whom these credentials stand for, within 15 minutes.

    Raises Throttled, Refused, ValidationError.
    """
    counted = throttle.step_try(TRIES, origin.address)
    try:
        given = _read(session)
        holder = _holder(given.access_key_id, given.token, origin)
        if not same(holder.secret, given.secret):
            raise Refused("The secret is not that of these credentials.", holder.claims.account_id)
        _check_duration(holder.claims, seconds)
    except Refused as error:
        _record_refusal(error, GET_TOKEN, origin)
        raise
    counted.succeeded()
    return _made(holder, given, seconds)


def _read(session: str) -> PresentedCredentials:
    """What a broker sent as JSON."""
    try:
        facts = json.loads(session) if len(session) <= _LONGEST_JSON else None
    except (ValueError, RecursionError):
        facts = None
    parts = [facts.get(name) for name in ("sessionId", "sessionKey", "sessionToken")] if isinstance(facts, dict) else []
    words = [part for part in parts if isinstance(part, str) and part.isascii() and part]
    if len(words) != 3:
        raise Refused("Session is not JSON with sessionId, sessionKey and sessionToken.")
    return PresentedCredentials(*words)


def _holder(access_key_id: str, token: str, origin: Origin) -> Holder:
    """Whom credentials stand for. The token is looked at anew at each step, so that whoever is deleted or revoked
    between two of them does not come in."""
    account_id = _account_of(access_key_id)
    if not access_key_id.startswith(TEMPORARY):
        raise Refused("The credentials are not temporary.", account_id)
    holder = load_for_access_key(access_key_id, origin, token)
    if not isinstance(holder, Holder):
        raise Refused("The token was not made for this key, or the role, user or key behind it is gone.", account_id)
    claims = holder.claims
    if claims.made_by not in (*ROLE_SESSIONS, _FEDERATED_USER):
        raise Refused(f"Credentials of {claims.made_by} do not open the console.", claims.account_id)
    if clock.now() >= claims.expires_at:
        raise Refused("The credentials have expired.", claims.account_id)
    if isinstance(holder, RoleSessionHolder) and _is_revoked(holder):
        raise Refused("The sessions of the role were revoked.", claims.account_id)
    return holder


def _account_of(access_key_id: str) -> str:
    """In whose trail a refusal belongs; '' where the id names no account."""
    try:
        named = account_of_access_key(access_key_id)
    except ValueError:
        return ""
    return named if Account.objects.filter(id=named).exists() else ""


def _is_revoked(holder: RoleSessionHolder) -> bool:
    moment = revoked_at(holder.role)
    return moment is not None and holder.claims.issued_at < moment


def _check_duration(claims: SessionClaims, seconds: int | None) -> None:
    """Told as it is: whoever asks has shown the credentials' secret. Raises ValidationError."""
    if seconds is None:
        return
    if claims.made_by == _FEDERATED_USER:
        raise ValidationError("SessionDuration can't be given with credentials of GetFederationToken.")
    if not SHORTEST_SESSION <= seconds <= LONGEST_SESSION:
        raise ValidationError(f"SessionDuration must be between {SHORTEST_SESSION} and {LONGEST_SESSION} seconds.")
    if not _may_last_longer(claims) and clock.now() + timedelta(seconds=seconds) > claims.expires_at:
        raise ValidationError("SessionDuration is longer than what is left of these credentials.")


def _may_last_longer(claims: SessionClaims) -> bool:
    """Only what a long-term key asked for by AssumeRole. A chained session, or an outside sign-in, has its own end."""
    return claims.made_by == "AssumeRole" and bool(claims.source_key)


@transaction.atomic
def _made(holder: Holder, given: PresentedCredentials, seconds: int | None) -> str:
    token, now = new_token(), clock.now()
    SigninToken.objects.filter(expires_at__lt=now).delete()
    SigninToken.objects.create(
        token_hash=token_hash(token, _PURPOSE),
        account_id=holder.claims.account_id,
        access_key_id=given.access_key_id,
        session_token=given.token,
        seconds=seconds,
        expires_at=now + GOOD_FOR,
    )
    by = holder.principal()
    record(by, GET_TOKEN, by.arn, seconds=seconds)
    return token


def expected(token: str, origin: Origin) -> Principal:
    """Whom a token would let in; it is not used up. Raises Throttled, Refused."""
    try:
        return _of_row(_row(token, origin), origin).principal()
    except Refused as error:
        _record_refusal(error, LOGIN, origin)
        raise


def enter(token: str, came_from: str, origin: Origin) -> sessions.OpenedSession:
    """Use a token up and open a console session. Raises Throttled, Refused."""
    row = None
    try:
        row = _row(token, origin)
        return _enter(row, came_from, origin)
    except Refused as error:
        _record_refusal(error, LOGIN, origin)
        raise


@transaction.atomic
def _enter(row: SigninToken, came_from: str, origin: Origin) -> sessions.OpenedSession:
    now = clock.now()
    unused = SigninToken.objects.filter(pk=row.pk, used_at=None, expires_at__gt=now)
    if not unused.update(used_at=now, session_token=""):
        _refuse_used(row)
    holder = _of_row(row, origin)
    claims = _for_the_console(holder.claims, row.seconds)
    kept = sessions.SessionCredentials(row.access_key_id, seal(claims, row.access_key_id, box()))
    opened = sessions.open_federated_session(
        account_id=row.account_id,
        credentials=kept,
        expires_at=claims.expires_at,
        origin=origin,
        came_from=came_from,
    )
    who = holder.principal()
    record(who, LOGIN, who.arn, page="broker", came_from=came_from, ends=f"{claims.expires_at:%Y-%m-%dT%H:%M:%SZ}")
    return opened


def _for_the_console(claims: SessionClaims, seconds: int | None) -> SessionClaims:
    """The credentials as the session keeps them: with its own end, and a secret that nobody knows. When they were
    issued stays, or they would escape a revocation."""
    end = claims.expires_at
    if seconds is not None:
        _, end = lifetime(seconds, None if _may_last_longer(claims) else claims.expires_at)
    return replace(claims, secret=new_secret_access_key(), expires_at=end)


def _row(token: str, origin: Origin) -> SigninToken:
    counted = throttle.step_try(TRIES, origin.address)
    row = SigninToken.objects.filter(token_hash=token_hash(token, _PURPOSE)).first()
    if row is None:
        raise Refused("There is no such sign-in token.")
    if row.used_at is not None or row.expires_at <= clock.now():
        _refuse_used(row)
    counted.succeeded()
    return row


def _refuse_used(row: SigninToken) -> NoReturn:
    raise Refused("The sign-in token was used before, or is older than 15 minutes.", row.account_id)


def _of_row(row: SigninToken, origin: Origin) -> Holder:
    return _holder(row.access_key_id, row.session_token, origin)


def _record_refusal(error: Refused, action: str, origin: Origin) -> None:
    """For the account's own people: outsiders are told less."""
    nobody = anonymous(origin, error.account_id)
    record(nobody, action, outcome=Outcome.FAILURE, error_code=error.code, reason=error.reason, page="broker")


def destination(address: str) -> str:
    """A page of this console, given by its path or by its whole address."""
    path = address.removeprefix(settings.SITE_URL) if address.startswith(f"{settings.SITE_URL}/") else address
    return safe_next(path)


def linkable(issuer: str) -> str:
    """The address of a broker's sign-in page where a link may lead there; '' for any other text."""
    if len(issuer) > _LONGEST_ISSUER or not (issuer.isascii() and issuer.isprintable()) or set(issuer) & set('\\ "<>'):
        return ""
    try:
        parts: Any = urlsplit(issuer)
        is_https = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return ""
    return issuer if is_https or is_loopback(issuer) else ""
