"""Who can take on a role, asked of the engine: for each user and role that a trust policy names, the decision with
their own policies, and what still has to hold. People of other accounts are named and not looked into."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from access.gate import Context, PrincipalGate
from access.simulation_inputs import Asker, principal_for
from access.trust import decide_trust, reasons
from audit import decisions
from identities.models import Role, User
from identities.resource_tags import resource_tags
from identities.services.trust import principal_nodes
from policies.engine import Decision, NearMiss, Outcome

ACTION = "sts:AssumeRole"
# Each one that is asked about costs the reading of its policies.
ASKED = 25


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said about somebody: `answer` is yes, if, or no; `reasons` are sentences about the trust policy."""

    answer: str
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody would show: a second factor at sign-in, an external id."""

    mfa: bool = False
    external_id: str = ""


NO_PROOF = Proof()


def named_in(role: Role) -> list[User | Role]:
    """The users and roles that the trust policy names, in its order; what was deleted is left out."""
    names = list(dict.fromkeys(node.text for node in principal_nodes(role.document)))
    rows: Iterable[User | Role] = (*_rows(User, names), *_rows(Role, names))
    found = {row.unique_id: row for row in rows}
    return [found[name] for name in names if name in found]


def _rows(model: type[User] | type[Role], unique_ids: Sequence[str]) -> Iterable[User | Role]:
    return model._default_manager.filter(unique_id__in=unique_ids).prefetch_related("tags")


def verdict_on(who: User | Role, role: Role, proof: Proof = NO_PROOF, *, by: Asker) -> Verdict:
    """Decide as the service would if they asked now, without recording anything."""
    context: Context = {**resource_tags(role), **({"sts:ExternalId": proof.external_id} if proof.external_id else {})}
    gate = _gate_of(who, proof, by)
    decision = _ask(gate, role, context)
    if decision.allowed:
        return Verdict("yes", ())
    missing = [] if decision.outcome is Outcome.EXPLICITLY_DENIED else _open_conditions(decision)
    if not missing:
        return Verdict("no", [*reasons(decision, role), *_of_others(decision)])
    # Would they get in if what is missing held? Some conditions can't be met by naming a value: those stay open.
    presumed = _ask(gate, role, {**context, **{miss.key: miss.wanted[0] for miss in missing if miss.wanted}})
    if presumed.allowed or (presumed.outcome is not Outcome.EXPLICITLY_DENIED and _open_conditions(presumed)):
        return Verdict("if", reasons(decision, role))
    return Verdict("no", [*reasons(decision, role), *_of_others(presumed)])


def _gate_of(who: User | Role, proof: Proof, by: Asker) -> PrincipalGate:
    principal = principal_for(who, by)
    if principal is None:
        raise TypeError("Only users and roles can take on a role.")
    return PrincipalGate(replace(principal, mfa=proof.mfa or None))


def _ask(gate: PrincipalGate, role: Role, context: Context) -> Decision:
    # What is only imagined must not be taken for what allowed something.
    with decisions.noting():
        return decide_trust(gate, ACTION, role.arn, role, context, explain=True)


def _open_conditions(decision: Decision) -> list[NearMiss]:
    """The conditions of the trust policy that alone keep a statement of it from applying."""
    misses = (miss for miss in decision.near_misses if miss.statement.layer == "resource")
    return [miss for miss in misses if miss.element == "Condition"]


def _of_others(decision: Decision) -> list[str]:
    """What is said of their own policies: that they are in the way, without naming a statement."""
    if decision.layer == "resource":
        return []
    if decision.outcome is Outcome.EXPLICITLY_DENIED:
        return ["A policy of their own denies it."]
    return {
        "boundary": ["Their permissions boundary does not allow sts:AssumeRole on this role."],
        "identity": ["No policy of their own allows sts:AssumeRole on this role."],
    }.get(decision.layer, [])
