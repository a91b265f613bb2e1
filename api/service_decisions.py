"""Decisions for services of one's own: who signed the request that they got, and may they do what it asks for."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from access.denials import record_denial
from access.explaining import NOT_SHOWN, Reader, is_tag
from access.gate import PrincipalGate
from access.principals import ExpiredToken
from api.authentication import prove_for_service
from api.service_questions import Question
from api.sigv4 import SignatureError
from api.wire import WireRequest
from audit.errors import AccessDenied, denial_message
from audit.explanation import Explanation, full
from audit.principal import Origin, Principal
from policies.engine import Decision

Unproven = SignatureError | ExpiredToken


@dataclass(frozen=True, slots=True)
class Answer:
    """Who it is and the decision, with its explanation where that was asked for; or why nobody is known."""

    principal: Principal | None = None
    decision: Decision | None = None
    explanation: Explanation | None = None
    error: Unproven | None = None

    @property
    def allowed(self) -> bool:
        return self.decision is not None and self.decision.allowed

    @property
    def about(self) -> str:
        """Whose policies an explanation would tell of."""
        principal = self.principal
        return principal.issuer_arn or principal.arn if principal else ""


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
        if not question.explain:
            return Answer(principal, decision)
        request = gate.question(question.action, question.resource, question.context)
        return Answer(principal, decision, full(request, gate.policies_for(question.action), decision))

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


def result(question: Question, answer: Answer, reader: Reader) -> dict[str, object]:
    """One answer as JSON. What the policies of others say is only for those who may simulate them."""
    if answer.principal is None or answer.decision is None:
        error = answer.error
        problem = {"Code": error.code, "Message": error.message} if error else None
        return {"Decision": "Deny", "Error": problem}
    decision = answer.decision
    answered: dict[str, object] = {
        "Decision": "Allow" if decision.allowed else "Deny",
        "Outcome": str(decision.outcome),
        "Principal": described(answer.principal),
    }
    if not decision.allowed:
        answered["Reason"] = denial_message(answer.principal.arn, question.action, question.resource, decision)
    if answer.explanation is not None and reader.simulates(answer.about):
        answered["Explanation"] = _explained(answer.explanation, reader, hides_tags=not reader.sees(answer.about))
    return answered


def _explained(explanation: Explanation, reader: Reader, *, hides_tags: bool) -> dict[str, object]:
    """What decided; and what nearly did, of policies that the service may read, for that tells what they say."""
    policies = explanation["policies"]
    statements = [
        {
            "Layer": each["layer"],
            "Policy": policies[each["policy"]]["source"],
            "Through": policies[each["policy"]]["origin"],
            "Sid": each["sid"],
            "Line": each["lines"][0],
        }
        for each in explanation["statements"]
        if each["decided"]
    ]
    near = [
        {
            "Policy": policies[each["policy"]]["source"],
            "Line": each["lines"][0],
            "Element": each["element"],
            "Key": each["key"],
            "Wanted": each["wanted"],
            "Found": NOT_SHOWN if hides_tags and is_tag(each["key"]) else each["found"],
        }
        for each in explanation["near"]
        if reader.reads(policies[each["policy"]])
    ]
    return {"Layer": explanation["layer"], "Statements": statements, "NearMisses": near}
