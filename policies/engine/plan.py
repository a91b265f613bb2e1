"""What a policy set has to say about one action, prepared: per layer the statements that could deny or allow it."""

from collections.abc import Iterable, Sequence
from functools import partial

from policies.engine.decision import (
    BOUNDARY,
    ENDPOINT,
    IDENTITY,
    NAMING_LAYERS,
    RESOURCE,
    RESOURCE_CONTROL,
    SERVICE_CONTROL,
    SESSION,
    UNREADABLE_REASON,
    Decision,
    Outcome,
    StatementRef,
)
from policies.engine.finder import make_finder
from policies.engine.index import CompiledStatement, candidates
from policies.engine.principals import EVERYONE, NOBODY
from policies.engine.request import MAX_PLANS, AttachedPolicy, Plans, PolicySet, Request

_BYTES_PER_PLAN = 700
_BYTES_PER_CANDIDATE = 1000
_BYTES_PER_ENTRY = 400
GET_CALLER_IDENTITY = "sts:getcalleridentity"


class Candidate:
    """A statement as it applies through one attached policy, with the decision it leads to."""

    __slots__ = ("compiled", "decision", "ref")

    def __init__(self, compiled: CompiledStatement, attached: AttachedPolicy, layer: str) -> None:
        statement = compiled.statement
        self.compiled = compiled
        self.ref = StatementRef(
            layer=layer,
            source=attached.source,
            origin=attached.origin,
            index=statement.index,
            sid=statement.sid,
            first_line=statement.first_line,
            last_line=statement.last_line,
            effect=statement.effect,
        )
        outcome = Outcome.EXPLICITLY_DENIED if compiled.denies else Outcome.ALLOWED
        reason = "" if compiled.document.readable else UNREADABLE_REASON
        self.decision = Decision(outcome, layer, (self.ref,), reason=reason)

    def closeness(self, request: Request, *, has_boundary: bool) -> int:
        """How closely the statement's Principal names who asks. Without Principal a statement names nobody; in the
        policy of an endpoint, which may leave it out, everybody."""
        compiled = self.compiled
        if compiled.principals is not None:
            return compiled.principals.closeness(request.principal)
        if compiled.excludes is None:
            return EVERYONE if self.ref.layer == ENDPOINT else NOBODY
        return _closeness_of_everyone_else(compiled, request, has_boundary)


def _closeness_of_everyone_else(compiled: CompiledStatement, request: Request, has_boundary: bool) -> int:
    excludes = compiled.excludes
    if excludes is None:
        return NOBODY
    if not compiled.denies:
        return NOBODY if excludes.closeness(request.principal) else EVERYONE
    # NotPrincipal with Deny always denies whoever has a boundary (IAM User Guide, "NotPrincipal").
    exempt = excludes.exempts_from_deny(request.principal, crosses_accounts=request.crosses_accounts)
    return NOBODY if exempt and (excludes.everyone or not has_boundary) else EVERYONE


Found = list[tuple[CompiledStatement, AttachedPolicy]]


class Layer:
    """One set of policies that are asked together. `first_deny` and `first_allow` give a candidate that applies to a
    request, principals aside."""

    __slots__ = ("allows", "candidates", "denies", "first_allow", "first_deny", "names_principals", "weight")

    def __init__(self, found: Found, name: str) -> None:
        self.names_principals = name in NAMING_LAYERS
        all_of_them = [Candidate(compiled, attached, name) for compiled, attached in found]
        self.denies = tuple(candidate for candidate in all_of_them if candidate.compiled.denies)
        self.allows = tuple(candidate for candidate in all_of_them if not candidate.compiled.denies)
        self.candidates = self.denies + self.allows
        self.first_deny = make_finder((candidate.compiled, candidate) for candidate in self.denies)
        self.first_allow = make_finder((candidate.compiled, candidate) for candidate in self.allows)
        self.weight = _weight_of(self.candidates)


def _weight_of(candidates: Sequence[Candidate]) -> int:
    entries = sum(candidate.compiled.resources.entries for candidate in candidates)
    return _BYTES_PER_CANDIDATE * len(candidates) + _BYTES_PER_ENTRY * entries


def _layer(plans: Plans, policies: Iterable[AttachedPolicy], action: str, name: str, level: int = 0) -> Layer:
    """The layer for an action: actions about which the same statements speak share it."""
    found = [(each, attached) for attached in policies for each in candidates(attached.document, action)]
    # A layer keeps its statements, so that no other object can come to have their ids.
    key = (name, level, *(id(compiled) for compiled, _ in found))
    layer = plans.layers.get(key)
    if layer is None:
        layer = plans.layers[key] = Layer(found, name)
    return layer


def weight_of(plans: Plans) -> int:
    """About how many bytes the plans of a policy set hold, documents aside: rather too many than too few."""
    return _BYTES_PER_PLAN * len(plans) + sum(layer.weight for layer in list(plans.layers.values()))


class Plan:
    """Everything a policy set says about one action: `layers` are all that have a say, in the order of explanations.
    `identity_only` tells that nothing limits the identity layer."""

    __slots__ = (
        "boundary",
        "endpoint",
        "identity",
        "identity_only",
        "layers",
        "needs_no_permission",
        "resource",
        "resource_control",
        "resource_required",
        "service_control",
        "session",
    )

    def __init__(self, policies: PolicySet, action: str) -> None:
        boundary, resource, layer = policies.boundary, policies.resource, partial(_layer, policies.plans)
        self.needs_no_permission = action == GET_CALLER_IDENTITY
        self.identity = layer(policies.identity, action, IDENTITY)
        self.boundary = None if boundary is None else layer((boundary,), action, BOUNDARY)
        self.session = None if policies.session is None else layer(policies.session, action, SESSION)
        self.endpoint = None if policies.endpoint is None else layer(policies.endpoint, action, ENDPOINT)
        self.resource = None if resource is None else layer((resource,), action, RESOURCE)
        self.service_control = tuple(
            layer(each, action, SERVICE_CONTROL, level) for level, each in enumerate(policies.service_control)
        )
        self.resource_control = tuple(
            layer(each, action, RESOURCE_CONTROL, level) for level, each in enumerate(policies.resource_control)
        )
        self.resource_required = policies.resource_required or (
            resource is not None and resource.document.kind == "trust"
        )
        several = (self.identity, self.boundary, self.session, self.resource, self.endpoint)
        levels = (*self.service_control, *self.resource_control)
        self.layers = (*(each for each in several if each is not None), *levels)
        self.identity_only = len(self.layers) == 1 and not self.needs_no_permission and not self.resource_required


def make_plan(policies: PolicySet, action: str) -> Plan:
    """The plan for an action, which is kept with the policy set."""
    plans = policies.plans
    if len(plans) >= MAX_PLANS:
        plans.clear()
        plans.layers.clear()
    plan = plans[action] = Plan(policies, action.lower())
    return plan
