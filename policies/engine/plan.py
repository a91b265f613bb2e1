"""What a policy set has to say about one action, prepared: per layer the statements that could deny or allow it."""

from collections.abc import Callable, Iterable, Iterator

from policies.engine.decision import (
    BOUNDARY,
    IDENTITY,
    RESOURCE,
    RESOURCE_CONTROL,
    SERVICE_CONTROL,
    SESSION,
    UNREADABLE_REASON,
    Decision,
    Outcome,
    StatementRef,
)
from policies.engine.index import CompiledStatement, candidates
from policies.engine.principals import EVERYONE, NOBODY
from policies.engine.request import MAX_PLANS, AttachedPolicy, PolicySet, Request

GET_CALLER_IDENTITY = "sts:getcalleridentity"


class Candidate:
    """A statement as it applies through one attached policy, with the decision it leads to."""

    __slots__ = ("compiled", "decision", "guard", "ref")

    def __init__(self, compiled: CompiledStatement, attached: AttachedPolicy, layer: str) -> None:
        statement = compiled.statement
        self.compiled = compiled
        self.guard = compiled.resources.guard
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
        """How closely the statement's Principal names who asks; a statement without Principal names nobody."""
        compiled = self.compiled
        if compiled.principals is not None:
            return compiled.principals.closeness(request.principal)
        if compiled.excludes is None:
            return NOBODY
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


class Candidates:
    """The candidates of one effect in one layer. `first` finds one that applies; plain ones are asked all at once."""

    __slots__ = ("_all", "_everything", "_exact", "_guard", "_prefixes", "_rest")

    def __init__(self, found: Iterable[Candidate]) -> None:
        self._all = tuple(found)
        self._everything: Candidate | None = None
        self._exact: dict[str, Candidate] = {}
        prefixes: list[tuple[str, Candidate]] = []
        rest: list[tuple[tuple[str, ...], Callable[[Request], bool], Candidate]] = []
        for candidate in self._all:
            resources = candidate.compiled.resources
            if candidate.compiled.covers_everything:
                self._everything = self._everything or candidate
            elif candidate.compiled.tests or resources.negated or resources.patterns or resources.open_ones:
                rest.append((candidate.guard, candidate.compiled.applies, candidate))
            else:
                prefixes.extend((prefix, candidate) for prefix in resources.prefixes)
                for name in resources.exact:
                    self._exact.setdefault(name, candidate)
        self._prefixes = tuple(prefix for prefix, _ in prefixes), tuple(prefixes)
        self._rest = tuple(rest)
        guard = {beginning for beginnings, _, _ in rest for beginning in beginnings}
        self._guard = ("",) if "" in guard else tuple(guard)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self._all)

    def __bool__(self) -> bool:
        return bool(self._all)

    def first(self, request: Request) -> Candidate | None:
        """A candidate that applies, principals aside; None when none does."""
        if self._everything is not None:
            return self._everything
        resource = request.resource
        if resource in self._exact:
            return self._exact[resource]
        beginnings, prefixes = self._prefixes
        if beginnings and resource.startswith(beginnings):
            return next(candidate for prefix, candidate in prefixes if resource.startswith(prefix))
        if self._guard and resource.startswith(self._guard):
            for guard, applies, candidate in self._rest:
                if resource.startswith(guard) and applies(request):
                    return candidate
        return None


class Layer:
    """One set of policies that are asked together."""

    __slots__ = ("allows", "denies")

    def __init__(self, policies: Iterable[AttachedPolicy], action: str, name: str) -> None:
        found = [
            Candidate(compiled, attached, name)
            for attached in policies
            for compiled in candidates(attached.document, action)
        ]
        self.denies = Candidates(candidate for candidate in found if candidate.compiled.denies)
        self.allows = Candidates(candidate for candidate in found if not candidate.compiled.denies)


class Plan:
    """Everything a policy set says about one action. `identity_only` tells that nothing limits the identity layer."""

    __slots__ = (
        "boundary",
        "identity",
        "identity_only",
        "needs_no_permission",
        "resource",
        "resource_control",
        "resource_required",
        "service_control",
        "session",
    )

    def __init__(self, policies: PolicySet, action: str) -> None:
        boundary, resource = policies.boundary, policies.resource
        self.needs_no_permission = action == GET_CALLER_IDENTITY
        self.identity = Layer(policies.identity, action, IDENTITY)
        self.boundary = None if boundary is None else Layer((boundary,), action, BOUNDARY)
        self.session = None if policies.session is None else Layer(policies.session, action, SESSION)
        self.resource = None if resource is None else Layer((resource,), action, RESOURCE)
        self.service_control = tuple(Layer(level, action, SERVICE_CONTROL) for level in policies.service_control)
        self.resource_control = tuple(Layer(level, action, RESOURCE_CONTROL) for level in policies.resource_control)
        self.resource_required = policies.resource_required or (
            resource is not None and resource.document.kind == "trust"
        )
        limits = (self.boundary, self.session, self.resource)
        self.identity_only = (
            not self.needs_no_permission
            and not self.resource_required
            and all(limit is None for limit in limits)
            and not self.service_control
            and not self.resource_control
        )


def make_plan(policies: PolicySet, action: str) -> Plan:
    """The plan for an action, which is kept with the policy set."""
    plans = policies.plans
    if len(plans) >= MAX_PLANS:
        plans.clear()
    plan = plans[action] = Plan(policies, action.lower())
    return plan
