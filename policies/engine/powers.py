"""What documents open, in the few facts that a look at a whole account adds up: full rights, and ways to more power.

Full rights are told by deciding: the spellings of "everything" have no end. The ways are those of `escalation`, over
one document or over all that somebody has, within a permissions boundary.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from policies.engine.document import Document
from policies.engine.escalation import ESCALATIONS, reachable
from policies.engine.evaluate import evaluate
from policies.engine.findings import Problem
from policies.engine.lint_grants import allows_widely, denies_everywhere
from policies.engine.lint_principals import principal_problems
from policies.engine.request import AttachedPolicy, PolicySet, Request

Ways = list[tuple[str, tuple[str, ...]]]

# Questions that only somebody who may do everything is allowed all of; nobody has heard of the last one.
_PROBES = (
    ("iam:CreateUser", "arn:aws:iam::000000000000:user/nobody"),
    ("s3:DeleteBucket", "arn:aws:s3:::nobody"),
    ("unheard-of:Action", "arn:aws:unheard-of:::nobody"),
)
_ACTIONS = tuple(sorted({action for _, actions in ESCALATIONS for action in actions}))
# What a trust policy is looked at for; whom it names by id is another's business.
_OPEN_TRUST = frozenset(("PUBLIC", "NOT_PRINCIPAL_ALLOW", "SHARED_PROVIDER", "CONFUSED_DEPUTY"))


@dataclass(frozen=True, slots=True)
class Powers:
    """Of the actions that ways to more power take: those `allowed` widely, and those `denied` everywhere."""

    full: bool
    allowed: frozenset[str]
    denied: frozenset[str]

    @property
    def ways(self) -> Ways:
        """The ways to more power of whoever has this document and no other. Who may do everything needs none."""
        return [] if self.full else ways_of((self,))


def powers_of(document: Document) -> Powers:
    """The powers of an identity policy."""
    policies = PolicySet(identity=(AttachedPolicy("", "", document),))
    return Powers(
        full=all(evaluate(Request(action, resource), policies).allowed for action, resource in _PROBES),
        allowed=frozenset(action for action in _ACTIONS if allows_widely(document, action)),
        denied=frozenset(action for action in _ACTIONS if denies_everywhere(document, action)),
    )


def ways_of(powers: Iterable[Powers], boundary: Powers | None = None) -> Ways:
    """The ways to more power of whoever has all these documents, within a boundary."""
    powers = tuple(powers)
    allowed = frozenset[str]().union(*(each.allowed for each in powers))
    denied = frozenset[str]().union(*(each.denied for each in powers))
    if boundary is not None:
        allowed &= boundary.allowed
        denied |= boundary.denied
    left = allowed - denied
    return reachable(left.__contains__) if left else []


def trust_openings(document: Document) -> tuple[Problem, ...]:
    """Whom a trust policy lets in without meaning to: everybody, a shared provider's world, a service for anybody."""
    problems = (each for statement in document.statements for each in principal_problems(statement, "trust"))
    return tuple(problem for problem in problems if problem.code in _OPEN_TRUST)
