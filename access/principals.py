"""Turning a session or an access key into the Principal it stands for. Looked up at every request, so that a deleted
user or role, a removed password, an inactive key or a lockdown counts at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import Prefetch

from access.models import ConsoleSession
from access.policy_rows import PolicyRow, read_key_and_policies, read_role_and_policies
from access.session_tokens import MADE_BY_MACHINE, SessionClaims, TokenUnreadable, open_token
from audit import clock
from audit.errors import ServiceError
from audit.principal import Origin, Principal, root_arn, root_principal
from database.prefetch import related_rows
from federation.services.vouching import still_vouches
from identities import machine_proof
from identities.models import AccessKey, Machine, Role, User, UserTag
from identities.reading import read_machine_with_role
from identities.sealed import box
from identities.services.access_keys import note_use
from identities.services.roles import note_role_use

# Exactly one query for a session and its user, and one for the tags.
WITH_USER_TAGS = Prefetch("user__tags", queryset=UserTag.objects.only("user_id", "key", "value"))
ROLE_SESSIONS = ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", MADE_BY_MACHINE)
TEMPORARY = "ASIA"


class ExpiredToken(ServiceError):
    """The temporary credentials were good, and their time is over."""

    code = "ExpiredToken"


def user_principal(user: User, origin: Origin, **facts: Any) -> Principal:
    """`facts` are further fields of Principal (mfa, mfa_at, access_key_id, …)."""
    tags = {tag.key: tag.value for tag in related_rows(user, "tags")}
    return Principal(user.account_id, "user", user.arn, user.unique_id, user.name, tags, origin=origin, **facts)


def session_principal(session: ConsoleSession, origin: Origin) -> Principal | None:
    """Who acts in a console session: the role that it has switched to, or whose session it is. None when the role or
    the outside sign-in is over: its time, or what it stands for."""
    if session.acting_token:
        return _by_credentials(session.acting_key_id, session.acting_token, origin)
    return original_principal(session, origin)


def original_principal(session: ConsoleSession, origin: Origin) -> Principal | None:
    """Whose session it is, whatever role it has switched to.

    For people with a password, whether a second factor was used is always known: true or false, never absent.
    """
    if session.is_federated:
        return _by_credentials(session.own_key_id, session.own_token, origin)
    facts = {"mfa": session.mfa_at is not None, "mfa_at": session.mfa_at}
    if session.user is None:
        return root_principal(session.account_id, origin=origin, **facts)
    return user_principal(session.user, origin, **facts)


def _by_credentials(access_key_id: str, token: str, origin: Origin) -> Principal | None:
    holder = load_for_access_key(access_key_id, origin, token)
    if holder is None or isinstance(holder, KeyHolder):
        return None
    try:
        principal = holder.principal()
    except ExpiredToken:
        return None
    if isinstance(holder, RoleSessionHolder):
        holder.note_use(service="signin", region="")
    return principal


def role_session_principal(role: Role, claims: SessionClaims, origin: Origin, access_key_id: str = "") -> Principal:
    """Somebody who has taken on a role. Whether they proved a second factor then is not carried on."""
    return Principal(
        role.account_id,
        "role-session",
        assumed_role_arn(role, claims.name),
        f"{role.unique_id}:{claims.name}",
        claims.name,
        overridden({tag.key: tag.value for tag in related_rows(role, "tags")}, claims.tags),
        issued_at=claims.issued_at,
        expires_at=claims.expires_at,
        issuer_arn=role.arn,
        issuer_id=role.unique_id,
        made_by=claims.made_by,
        session_policies=claims.policies,
        source_identity=claims.source_identity,
        transitive_keys=claims.transitive_keys,
        federated_provider=claims.provider if claims.made_by != "AssumeRole" else "",
        vouched_by=claims.provider,
        begun_by=claims.begun_by,
        access_key_id=access_key_id,
        origin=origin,
    )


def assumed_role_arn(role: Role, session_name: str) -> str:
    """The ARN of a session has the role's name without its path."""
    return f"arn:aws:sts::{role.account_id}:assumed-role/{role.name}/{session_name}"


def federated_user_arn(account_id: str, name: str) -> str:
    return f"arn:aws:sts::{account_id}:federated-user/{name}"


def overridden(tags: Mapping[str, str], by: Mapping[str, str]) -> dict[str, str]:
    """Session tags take the place of the role's own of the same key, in whatever case (id_session-tags)."""
    given = {key.casefold() for key in by}
    return {key: value for key, value in tags.items() if key.casefold() not in given} | dict(by)


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """An access key as the door for programs needs it; `secret` is for checking one signature and is never kept.
    `policies` are what its holder's permissions are made of, read in the same statement."""

    key: AccessKey
    origin: Origin
    policies: tuple[PolicyRow, ...]

    @property
    def sealed(self) -> str:
        """What the secret stands in. It is the same secret as long as this is the same."""
        return self.key.secret_encrypted

    @property
    def secret(self) -> str:
        return box().open(self.key.secret_encrypted, self.key.sealed_row)

    def principal(self) -> Principal:
        """Who holds the key."""
        key, user = self.key, self.key.user
        if user is None:
            return root_principal(key.account_id, access_key_id=key.access_key_id, origin=self.origin)
        return user_principal(user, self.origin, access_key_id=key.access_key_id)

    def note_use(self, *, service: str, region: str) -> None:
        note_use(self.key, service=service, region=region, address=self.origin.address)


