"""Why: the statements that apply to a request, and those that nearly do, with what kept them from it."""

from collections.abc import Iterator

from policies.engine.decision import NAMING_LAYERS, Decision, NearMiss, Outcome, StatementRef
from policies.engine.document import Principals
from policies.engine.plan import Candidate, Layer, Plan
from policies.engine.request import Request


def explained(request: Request, plan: Plan, decision: Decision) -> Decision:
    """The same decision, naming everything that matched or nearly did; an explicit denial names every Deny."""
    matched: list[StatementRef] = []
    near_misses: list[NearMiss] = []
    for candidate in _all(plan):
        miss = _near_miss(candidate, request, has_boundary=plan.boundary is not None)
        if miss is None:
            matched.append(candidate.ref)
        else:
            near_misses.append(miss)
    statements = decision.statements
    if statements:
        deciding = "Deny" if decision.outcome is Outcome.EXPLICITLY_DENIED else "Allow"
        others = (ref for ref in matched if ref.effect == deciding and ref not in decision.statements)
        same = (ref for ref in others if deciding == "Deny" or ref.layer == decision.layer)
        statements = (*statements, *same)
    return Decision(decision.outcome, decision.layer, statements, tuple(near_misses), tuple(matched), decision.reason)


def _all(plan: Plan) -> Iterator[Candidate]:
    layers: tuple[Layer | None, ...] = (plan.identity, plan.boundary, plan.session, plan.resource, plan.endpoint)
    for layer in (*layers, *plan.service_control, *plan.resource_control):
        if layer is not None:
            yield from layer.denies
            yield from layer.allows


def _near_miss(candidate: Candidate, request: Request, *, has_boundary: bool) -> NearMiss | None:
    compiled = candidate.compiled
    statement = compiled.statement
    if candidate.ref.layer in NAMING_LAYERS and not candidate.closeness(request, has_boundary=has_boundary):
        element = "NotPrincipal" if statement.not_principals else "Principal"
        named = _named(statement.not_principals or statement.principals)
        return NearMiss(candidate.ref, element, named, _who(request))
    if not compiled.resources.matches(request):
        element = "NotResource" if statement.not_resources else "Resource"
        wanted = statement.not_resources or statement.resources
        return NearMiss(candidate.ref, element, wanted, (request.resource,))
    failed = compiled.failed_condition(request)
    if failed is None:
        return None
    found = request.values(failed.key.lower())
    return NearMiss(candidate.ref, "Condition", failed.values, found, failed.operator, failed.key)


def _named(principals: Principals | None) -> tuple[str, ...]:
    if principals is None:
        return ()
    everyone = ("*",) if principals.everyone else ()
    return (*everyone, *principals.aws, *principals.federated, *principals.service, *principals.canonical_user)


def _who(request: Request) -> tuple[str, ...] | None:
    return None if request.principal is None or not request.principal.arn else (request.principal.arn,)
