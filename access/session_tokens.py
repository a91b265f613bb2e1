"""Session tokens: everything about a temporary key, sealed, so that issuing one writes nothing. Pure.

A token is sealed for its access key id and opens with no other (AES-GCM, the keys of `identities.secretbox`, the id of
the key inside). It says whose session it is by unique id; what that principal may do is looked up at every use.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from audit.principal import NO_TAGS, SessionPolicies
from identities.secretbox import SecretBox, SecretUnreadable

# A token travels in a header, and servers and proxies take about 8 kB of one.
PACKED_LIMIT = 4096
LONGEST_LIFE_SECONDS = 129_600
# A role that a machine has through its instance profile. AWS's trail calls it AssumeRole, too.
MADE_BY_MACHINE = "AssumeRole/machine"


class TokenUnreadable(Exception):
    """Not a token that this installation made for this access key."""


@dataclass(frozen=True, slots=True)
class SessionClaims:
    """What a token says. `made_by` is the STS operation, or MADE_BY_MACHINE; `issuer_id` the unique id of the role or
    user behind it (root: the account's id); `name` the session's or federated user's name, or the machine's id;
    `source_key` the long-term key that asked, or the fingerprint of the machine's; `begun_by` the unique id of the user
    who began the chain of roles, or the machine's id, a slash, and the fingerprint."""

    made_by: str
    account_id: str
    issuer_id: str
    secret: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime
    name: str = ""
    source_key: str = ""
    mfa_at: datetime | None = None
    source_identity: str = ""
    provider: str = ""
    begun_by: str = ""
    policies: SessionPolicies | None = None
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)
    transitive_keys: tuple[str, ...] = ()

    @property
    def operation(self) -> str:
        """What the audit trail calls it."""
        return self.made_by.partition("/")[0]


def packed(policies: SessionPolicies | None, tags: Mapping[str, str], transitive_keys: tuple[str, ...] = ()) -> bytes:
    """Session policies and tags in their compact form. The secret is never compressed together with them: their
    length tells something of what they hold."""
    limits = None if policies is None else [policies.document, *policies.managed]
    content = [limits, dict(tags), list(transitive_keys)]
    return zlib.compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), 6)


def packed_percent(
    policies: SessionPolicies | None, tags: Mapping[str, str], transitive_keys: tuple[str, ...] = ()
) -> int:
    """How much of the room for them session policies and tags take (PackedPolicySize); none given take none."""
    if policies is None and not tags:
        return 0
    return -(-100 * len(packed(policies, tags, transitive_keys)) // PACKED_LIMIT)


def seal(claims: SessionClaims, access_key_id: str, box: SecretBox) -> str:
    """The token that goes with a temporary access key."""
    head = [
        claims.made_by,
        claims.account_id,
        claims.issuer_id,
        claims.secret,
        int(claims.issued_at.timestamp()),
        int(claims.expires_at.timestamp()),
        claims.name,
        claims.source_key,
        int(claims.mfa_at.timestamp()) if claims.mfa_at else None,
        claims.source_identity,
        claims.provider,
        claims.begun_by,
    ]
    plain = json.dumps(head, separators=(",", ":")).encode() + b"\n"
    if claims.policies is not None or claims.tags:
        plain += packed(claims.policies, claims.tags, claims.transitive_keys)
    return box.seal_bytes(plain, _row(access_key_id))


def open_token(token: str, access_key_id: str, box: SecretBox) -> SessionClaims:
    """What a token says. Raises TokenUnreadable for anything but a token made here for that key."""
    try:
        plain = box.open_bytes(token, _row(access_key_id))
    except SecretUnreadable as error:
        raise TokenUnreadable from error
    head, _, rest = plain.partition(b"\n")
    # Of releases that did not tell yet who began a session there are tokens without the last word.
    made_by, account_id, issuer_id, secret, issued_at, expires_at, name, key, mfa_at, identity, provider, *begun = (
        json.loads(head)
    )
    limits, tags, transitive_keys = json.loads(zlib.decompress(rest)) if rest else (None, {}, [])
    return SessionClaims(
        made_by=made_by,
        account_id=account_id,
        issuer_id=issuer_id,
        secret=secret,
        issued_at=_moment(issued_at),
        expires_at=_moment(expires_at),
        name=name,
        source_key=key,
        mfa_at=None if mfa_at is None else _moment(mfa_at),
        source_identity=identity,
        provider=provider,
        begun_by=begun[0] if begun else "",
        policies=None if limits is None else SessionPolicies(limits[0], tuple(limits[1:])),
        tags=tags or NO_TAGS,
        transitive_keys=tuple(transitive_keys),
    )


def _row(access_key_id: str) -> str:
    return f"session-token:{access_key_id}"


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
