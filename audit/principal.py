"""Who is acting now. Root user, IAM user or session, by browser or signed request: the same frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

PrincipalType = Literal["root", "user", "role-session", "federated-user", "federated", "machine", "anonymous", "system"]
Door = Literal["console", "api", "command"]

NO_TAGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from. Plain facts for conditions (`aws:SourceIp`) and for the audit trail."""

    door: Door = "command"
    address: str = ""
    user_agent: str = ""
    request_id: str = ""
    session_id: str = ""
    secure: bool = False


@dataclass(frozen=True, slots=True)
class SessionPolicies:
    """What limits a session beside what its source may do: a document given when it was made, and managed policies by
    unique id. With neither the session may do nothing."""

    document: str = ""
    managed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Principal:
    """`mfa` is None where the fact is absent (long-term keys), as `aws:MultiFactorAuthPresent` is.

    Of a session: `issuer_arn` and `issuer_id` name the role or user behind it, `made_by` the STS operation that made
    its credentials ("" for long-term keys and signed-in people), `session_policies` is None where none was given,
    `transitive_keys` are the tags that go on to the next role of a chain, `vouched_by` is the outside provider with
    whose word the chain began, `federated_provider` the one with whose word this very session did, `begun_by` the
    unique id of the user who began the chain, or the machine with a mark of its key.
    """

    account_id: str
    type: PrincipalType
    arn: str
    unique_id: str
    name: str = ""
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)
    mfa: bool | None = None
    mfa_at: datetime | None = None
    issued_at: datetime | None = None
    issuer_arn: str = ""
    issuer_id: str = ""
    made_by: str = ""
    session_policies: SessionPolicies | None = None
    source_identity: str = ""
    transitive_keys: tuple[str, ...] = ()
    federated_provider: str = ""
    vouched_by: str = ""
    begun_by: str = ""
    expires_at: datetime | None = None
    access_key_id: str = ""
    origin: Origin = Origin()

    @property
    def is_root(self) -> bool:
        return self.type == "root"

    @property
    def role_name(self) -> str:
        """The name of the role behind a session; '' for everybody else."""
        return self.issuer_arn.rpartition("/")[2] if self.type == "role-session" else ""

    @property
    def is_temporary(self) -> bool:
        """Whether it acts by credentials of the Security Token Service."""
        return bool(self.made_by)


def root_arn(account_id: str) -> str:
    return f"arn:aws:iam::{account_id}:root"


def root_principal(account_id: str, **facts: object) -> Principal:
    """The account's root user as a principal; its unique id is the account id (GetCallerIdentity)."""
    return Principal(account_id, "root", root_arn(account_id), account_id, "root", **facts)  # type: ignore[arg-type] # the caller's facts are Principal's own fields


def anonymous(origin: Origin, account_id: str = "") -> Principal:
    """Somebody who has not proved who they are, for recording what they tried."""
    return Principal(account_id, "anonymous", "", "", "", origin=origin)


def system(account_id: str = "") -> Principal:
    """The operator at the server's own command line."""
    return Principal(account_id, "system", "", "", "command line")
