"""Policy documents (2012-10-17 and 2008-10-17): from text to frozen statements, or to the findings that refuse it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from policies.engine.findings import DocumentError, DocumentKind, Finding
from policies.engine.variables import CURRENT_VERSION

if TYPE_CHECKING:
    from policies.engine.index import ActionIndex

__all__ = ["UNREADABLE", "Condition", "Document", "DocumentError", "DocumentKind", "Finding", "Principals", "Statement"]

Effect = Literal["Allow", "Deny"]

# In these a short ARN is completed with `:*`; in the others it would silently name something else.
IDENTITY_SIDE: tuple[DocumentKind, ...] = ("identity", "session", "boundary")
WITH_PRINCIPAL: tuple[DocumentKind, ...] = ("resource", "trust", "resource_control")


@dataclass(frozen=True, slots=True)
class Principals:
    """Whom a Principal or NotPrincipal element names; `everyone` is "*" or {"AWS": "*"}."""

    everyone: bool = False
    aws: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    canonical_user: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, as texts."""
        everyone = ("*",) if self.everyone else ()
        return (*everyone, *self.aws, *self.federated, *self.service, *self.canonical_user)


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator, one key, its values: `{"StringEquals": {"aws:username": ["alice"]}}`."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as written. Of each pair (`actions` and `not_actions`, …) at most one is filled."""

    index: int
    effect: Effect
    sid: str = ""
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    principals: Principals | None = None
    not_principals: Principals | None = None
    conditions: tuple[Condition, ...] = ()
    first_line: int = 1
    last_line: int = 1


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document. What is compiled from it is made when first needed and kept with it."""

    version: str
    id: str
    statements: tuple[Statement, ...]
    kind: DocumentKind = "identity"
    readable: bool = True
    index: "ActionIndex | None" = field(default=None, init=False, repr=False, compare=False)

    @property
    def has_variables(self) -> bool:
        """Only the current version has policy variables; in the older one `${` is text."""
        return self.version == CURRENT_VERSION

    @property
    def completes_arns(self) -> bool:
        return self.kind in IDENTITY_SIDE


_DENY_EVERYTHING = Statement(
    index=0, effect="Deny", sid="", actions=("*",), resources=("*",), principals=Principals(everyone=True)
)

# What a stored document that can't be read becomes. Skipping it could drop a Deny, so it denies everything.
UNREADABLE = Document(version="", id="", statements=(_DENY_EVERYTHING,), readable=False)
