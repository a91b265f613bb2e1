"""Decisions for services of one's own: who signed the request that they got, and may they do what it asks for."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from access.denials import record_denial
from access.gate import PrincipalGate
from access.principals import ExpiredToken
from api.authentication import prove_for_service
from api.service_questions import Question
from api.sigv4 import SignatureError
from api.wire import WireRequest
from audit.errors import AccessDenied, denial_message
from audit.principal import Origin, Principal
from policies.engine import Decision

EXPLAIN = "iam:SimulatePrincipalPolicy"
Unproven = SignatureError | ExpiredToken


@dataclass(frozen=True, slots=True)
class Answer:
    """Who it is and the decision; or why nobody is known."""

    principal: Principal | None = None
    decision: Decision | None = None
    error: Unproven | None = None

    @property
    def allowed(self) -> bool:
        return self.decision is not None and self.decision.allowed


@dataclass(slots=True)
class Decider:
    """Answers one service's questions. Who signed a request, and what somebody may do, is read once for all of them."""

    account_id: str
    origin: Origin
    _proven: dict[tuple[WireRequest, str], Principal | Unproven] = field(default_factory=dict)
    _gates: dict[tuple[str, str], PrincipalGate] = field(default_factory=dict)

    def answer(self, question: Question) -> Answer:
        principal = self._who(question.request, question.service)
        if not isinstance(principal, Principal):
            return Answer(error=principal)
        gate = self.gate_of(principal)
        decision = gate.decide(question.action, question.resource, question.context, explain=question.explain)
        return Answer(principal, decision)

    def gate_of(self, principal: Principal) -> PrincipalGate:
        return self._gates.setdefault((principal.arn, principal.access_key_id), PrincipalGate(principal))

    def who(self, question: Question) -> Principal:
        """Raises SignatureError or ExpiredToken."""
        principal = self._who(question.request, question.service)
        if not isinstance(principal, Principal):
            raise principal
        return principal

    def _who(self, request: WireRequest, service: str) -> Principal | Unproven:
        known = (request, service)
        if known not in self._proven:
            try:
                gate = prove_for_service(request, service, self.origin, self.account_id)
                self._proven[known] = gate.principal
                self._gates.setdefault((gate.principal.arn, gate.principal.access_key_id), gate)
            except (SignatureError, ExpiredToken) as error:
                self._proven[known] = error
        return self._proven[known]


def origin_for(origin: Origin, *, address: str = "", user_agent: str = "", secure: bool = False) -> Origin:
    """The caller's own circumstances as far as they are known; never those of the service that asks. What is said to
    be an address and is none is nobody's."""
    try:
        address = str(ipaddress.ip_address(address))
    except ValueError:
        address = ""
    return Origin("api", address, user_agent[:512], origin.request_id, secure=secure)


def record_refused_answer(gate: PrincipalGate, question: Question, decision: Decision, **detail: str) -> None:
    """Record a negative answer in the trail of whoever was refused, as every refusal is."""
    context = question.context
    error = AccessDenied(gate.principal.arn, question.action, question.resource, decision, context=context)
    record_denial(gate, error, **detail)


def described(principal: Principal) -> Mapping[str, str]:
    return {
        "Arn": principal.arn,
        "Account": principal.account_id,
        "UserId": principal.unique_id,
        "Name": principal.name,
        "Type": principal.type,
        "AccessKeyId": principal.access_key_id,
    }


def result(question: Question, answer: Answer, *, may_explain: bool) -> dict[str, object]:
    """One answer as JSON. What the policies of others say is only for those who may simulate them."""
    if answer.principal is None or answer.decision is None:
        error = answer.error
        problem = {"Code": error.code, "Message": error.message} if error else None
        return {"Decision": "Deny", "Error": problem}
    decision = answer.decision
    told: dict[str, object] = {
        "Decision": "Allow" if decision.allowed else "Deny",
        "Outcome": str(decision.outcome),
        "Principal": described(answer.principal),
    }
    if not decision.allowed:
        told["Reason"] = denial_message(answer.principal.arn, question.action, question.resource, decision)
    if question.explain and may_explain:
        told["Explanation"] = _explanation(decision)
    return told


def _explanation(decision: Decision) -> dict[str, object]:
    statements = [
        {"Layer": each.layer, "Policy": each.source, "Through": each.origin, "Sid": each.sid, "Line": each.first_line}
        for each in decision.statements
    ]
    near = [
        {
            "Policy": miss.statement.source,
            "Line": miss.statement.first_line,
            "Element": miss.element,
            "Key": miss.key,
            "Wanted": list(miss.wanted),
            "Found": None if miss.found is None else list(miss.found),
        }
        for miss in decision.near_misses
    ]
    return {"Layer": decision.layer, "Statements": statements, "NearMisses": near}
