"""GetSessionToken and GetFederationToken: temporary credentials that a user, or root, makes of long-term ones."""

from dataclasses import dataclass

from django.db import transaction

from access.gate import PrincipalGate
from access.principals import federated_user_arn
from access.session_tokens import SessionClaims
from access.sts_mfa import prove_mfa
from access.temporary_credentials import (
    Credentials,
    SessionRequest,
    check_session_tags,
    issue,
    lifetime,
    session_policies,
)
from accounts.ids import new_secret_access_key
from audit.errors import AccessDenied
from audit.principal import Principal
from audit.services import record
from policies.engine import Outcome

DEFAULT_SECONDS = 43_200
# Of root, what is asked for beyond this is cut, not refused (GetSessionToken, "DurationSeconds").
ROOT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class FederatedSession:
    """A session for somebody whom the caller vouches for."""

    credentials: Credentials
    arn: str
    unique_id: str
    packed_percent: int


def get_session_token(
    *, gate: PrincipalGate, seconds: int | None = None, serial_number: str = "", code: str = ""
) -> Credentials:
    """Temporary credentials with all that the caller may do. Needs no permission; only a Deny keeps it from somebody.

    Raises AccessDenied, MFAFailed, Throttled.
    """
    by = gate.principal
    mfa_at = prove_mfa(by, serial_number, code)
    decision = gate.decide("sts:GetSessionToken", "*")
    if decision.outcome is Outcome.EXPLICITLY_DENIED:
        raise AccessDenied(by.arn, "sts:GetSessionToken", "*", decision)
    issued_at, expires_at = lifetime(_seconds(by, seconds))
    claims = SessionClaims(
        made_by="GetSessionToken",
        account_id=by.account_id,
        issuer_id=by.unique_id,
        secret=new_secret_access_key(),
        issued_at=issued_at,
        expires_at=expires_at,
        source_key=by.access_key_id,
        mfa_at=mfa_at.replace(microsecond=0) if mfa_at else None,
    )
    credentials, _ = issue(claims)
    _record(by, by.arn, claims, credentials)
    return credentials


def get_federation_token(*, by: Principal, requested: SessionRequest) -> FederatedSession:
    """Temporary credentials for somebody else, who may do what the caller may and the session policies allow too.

    Raises InvalidParameterValue, ValidationError, MalformedPolicyDocument, PackedPolicyTooLarge.
    """
    check_session_tags(requested)
    issued_at, expires_at = lifetime(_seconds(by, requested.seconds))
    claims = SessionClaims(
        made_by="GetFederationToken",
        account_id=by.account_id,
        issuer_id=by.unique_id,
        secret=new_secret_access_key(),
        issued_at=issued_at,
        expires_at=expires_at,
        name=requested.name,
        source_key=by.access_key_id,
        policies=session_policies(by.account_id, requested),
        tags=requested.tags,
    )
    credentials, percent = issue(claims)
    arn = federated_user_arn(by.account_id, requested.name)
    _record(by, arn, claims, credentials)
    return FederatedSession(credentials, arn, f"{by.account_id}:{requested.name}", percent)


def _seconds(by: Principal, seconds: int | None) -> int:
    if by.is_root:
        return min(seconds or ROOT_SECONDS, ROOT_SECONDS)
    return seconds or DEFAULT_SECONDS


@transaction.atomic
def _record(by: Principal, resource: str, claims: SessionClaims, credentials: Credentials) -> None:
    record(
        by,
        f"sts:{claims.made_by}",
        resource,
        made_key=credentials.access_key_id,
        expires_at=f"{claims.expires_at:%Y-%m-%dT%H:%M:%SZ}",
        mfa=claims.mfa_at is not None,
        tags=dict(claims.tags),
    )