@dataclass(frozen=True, slots=True)
class RoleSessionHolder:
    """A temporary key of somebody who has taken on a role."""

    role: Role
    claims: SessionClaims
    access_key_id: str
    sealed: str
    origin: Origin
    policies: tuple[PolicyRow, ...]

    @property
    def secret(self) -> str:
        return self.claims.secret

    def principal(self) -> Principal:
        """Raises ExpiredToken."""
        _refuse_expired(self.claims)
        return role_session_principal(self.role, self.claims, self.origin, self.access_key_id)

    def note_use(self, *, service: str, region: str) -> None:
        note_role_use(self.role, region=region)


@dataclass(frozen=True, slots=True)
class UserSessionHolder:
    """A temporary key that a user or root made of their own, or for a federated user. `key` is the long-term key it was
    made with: without that, or with it inactive, the temporary one is worth nothing."""

    key: AccessKey
    claims: SessionClaims
    access_key_id: str
    sealed: str
    origin: Origin
    policies: tuple[PolicyRow, ...]

    @property
    def secret(self) -> str:
        return self.claims.secret

    def principal(self) -> Principal:
        """Raises ExpiredToken."""
        _refuse_expired(self.claims)
        claims, user = self.claims, self.key.user
        facts = {
            "made_by": claims.made_by,
            "issued_at": claims.issued_at,
            "expires_at": claims.expires_at,
            "access_key_id": self.access_key_id,
            "issuer_id": claims.issuer_id,
            "issuer_arn": user.arn if user else root_arn(claims.account_id),
        }
        if claims.made_by == "GetFederationToken":
            return self._federated(facts)
        facts |= {"mfa": claims.mfa_at is not None, "mfa_at": claims.mfa_at}
        if user is None:
            return root_principal(claims.account_id, origin=self.origin, **facts)
        return user_principal(user, self.origin, **facts)

    def _federated(self, facts: Mapping[str, Any]) -> Principal:
        """Known by the tags of the session; the user's own are not handed on."""
        claims = self.claims
        return Principal(
            claims.account_id,
            "federated-user",
            federated_user_arn(claims.account_id, claims.name),
            f"{claims.account_id}:{claims.name}",
            claims.name,
            claims.tags,
            session_policies=claims.policies,
            origin=self.origin,
            **facts,
        )

    def note_use(self, *, service: str, region: str) -> None:
        note_use(self.key, service=service, region=region, address=self.origin.address)


Holder = KeyHolder | RoleSessionHolder | UserSessionHolder


def load_for_access_key(access_key_id: str, origin: Origin, token: str | None = None) -> Holder | None:
    """The active key with that id and who it belongs to; None for an unknown one, an inactive one and one of a user who
    is locked down alike, at equal cost: the time of an answer must not tell which key ids exist. A temporary key comes
    with its token, a long-term one without: a token beside it was made for somebody else's credentials."""
    if access_key_id.startswith(TEMPORARY):
        return _temporary(access_key_id, origin, token or "")
    found = read_key_and_policies(access_key_id)
    if found is None or not _counts(found.row) or token is not None:
        box().open(_nobodys_secret(), _NOBODY)
        return None
    return KeyHolder(found.row, origin, found.policies)


def _temporary(access_key_id: str, origin: Origin, token: str) -> Holder | None:
    """None when the token is not one made for this key, or what it stands for is gone: the role or user (by unique id,
    so that a new one of the old name is somebody else), the long-term key that made it, or the machine that has it; and
    when the user behind it is locked down, or was since it was made."""
    try:
        claims = open_token(token, access_key_id, box())
    except TokenUnreadable:
        return None
    limits = claims.policies.managed if claims.policies else ()
    if claims.made_by in ROLE_SESSIONS:
        role = read_role_and_policies(claims.issuer_id, limits, begun_by=claims.begun_by)
        if role is None or role.beginner_ended(claims.issued_at) or not _is_still_given(claims):
            return None
        return RoleSessionHolder(role.row, claims, access_key_id, token, origin, role.policies)
    found = read_key_and_policies(claims.source_key, limits)
    if found is None or not _counts(found.row, claims.issued_at) or _owner_id(found.row) != claims.issuer_id:
        return None
    return UserSessionHolder(found.row, claims, access_key_id, token, origin, found.policies)


def _counts(key: AccessKey, since: datetime | None = None) -> bool:
    """Whether a key, or what was made with it at `since`, may be used at all."""
    user = key.user
    return key.is_active and not (user and (user.ended(since) if since else user.is_locked_down))


def _is_still_given(claims: SessionClaims) -> bool:
    """What an outside provider vouched for lasts for as long as the provider is there; what a machine got, for as long
    as it is registered with the same key and has the role by its profile, and what came of that by further roles, for
    as long as it is registered with the same key."""
    if claims.provider and not still_vouches(claims.provider, claims.issued_at):
        return False
    machine_id, is_of_machine, key = claims.begun_by.partition("/")
    if claims.made_by == MADE_BY_MACHINE:
        return _holds_key(read_machine_with_role(claims.name, claims.issuer_id), claims.source_key)
    return not is_of_machine or _holds_key(Machine.objects.filter(pk=machine_id).first(), key)


def _holds_key(machine: Machine | None, fingerprint: str) -> bool:
    return machine is not None and machine_proof.fingerprint(machine.public_key) == fingerprint


def _owner_id(key: AccessKey) -> str:
    return key.user.unique_id if key.user else key.account_id


def _refuse_expired(claims: SessionClaims) -> None:
    if clock.now() >= claims.expires_at:
        raise ExpiredToken("The security token included in the request is expired")


_NOBODY = "access-key:nobody"


@cache
def _nobodys_secret() -> str:
    return box().seal("0" * 40, _NOBODY)
