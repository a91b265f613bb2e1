"""The engine's answer, with the statements that led to it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    ALLOWED = "Allowed"
    EXPLICITLY_DENIED = "ExplicitlyDenied"
    IMPLICITLY_DENIED = "ImplicitlyDenied"


IDENTITY = "identity"
BOUNDARY = "boundary"
SESSION = "session"
RESOURCE = "resource"
SERVICE_CONTROL = "service control"
RESOURCE_CONTROL = "resource control"
ENDPOINT = "endpoint"
LAYERS = (IDENTITY, BOUNDARY, SESSION, RESOURCE, SERVICE_CONTROL, RESOURCE_CONTROL, ENDPOINT)
# Layers whose statements name principals.
NAMING_LAYERS = frozenset((RESOURCE, RESOURCE_CONTROL, ENDPOINT))


@dataclass(frozen=True, slots=True)
class StatementRef:
    """Where a statement is: layer, policy, through whom it applies, and its place in the text as stored."""

    layer: str
    source: str
    origin: str
    index: int
    sid: str
    first_line: int
    last_line: int
    effect: str


class NearMiss(NamedTuple):
    """A statement that speaks about the action and yet does not apply: the element that failed, and what was compared.

    For a condition, `operator` and `key` say which; `found` is what the request has (None: the key is absent). Most of
    an explanation is these, and a tuple is made in half the time of a dataclass.
    """

    statement: StatementRef
    element: str
    wanted: tuple[str, ...]
    found: tuple[str, ...] | None
    operator: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. `layer` decided: for an implicit denial, the layer that lacked an Allow. `statements` are those that
    decided; `matched` (only when explained) are all that apply, in every layer."""

    outcome: Outcome
    layer: str
    statements: tuple[StatementRef, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    matched: tuple[StatementRef, ...] = ()
    reason: str = ""

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOWED


UNREADABLE_REASON = "unreadable document"
ROOT_ALLOWED = Decision(Outcome.ALLOWED, IDENTITY, reason="root user")
CALLER_IDENTITY_ALLOWED = Decision(Outcome.ALLOWED, IDENTITY, reason="sts:GetCallerIdentity needs no permission")
LACKS_ALLOW = {layer: Decision(Outcome.IMPLICITLY_DENIED, layer) for layer in LAYERS}
