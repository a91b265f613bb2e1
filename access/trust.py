"""Whether somebody may take on a role: the caller's own policies and the role's trust policy in one decision."""

from collections.abc import Mapping

from access.gate import TRUST, Context, PrincipalGate
from audit.errors import AccessDenied
from audit.principal import Principal
from identities.models import Role
from identities.resource_tags import keys_of
from identities.services.trust import principal_nodes, shown_trust
from policies.compiled import compiled_documents
from policies.engine import AttachedPolicy, Decision, Document, NearMiss, Outcome, StatementRef

# What stands for a role that is not there: it lets in nobody, in the same words as one that does not let in the caller.
_NOBODY = Document("2012-10-17", "", (), "trust")


class TrustDenied(AccessDenied):
    """The refusal of a role, in AWS's words for roles; `why` is for those who may read its trust policy, and `gate` is
    the caller's with what was proven on the way, such as MFA."""

    def __init__(
        self,
        gate: PrincipalGate,
        action: str,
        role_arn: str,
        decision: Decision,
        *,
        context: Context,
        trust: AttachedPolicy,
        why: str = "",
    ) -> None:
        principal_arn = gate.principal.arn
        super().__init__(principal_arn, action, role_arn, decision, context=context, resource_policy=trust)
        self.gate = gate
        if decision.layer == "resource":
            denied = decision.outcome is Outcome.EXPLICITLY_DENIED
            reason = "with an explicit deny in the" if denied else "because no"
            rest = "role trust policy" if denied else f"role trust policy allows the {action} action"
            said = f"User: {principal_arn} is not authorized to perform: {action} on resource: {role_arn}"
            self.message = f"{said} {reason} {rest}"
        self.message += f". {why}" if why else ""


def trust_of(role: Role | None) -> AttachedPolicy:
    """A role's trust policy as the engine wants it."""
    if role is None:
        return AttachedPolicy(TRUST, "", _NOBODY)
    documents = compiled_documents.get_many([role.digest], lambda wanted: {role.digest: role.document}, "trust")
    return AttachedPolicy(TRUST, role.arn, documents[role.digest], role.digest)


def decide_trust(
    gate: PrincipalGate,
    action: str,
    role_arn: str,
    role: Role | None,
    context: Context | None = None,
    *,
    explain: bool = False,
) -> Decision:
    """Decide `sts:AssumeRole` or what goes with it (`sts:TagSession`, `sts:SetSourceIdentity`, …) for a caller."""
    return gate.decide(action, role_arn, context, explain=explain, resource_policy=trust_of(role))


def require_trust(gate: PrincipalGate, action: str, role_arn: str, role: Role | None, context: Context) -> None:
    """Raises TrustDenied."""
    decision = decide_trust(gate, action, role_arn, role, context)
    if not decision.allowed:
        raise denied(gate, action, role_arn, role, context, decision)


def denied(
    gate: PrincipalGate, action: str, role_arn: str, role: Role | None, context: Context, decision: Decision
) -> TrustDenied:
    """The refusal. Which statement failed, and at what, is told to whoever may read the role."""
    why = ""
    if role is not None and may_read(gate, role):
        explained = decide_trust(gate, action, role_arn, role, context, explain=True)
        why = " ".join(reasons(explained, role))
    return TrustDenied(gate, action, role_arn, decision, context=context, trust=trust_of(role), why=why)


def may_read(gate: PrincipalGate, role: Role) -> bool:
    principal: Principal = gate.principal
    keys = keys_of(role, "iam:GetRole")
    return principal.account_id == role.account_id and gate.decide("iam:GetRole", role.arn, keys).allowed


def reasons(decision: Decision, role: Role) -> list[str]:
    """One sentence for each statement of the trust policy that nearly let the caller in, or that keeps it out."""
    ids = _names(role)
    if decision.outcome is Outcome.EXPLICITLY_DENIED:
        return [f"{_place(each)} of the trust policy denies it." for each in decision.statements if _is_trust(each)]
    return [_missed(miss, ids) for miss in decision.near_misses if _is_trust(miss.statement)]


def _is_trust(statement: StatementRef) -> bool:
    return statement.layer == "resource"


def _missed(miss: NearMiss, ids: Mapping[str, str]) -> str:
    place = f"{_place(miss.statement)} of the trust policy"
    wanted = " or ".join(ids.get(each, each) for each in miss.wanted)
    if miss.element == "Condition":
        found = "the request has none" if miss.found is None else f"the request has {', '.join(miss.found)}"
        return f"{place} wants {miss.operator} {miss.key} {wanted}; {found}."
    if miss.element == "Principal":
        return f"{place} lets in {wanted}."
    return f"{place} fails at its {miss.element}."


def _place(statement: StatementRef) -> str:
    name = f"Statement {statement.index + 1}"
    return f"{name} ({statement.sid})" if statement.sid else name


def _names(role: Role) -> dict[str, str]:
    """The present ARN of each unique id in the document."""
    return dict(zip(_principals(role.document), _principals(shown_trust(role.document)), strict=True))


def _principals(text: str) -> list[str]:
    return [node.text for node in principal_nodes(text)]
