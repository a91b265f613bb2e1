"""What follows on a refusal of the gate: why it was, and its event in the audit trail."""

from dataclasses import replace
from typing import Any

from access.gate import Context, PrincipalGate
from access.trust import TrustDenied
from audit.errors import AccessDenied
from audit.explanation import Explanation, full
from audit.models import Event, Outcome
from audit.services import record
from policies.engine import evaluate


def record_denial(
    gate: PrincipalGate, error: AccessDenied, *, action: str = "", resource: str | None = None, **detail: Any
) -> Event:
    """Record a refusal with its reasons, and give the error the id of its event. It is recorded as of what the gate was
    asked and the resource that the caller is told of, unless others are named."""
    event = record(
        gate.principal,
        action or error.action,
        error.resource if resource is None else resource,
        outcome=Outcome.DENIED,
        error_code=error.code,
        explanation=explain_denial(gate, error),
        layer=error.decision.layer,
        policies=[statement.source for statement in error.decision.statements],
        **detail,
    )
    error.event_id = event.event_id
    return event


def explain_denial(gate: PrincipalGate, error: AccessDenied) -> Explanation:
    """Why the gate refused: decided once more by the same policies, this time with reasons.

    `unseen` in it is the explanation that there would be if the resource were not there, for whoever may not see it:
    which statement nearly applied would tell of the path and the tags that were found.
    """
    gate = error.gate if isinstance(error, TrustDenied) else gate
    explanation = _explained(gate, error, error.decided_on, error.context)
    said = {key: value for key, value in error.context.items() if not _is_found(key)}
    if error.resource == error.decided_on and said.keys() == error.context.keys():
        return explanation
    return {**explanation, "unseen": _explained(gate, error, error.resource, said)}


def _explained(gate: PrincipalGate, error: AccessDenied, resource: str, context: Context) -> Explanation:
    request, policies = gate.question(error.action, resource, context), gate.policies_for(error.action)
    policies = replace(policies, resource=error.resource_policy) if error.resource_policy else policies
    return full(request, policies, evaluate(request, policies, explain=True))


def _is_found(key: str) -> bool:
    """Whether a condition key comes from the resource as it is, not from what the caller said."""
    key = key.lower()
    return ":resourcetag/" in key or key == "iam:permissionsboundary"
