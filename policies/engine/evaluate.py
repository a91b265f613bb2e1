"""The decision, in the order AWS describes (IAM User Guide, "Policy evaluation logic").

An explicit Deny in any document ends it. Otherwise every layer that limits must allow, and the identity's own policies
or the resource's policy must grant: either of them within one account, both of them across accounts.
"""

from collections.abc import Iterable

from policies.engine.decision import (
    BOUNDARY,
    CALLER_IDENTITY_ALLOWED,
    ENDPOINT,
    IDENTITY,
    LACKS_ALLOW,
    RESOURCE,
    RESOURCE_CONTROL,
    ROOT_ALLOWED,
    SERVICE_CONTROL,
    SESSION,
    Decision,
)
from policies.engine.explain import explained
from policies.engine.plan import Candidate, Layer, Plan, make_plan
from policies.engine.principals import EVERYONE, EXACTLY, NOBODY
from policies.engine.request import PolicySet, Request

# Principals without policies of their own: only the resource's policy can allow them, and no SCP holds for them.
_WITHOUT_IDENTITY = frozenset(("anonymous", "service", "federated"))
_SPECIAL = _WITHOUT_IDENTITY | {"root"}
_LACKS_IDENTITY = LACKS_ALLOW[IDENTITY]
# Nobody names so many tags alike; who does is refused.
MOST_READINGS = 64


def evaluate(request: Request, policies: PolicySet, *, explain: bool = False) -> Decision:
    """Decide one request by the policies that have a say. Never raises; what is unclear denies.

    `explain` adds all statements that apply and those that nearly did, at some cost.
    """
    plan = policies.plans.get(request.action) or make_plan(policies, request.action)
    principal = request.principal
    if plan.identity_only and (
        principal is None
        or principal.type not in _SPECIAL
        and (principal.account_id == request.resource_account or not request.crosses_accounts)
    ):
        layer = plan.identity
        found = layer.first_deny and layer.first_deny(request)
        if found is None and layer.first_allow is not None:
            found = layer.first_allow(request)
        decision = _LACKS_IDENTITY if found is None else found.decision
    else:
        decision = _decide(request, plan)
    lowered = request.lowered
    # Some key may be there twice, as of two tags whose names differ by case only.
    if lowered is not None and len(lowered) < len(request.context) and decision.allowed:
        request, decision = _strictest(request, plan)
    return explained(request, plan, decision) if explain else decision


def _strictest(request: Request, plan: Plan) -> tuple[Request, Decision]:
    """What is allowed has to be allowed whichever spelling of a key is meant: else a second tag, called the same but
    for its case, would stand for the one that a policy asks about."""
    decision = _LACKS_IDENTITY
    for number, reading in enumerate(request.readings()):
        decision = _decide(reading, plan) if number < MOST_READINGS else _LACKS_IDENTITY
        if not decision.allowed:
            return reading, decision
    return request, decision


def _decide(request: Request, plan: Plan) -> Decision:
    if plan.needs_no_permission:
        return CALLER_IDENTITY_ALLOWED
    kind = "" if request.principal is None else request.principal.type
    if kind in _WITHOUT_IDENTITY:
        return _denied(request, plan, ()) or _decide_without_identity(request, plan)
    if kind == "root":
        return _denied(request, plan, (plan.session, *plan.service_control)) or _decide_root(request, plan)
    layers = (plan.identity, plan.boundary, plan.session, *plan.service_control)
    return _denied(request, plan, layers) or _decide_identity(request, plan)


def _denied(request: Request, plan: Plan, layers: Iterable[Layer | None]) -> Decision | None:
    """The explicit Deny of one of the layers or of the policies on the resource's side, if there is one."""
    for layer in layers:
        if layer is not None and layer.first_deny is not None and (found := layer.first_deny(request)):
            return found.decision
    for layer in (plan.resource, *plan.resource_control, plan.endpoint):
        if layer is not None and (found := _first_naming(request, plan, layer.denies)):
            return found.decision
    return None


def _first_naming(request: Request, plan: Plan, found: tuple[Candidate, ...]) -> Candidate | None:
    """The first candidate that applies and whose Principal names who asks."""
    has_boundary = plan.boundary is not None
    for candidate in found:
        if candidate.compiled.applies(request) and candidate.closeness(request, has_boundary=has_boundary):
            return candidate
    return None


def _allows(layer: Layer, request: Request) -> Candidate | None:
    """The first Allow of a layer that applies, in layers that name no principals."""
    return None if layer.first_allow is None else layer.first_allow(request)


