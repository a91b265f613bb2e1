"""Simulation: what would be decided, by a principal's policies or by documents that somebody brings.

One service for the page and for iam:SimulatePrincipalPolicy and SimulateCustomPolicy. The same engine decides, by the
same policies as the gate would read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from access.gate import PrincipalGate, global_context, request_principal
from audit.explanation import Explanation, full
from audit.principal import Principal
from policies.compiled import compile_text
from policies.context_keys import keys_asked
from policies.engine import AttachedPolicy, Decision, Document, PolicySet, Request, evaluate
from policies.engine.elements import TRUST_ACTIONS

# Facts about a principal that a simulation knows without being told. All others are told, or missing.
_KNOWN = ("aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:userid", "aws:username")
_ALL = AttachedPolicy(
    "everything",
    "",
    compile_text('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'),
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a simulation is about. `source` has its own policies; `caller` is who asks, for principals and variables.

    `boundary` and `session`, where given, take the place of the source's own. `excluded` are marks (`marks_of`) of
    policies that are left out. `own_password` is whether the account lets its users change their own, if that is known.
    `trusts` are the trust policies of roles, by ARN, for the actions that assume one.
    """

    source: Principal | None = None
    own: PolicySet | None = None
    caller: Principal | None = None
    added: tuple[AttachedPolicy, ...] = ()
    boundary: AttachedPolicy | None = None
    session: tuple[AttachedPolicy, ...] | None = None
    resource_policy: AttachedPolicy | None = None
    service_control: tuple[tuple[AttachedPolicy, ...], ...] = ()
    excluded: frozenset[tuple[str, str]] = frozenset()
    resource_owner: str = ""
    own_password: bool | None = None
    trusts: Mapping[str, AttachedPolicy] = field(default_factory=dict)
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """One decision. `within_boundary` and `within_organization` are None where there is no such limit; `sides` is how
    identity and resource policies decide by themselves, across accounts."""

    action: str
    resource: str
    decision: Decision
    missing: Sequence[str]
    within_boundary: bool | None
    within_organization: bool | None
    sides: Mapping[str, Decision]
    explanation: Explanation


class Simulation:
    """A scenario, ready to be asked."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        own_password = scenario.own_password
        self._gate = PrincipalGate(scenario.source, may_change_own_password=own_password) if scenario.source else None
        self._sets: dict[tuple[int, str], tuple[PolicySet | None, PolicySet]] = {}
        self._caller = scenario.caller or scenario.source
        self._context = {**known_context(self._caller), **_by_case(scenario.context)}

    def policies_for(self, action: str, resource: str = "*") -> PolicySet:
        """All policies that have a say about an action; kept, for the engine keeps its plans with them."""
        own = self._gate.policies_for(action) if self._gate else self.scenario.own
        trust = self.scenario.trusts.get(resource) if assumes(action) else None
        key = (id(own), trust.origin if trust else "")
        if key not in self._sets:
            self._sets[key] = (own, self._with_scenario(own or PolicySet(), trust))
        return self._sets[key][1]

    def _with_scenario(self, own: PolicySet, trust: AttachedPolicy | None) -> PolicySet:
        scenario = self.scenario
        kept = tuple(each for each in own.identity if not scenario.excluded & marks_of(each))
        boundary = own.boundary
        if boundary and scenario.excluded & {("type", "permission-boundary"), ("arn", boundary.source)}:
            boundary = None
        return replace(
            own,
            identity=(*kept, *scenario.added),
            boundary=scenario.boundary or boundary,
            session=own.session if scenario.session is None else scenario.session,
            resource=scenario.resource_policy or trust,
            service_control=scenario.service_control,
        )

    def documents_for(self, action: str, resource: str = "*") -> list[Document]:
        return [attached.document for attached in attached_in(self.policies_for(action, resource))]

    def decide(self, action: str, resource: str) -> Result:
        """Decide, with reasons."""
        policies, request = self.policies_for(action, resource), self._request(action, resource)
        decision = evaluate(request, policies, explain=True)
        present = {key.lower() for key in request.context}
        return Result(
            action=action,
            resource=resource,
            decision=decision,
            missing=[
                key for key in keys_asked(self.documents_for(action, resource), action) if key.lower() not in present
            ],
            within_boundary=_allows(request, boundary=policies.boundary) if policies.boundary else None,
            within_organization=_allows(request, levels=policies.service_control) if policies.service_control else None,
            sides=_sides(request, policies) if request.crosses_accounts else {},
            explanation=full(request, policies, decision),
        )

    def _request(self, action: str, resource: str) -> Request:
        caller = self._caller
        account = caller.account_id if caller else ""
        return Request(
            action=action,
            resource=resource,
            context=self._context,
            principal=request_principal(caller) if caller else None,
            resource_account=_account_in(resource) or self.scenario.resource_owner or account,
        )


def assumes(action: str) -> bool:
    """Whether a role's trust policy has a say about an action."""
    return action.lower() in TRUST_ACTIONS


def marks_of(attached: AttachedPolicy) -> set[tuple[str, str]]:
    """What can be said to leave a policy out: its ARN or its name in its holder, or its type."""
    source = attached.source
    if source.startswith("arn:"):
        kind = "aws-managed" if source.startswith("arn:aws:iam::aws:") else "user-managed"
        return {("arn", source), ("type", kind)}
    kind, _, path = attached.origin.rpartition(":")[2].partition("/")
    return {(source, f"{kind}/{path.rpartition('/')[2]}"), ("type", "inline")}


def known_context(caller: Principal | None) -> dict[str, tuple[str, ...]]:
    """What is known of a principal itself: who it is, and its tags."""
    if caller is None:
        return {}
    facts = global_context(caller)
    return {key: value for key, value in facts.items() if key in _KNOWN or key.startswith("aws:PrincipalTag/")}


def attached_in(policies: PolicySet) -> list[AttachedPolicy]:
    limits = [each for each in (policies.boundary, policies.resource) if each is not None]
    levels = [each for level in policies.service_control for each in level]
    return [*policies.identity, *limits, *(policies.session or ()), *levels]


def _by_case(context: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """A key that is told takes the place of a known one, however it is spelled."""
    known = {key.lower(): key for key in _KNOWN}
    return {known.get(key.lower(), key): values for key, values in context.items()}


def _account_in(resource: str) -> str:
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[4].isdigit() else ""


def _allows(
    request: Request,
    *,
    boundary: AttachedPolicy | None = None,
    levels: Iterable[tuple[AttachedPolicy, ...]] = (),
) -> bool:
    """Whether one kind of limit alone would let the request pass."""
    alone = PolicySet(identity=(_ALL,), boundary=boundary, service_control=tuple(levels))
    return evaluate(replace(request, resource_account=""), alone).allowed


def _sides(request: Request, policies: PolicySet) -> dict[str, Decision]:
    identity = PolicySet(identity=policies.identity, boundary=policies.boundary, session=policies.session)
    resource = PolicySet(identity=(_ALL,), resource=policies.resource)
    return {
        "IAM Policy": evaluate(replace(request, resource_account=""), identity),
        "Resource Policy": evaluate(request, resource),
    }
