"""AssumeRole: who may take on a role, for how long, and with what limits (STS API reference; AWS's own messages)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from access.gate import PrincipalGate
from access.principals import assumed_role_arn
from access.session_tokens import SessionClaims
from access.sts_mfa import prove_mfa
from access.temporary_credentials import (
    POLICY_ARN_LIMIT,
    Credentials,
    SessionRequest,
    check_session_tags,
    issue,
    lifetime,
    session_policies,
)
from access.trust import require_trust
from accounts.ids import new_secret_access_key
from accounts.tags import request_tag_keys
from audit.errors import ServiceError, ValidationError
from audit.explanation import Explanation
from audit.principal import NO_TAGS, Principal
from audit.services import Change, record_many
from identities.models import Role
from identities.reading import read_named_role, read_role_and_policies
from identities.resource_tags import resource_tags

ROLE_ARN = re.compile(r"arn:aws:iam::(\d{12}):role(/(?:[!-~]+/)?)([\w+=,.@-]+)", re.ASCII)
DEFAULT_SECONDS = 3600
LONGEST_CHAINED = 3600


class NotAllowed(ServiceError):
    """Refused by a rule, or for somebody from outside by a trust policy: then `explanation` says by which statement,
    for the audit trail and whoever may read the policy."""

    code = "AccessDenied"
    explanation: Explanation | None = None


class TooLong(ValidationError):
    """More seconds than the role's sessions may last; `longest` says how many that is."""

    field = "seconds"

    def __init__(self, longest: int) -> None:
        super().__init__("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
        self.longest = longest


@dataclass(frozen=True, slots=True)
class RoleSession:
    """A session that was made: its key, what it is called, and how much of a token its limits and tags take."""

    credentials: Credentials
    arn: str
    unique_id: str
    packed_percent: int
    source_identity: str


@dataclass(frozen=True, slots=True)
class Proofs:
    """What the caller shows beside its signature. `serial_number` and `code` go together."""

    external_id: str = ""
    serial_number: str = ""
    code: str = field(default="", repr=False)


def find_role(arn: str) -> Role | None:
    """The role of an ARN, in whatever account: whether the caller may take it on is for policies to say."""
    parts = ROLE_ARN.fullmatch(arn)
    if parts is None:
        return None
    account_id, _, name = parts.groups()
    role = read_named_role(account_id, name)
    return role if role is not None and role.arn == arn else None


def find_role_for(arn: str, requested: SessionRequest) -> tuple[Role | None, SessionRequest]:
    """The role of an ARN, and the request with the ids of the policies that shall limit the session, in one query."""
    parts = ROLE_ARN.fullmatch(arn)
    if parts is None or not 0 < len(requested.policy_arns) <= POLICY_ARN_LIMIT:
        return find_role(arn), requested
    account_id, _, name = parts.groups()
    role, policy_ids = read_role_and_policies(account_id, name, requested.policy_names)
    return role if role is not None and role.arn == arn else None, replace(requested, policy_ids=policy_ids)


def assume_role(
    *, gate: PrincipalGate, role_arn: str, requested: SessionRequest, proofs: Proofs | None = None
) -> RoleSession:
    """Take on a role for a while. Raises TrustDenied, NotAllowed, Throttled, ValidationError, InvalidParameterValue,
    MalformedPolicyDocument, PackedPolicyTooLarge."""
    by, proofs = gate.principal, proofs or Proofs()
    if by.is_root:
        raise NotAllowed("Roles may not be assumed by root accounts.")
    proved = prove_mfa(by, proofs.serial_number, proofs.code)
    if proved:
        by = replace(by, mfa=True, mfa_at=proved)
        gate = replace(gate, principal=by)
    requested = replace(requested, source_identity=_source_identity(by, requested))
    role, requested = find_role_for(role_arn, requested)
    authorize_session(gate, role_arn, role, requested, external_id=proofs.external_id)
    if role is None:
        raise NotAllowed(f"User: {by.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn}")
    return issue_role_session(by=by, role=role, requested=requested, not_after=by.expires_at)


def authorize_session(
    gate: PrincipalGate, role_arn: str, role: Role | None, requested: SessionRequest, *, external_id: str = ""
) -> None:
    """Ask for the role, and for the tags and the source identity that the session shall carry, be they given now or
    come from further up the chain. Raises TrustDenied."""
    inherited = _inherited_tags(gate.principal)
    requested = replace(
        requested, tags={**inherited, **requested.tags}, transitive_keys=(*inherited, *requested.transitive_keys)
    )
    context = session_context(role, requested, external_id=external_id)
    require_trust(gate, "sts:AssumeRole", role_arn, role, context)
    if requested.tags:
        require_trust(gate, "sts:TagSession", role_arn, role, context)
    if requested.source_identity:
        require_trust(gate, "sts:SetSourceIdentity", role_arn, role, context)


def session_context(
    role: Role | None, requested: SessionRequest, *, external_id: str = ""
) -> dict[str, str | tuple[str, ...]]:
    """The condition keys of a request for a session. A fact that was not given has no key, and so fails closed."""
    facts: dict[str, str | tuple[str, ...]] = {
        "sts:RoleSessionName": requested.name,
        "sts:ExternalId": external_id,
        "sts:SourceIdentity": requested.source_identity,
        "sts:TransitiveTagKeys": tuple(requested.transitive_keys),
    }
    given = {key: value for key, value in facts.items() if value}
    of_role = resource_tags(role) if role else {}
    return {**given, **request_tag_keys(requested.tags), **of_role}


def issue_role_session(
    *,
    by: Principal,
    role: Role,
    requested: SessionRequest,
    made_by: str = "AssumeRole",
    provider: str = "",
    source_key: str = "",
    not_after: datetime | None = None,
    longest: int | None = None,
) -> RoleSession:
    """Make a session of a role for somebody of whom it is decided that they may have it, and record it.

    `by` is who asked, `provider` the ARN or host name of what vouches for them, `source_key` what the session hangs on
    beside the role, `not_after` the moment that it must not outlive, `longest` takes the place of the role's own
    maximum. Raises ValidationError,
    InvalidParameterValue, MalformedPolicyDocument, PackedPolicyTooLarge.
    """
    is_chained = by.type == "role-session"
    seconds = _seconds(requested, longest or role.max_session_seconds, is_chained=is_chained)
    inherited = _inherited_tags(by)
    check_session_tags(requested, inherited)
    issued_at, expires_at = lifetime(seconds, not_after)
    claims = SessionClaims(
        made_by=made_by,
        account_id=role.account_id,
        issuer_id=role.unique_id,
        secret=new_secret_access_key(),
        issued_at=issued_at,
        expires_at=expires_at,
        name=requested.name,
        # What came of temporary credentials, or of none of ours, can't be made to last longer (access.broker).
        source_key=source_key or ("" if by.is_temporary else by.access_key_id),
        source_identity=requested.source_identity,
        provider=provider or by.vouched_by,
        begun_by=_beginner(by, source_key),
        policies=session_policies(role.account_id, requested),
        tags={**inherited, **requested.tags},
        transitive_keys=(*inherited, *requested.transitive_keys),
    )
    credentials, percent = issue(claims)
    _record(by, role, claims, credentials)
    return RoleSession(
        credentials,
        assumed_role_arn(role, requested.name),
        f"{role.unique_id}:{requested.name}",
        percent,
        requested.source_identity,
    )


def _beginner(by: Principal, source_key: str) -> str:
    """The user at the beginning, whose lockdown ends it, or the machine with its key, whose removal does. Behind a
    federated user that is who vouched for them."""
    if by.type == "machine":
        return f"{by.unique_id}/{source_key}"
    if by.type == "federated-user" and by.issuer_id != by.account_id:
        return by.issuer_id
    return by.unique_id if by.type == "user" else by.begun_by


def _seconds(requested: SessionRequest, longest: int, *, is_chained: bool) -> int:
    seconds = requested.seconds or DEFAULT_SECONDS
    if is_chained and seconds > LONGEST_CHAINED:
        raise ValidationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    if seconds > longest:
        raise TooLong(longest)
    return seconds


def _source_identity(by: Principal, requested: SessionRequest) -> str:
    """Once set, it stays for the whole chain."""
    if by.source_identity and requested.source_identity not in ("", by.source_identity):
        raise NotAllowed("The source identity of a session can't be changed: it was set when the session was made.")
    if requested.source_identity.lower().startswith("aws:"):
        raise ValidationError("SourceIdentity cannot begin with aws: - that prefix is reserved.")
    return by.source_identity or requested.source_identity


def _inherited_tags(by: Principal) -> Mapping[str, str]:
    """Those of a role's session that go on to the next. Keys compare ignoring case, and the list of transitive ones
    may spell them otherwise than the tags do."""
    if by.type != "role-session":
        return NO_TAGS
    transitive = {key.casefold() for key in by.transitive_keys}
    return {key: value for key, value in by.tags.items() if key.casefold() in transitive}


def _record(by: Principal, role: Role, claims: SessionClaims, credentials: Credentials) -> None:
    """In the trail of whose role it is, and in that of who asked where that is another account."""
    detail = {
        "made_key": credentials.access_key_id,
        "session": claims.name,
        "expires_at": f"{claims.expires_at:%Y-%m-%dT%H:%M:%SZ}",
        "tags": dict(claims.tags),
        "session_source_identity": claims.source_identity,
        "caller_account": by.account_id,
    }
    accounts = {role.account_id, by.account_id} - {""}
    record_many(Change(replace(by, account_id=each), f"sts:{claims.operation}", role.arn, detail) for each in accounts)
