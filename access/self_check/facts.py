"""What the checks look at: an account in plain values, as it was read at one moment. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from policies.engine.findings import Problem
from policies.engine.powers import Powers

Link = tuple[str, ...]  # the name of a page, and the words of its address


class Key(NamedTuple):
    """An active access key. `owner_made_at` is told of one only that was never used."""

    access_key_id: str
    created_at: datetime
    used_at: datetime | None
    owner_made_at: datetime | None


class Person(NamedTuple):
    """An IAM user's credentials. `password_set_at` is empty where there is no console password."""

    name: str
    unique_id: str
    password_set_at: datetime | None
    password_used_at: datetime | None
    has_mfa: bool
    keys: tuple[Key, ...]


class Root(NamedTuple):
    """The root user. `since` is when the account was opened, `keys` counts all, `used_at` is the last use of password
    or key."""

    email: str
    since: datetime
    has_mfa: bool
    keys: int
    used_at: datetime | None
    mail_is_sent: bool


class Policy(NamedTuple):
    """A managed policy: an own one, or a built-in one that is attached."""

    name: str
    unique_id: str
    is_built_in: bool
    digest: str

    @property
    def link(self) -> Link:
        return ("policies:get-policy", "aws" if self.is_built_in else "own", self.name)


class Inline(NamedTuple):
    name: str
    digest: str


class Holder(NamedTuple):
    """Whoever has policies. `attached` and `boundary` are keys of `Facts.policies`, `groups` of `Facts.groups`."""

    kind: str  # user, group or role
    name: str
    unique_id: str
    attached: tuple[int, ...] = ()
    inline: tuple[Inline, ...] = ()
    boundary: int | None = None
    groups: tuple[int, ...] = ()

    @property
    def link(self) -> Link:
        return (f"identities:list-attached-{self.kind}-policies", self.name)

    def link_of(self, inline: Inline) -> Link:
        return (f"identities:get-{self.kind}-policy", self.name, inline.name)


class Trust(NamedTuple):
    """A role's trust policy."""

    role: str
    unique_id: str
    digest: str


class Certificate(NamedTuple):
    name: str
    unique_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What nobody asked for is empty. `powers` and `openings` say what documents open, by digest: a document that
    nobody has looked at yet is missing there."""

    root: Root | None = None
    people: tuple[Person, ...] = ()
    policies: Mapping[int, Policy] = field(default_factory=dict)
    users: tuple[Holder, ...] = ()
    groups: Mapping[int, Holder] = field(default_factory=dict)
    roles: tuple[Holder, ...] = ()
    trusts: tuple[Trust, ...] = ()
    powers: Mapping[str, Powers] = field(default_factory=dict)
    openings: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    password_length: int = 0
    password_reuse: int = 0
    certificates: tuple[Certificate, ...] = ()
    has_providers: bool = False

    def holders(self) -> Iterator[Holder]:
        yield from self.users
        yield from self.groups.values()
        yield from self.roles

    def boundary_of(self, holder: Holder) -> Powers | None:
        """None without a boundary; one that nobody has looked at yet is taken to limit everything."""
        if holder.boundary is None:
            return None
        policy = self.policies.get(holder.boundary)
        return self.powers.get(policy.digest, NOTHING) if policy else NOTHING


NOTHING = Powers(full=False, allowed=frozenset(), denied=frozenset())
