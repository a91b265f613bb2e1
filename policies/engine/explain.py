"""Why: the statements that apply to a request, and those that nearly do, with what kept them from it."""

from collections.abc import Iterator

from policies.engine.decision import Decision, NearMiss, Outcome, StatementRef
from policies.engine.plan import Candidate, Plan
from policies.engine.request import Request


def explained(request: Request, plan: Plan, decision: Decision) -> Decision:
    """The same decision, naming everything that matched or nearly did; an explicit denial names every Deny."""
    matched: list[StatementRef] = []
    near_misses: list[NearMiss] = []
    has_boundary, asked = plan.boundary is not None, (request.resource,)
    for layer in plan.layers:
        named = layer.names_principals
        for candidate in layer.candidates:
            compiled = candidate.compiled
            if named and not candidate.closeness(request, has_boundary=has_boundary):
                near_misses.append(_other_principal(candidate, request))
            elif not compiled.resources.matches(request):
                near_misses.append(NearMiss(candidate.ref, *compiled.resource_element, asked))
            elif (failed := compiled.failed_condition(request)) is not None:
                found = request.values(failed.key.lower())
                miss = NearMiss(candidate.ref, "Condition", failed.values, found, failed.operator, failed.key)
                near_misses.append(miss)
            else:
                matched.append(candidate.ref)
    statements = decision.statements
    if statements:
        statements = (*statements, *_further(decision, matched))
    return Decision(decision.outcome, decision.layer, statements, tuple(near_misses), tuple(matched), decision.reason)


def _further(decision: Decision, matched: list[StatementRef]) -> Iterator[StatementRef]:
    """What led to the decision as well: of explicit denials all, of Allows those of the same layer."""
    is_denied = decision.outcome is Outcome.EXPLICITLY_DENIED
    effect = "Deny" if is_denied else "Allow"
    for ref in matched:
        if ref.effect == effect and (is_denied or ref.layer == decision.layer) and ref not in decision.statements:
            yield ref


def _other_principal(candidate: Candidate, request: Request) -> NearMiss:
    statement = candidate.compiled.statement
    element = "NotPrincipal" if statement.not_principals else "Principal"
    principals = statement.not_principals or statement.principals
    return NearMiss(candidate.ref, element, principals.names if principals else (), _who(request))


def _who(request: Request) -> tuple[str, ...] | None:
    return None if request.principal is None or not request.principal.arn else (request.principal.arn,)