def _grant(request: Request, plan: Plan) -> tuple[int, Candidate | None]:
    """The closest grant of the resource's policy, and the statement that gives it."""
    best, by = NOBODY, None
    for candidate in () if plan.resource is None else plan.resource.allows:
        if candidate.compiled.applies(request):
            closeness = candidate.closeness(request, has_boundary=False)
            if closeness > best:
                best, by = closeness, candidate
    return best, by


def _lacking_limit(request: Request, plan: Plan, *, services: bool) -> Decision | None:
    """The denial by an endpoint, or by a level of service or resource control policies, that does not allow."""
    if plan.endpoint is not None and _first_naming(request, plan, plan.endpoint.allows) is None:
        return LACKS_ALLOW[ENDPOINT]
    for level in plan.service_control if services else ():
        if _allows(level, request) is None:
            return LACKS_ALLOW[SERVICE_CONTROL]
    for level in plan.resource_control:
        if _first_naming(request, plan, level.allows) is None:
            return LACKS_ALLOW[RESOURCE_CONTROL]
    return None


def _decide_without_identity(request: Request, plan: Plan) -> Decision:
    if lacking := _lacking_limit(request, plan, services=False):
        return lacking
    _, by = _grant(request, plan)
    return LACKS_ALLOW[RESOURCE] if by is None else by.decision


def _decide_root(request: Request, plan: Plan) -> Decision:
    """The root user needs no identity policy and has no boundary; organization, session and other accounts bind it."""
    if lacking := _lacking_limit(request, plan, services=True):
        return lacking
    if plan.session is not None and _allows(plan.session, request) is None:
        return LACKS_ALLOW[SESSION]
    if (request.crosses_accounts or plan.resource_required) and not _grant(request, plan)[0]:
        return LACKS_ALLOW[RESOURCE]
    return ROOT_ALLOWED


def _decide_identity(request: Request, plan: Plan) -> Decision:
    if lacking := _lacking_limit(request, plan, services=True):
        return lacking
    closeness, by = _grant(request, plan)
    if request.crosses_accounts:
        return _identity_side(request, plan) if by is not None else _lacking_first(request, plan)
    if by is not None and closeness == EXACTLY and not _limited_although_named(plan, request):
        return by.decision
    if by is not None and closeness >= EVERYONE:
        return _beyond_limits(request, plan) or by.decision
    if plan.resource_required and by is None:
        return _lacking_first(request, plan)
    return _identity_side(request, plan)


def _limited_although_named(plan: Plan, request: Request) -> bool:
    """A user named by ARN is not limited by a boundary, but a session policy on a user's own session holds."""
    return plan.session is not None and request.principal is not None and request.principal.type == "user"


def _identity_side(request: Request, plan: Plan) -> Decision:
    """Identity policies, within boundary and session policy."""
    found = _allows(plan.identity, request)
    if found is None:
        return LACKS_ALLOW[IDENTITY]
    return _beyond_limits(request, plan) or found.decision


def _lacking_first(request: Request, plan: Plan) -> Decision:
    """The resource's policy must allow and does not; name the identity's side first, when that lacks too."""
    denied = _identity_side(request, plan)
    return LACKS_ALLOW[RESOURCE] if denied.allowed else denied


def _beyond_limits(request: Request, plan: Plan) -> Decision | None:
    if plan.boundary is not None and _allows(plan.boundary, request) is None:
        return LACKS_ALLOW[BOUNDARY]
    if plan.session is not None and _allows(plan.session, request) is None:
        return LACKS_ALLOW[SESSION]
    return None


def might_allow(action: str, policies: PolicySet) -> bool:
    """Whether an action could be allowed on some resource in some request: what decides if a form is shown at all.

    Over-approximates: conditions are taken to hold in an Allow and not in a Deny; only a Deny on every resource without
    conditions rules the action out, and every layer that limits needs an Allow.
    """
    plan = policies.plans.get(action) or make_plan(policies, action)
    if plan.needs_no_permission:
        return True
    limits = [plan.boundary, plan.session, plan.endpoint, *plan.service_control, *plan.resource_control]
    layers = [plan.identity, *(limit for limit in limits if limit is not None)]
    if any(candidate.compiled.covers_everything for layer in layers for candidate in layer.denies):
        return False
    granted = bool(plan.identity.allows) or (plan.resource is not None and bool(plan.resource.allows))
    return granted and all(bool(layer.allows) for layer in layers[1:])
