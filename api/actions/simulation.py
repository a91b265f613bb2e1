"""iam:SimulatePrincipalPolicy, SimulateCustomPolicy and GetContextKeysFor…: see `access.simulation`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from access import simulation_inputs as inputs
from access.simulation import Result as Simulated
from access.simulation import Scenario, Simulation, attached_in
from access.statement_positions import Positioned, Positions
from api.registry import Call, Result, Target, action
from audit.errors import InvalidInput
from identities.models import Group, Role, User
from identities.resource_tags import resource_tags
from policies.context_keys import keys_of
from policies.engine import AttachedPolicy, Decision, DocumentKind

MOST_RESULTS = 5000
_DECISIONS = {"Allowed": "allowed", "ExplicitlyDenied": "explicitDeny", "ImplicitlyDenied": "implicitDeny"}
# What EC2 needs for an instance, by kind of network and storage (API reference, ResourceHandlingOption).
_HANDLING = frozenset(
    f"EC2-{kind}"
    for kind in (
        "Classic-InstanceStore",
        "Classic-EBS",
        "VPC-InstanceStore",
        "VPC-InstanceStore-Subnet",
        "VPC-EBS",
        "VPC-EBS-Subnet",
    )
)


def policy_source(call: Call) -> Target:
    """The user, group or role of PolicySourceArn, in the caller's own account."""
    named = inputs.find_source(call.account_id, call["PolicySourceArn"])
    tags = resource_tags(named.row) if isinstance(named.row, User | Role) else {}
    return Target(named.arn, named, tags)


def _source(call: Call) -> User | Group | Role:
    named = call.target.row
    if not isinstance(named, inputs.Named):
        raise InvalidInput("PolicySourceArn names nothing.")
    return inputs.found(named)


@action("iam:SimulatePrincipalPolicy", resource=policy_source)
def simulate_principal_policy(call: Call) -> Result:
    row = _source(call)
    if "ResourcePolicy" in call and isinstance(row, Role):
        raise InvalidInput("Simulation of resource-based policies isn't supported for IAM roles.")
    if "ResourcePolicy" in call and not isinstance(row, User) and "CallerArn" not in call:
        raise InvalidInput("CallerArn is required if ResourcePolicy is given and PolicySourceArn is not a user.")
    scenario = replace(
        _scenario(call),
        source=inputs.principal_for(row, call),
        own=inputs.policies_of_group(row) if isinstance(row, Group) else None,
        own_password=inputs.may_change_own_password(row),
        excluded=_excluded(call),
    )
    return _simulated(call, Simulation(scenario))


@action("iam:SimulateCustomPolicy", resource="*")
def simulate_custom_policy(call: Call) -> Result:
    if "ResourcePolicy" in call and "CallerArn" not in call:
        raise InvalidInput("CallerArn is required if ResourcePolicy is given.")
    return _simulated(call, Simulation(_scenario(call)))


@action("iam:GetContextKeysForCustomPolicy", resource="*")
def get_context_keys_for_custom_policy(call: Call) -> Result:
    return {"ContextKeyNames": keys_of(each.document for each in _documents(call, "PolicyInputList"))}


@action("iam:GetContextKeysForPrincipalPolicy", resource=policy_source)
def get_context_keys_for_principal_policy(call: Call) -> Result:
    row = _source(call)
    own = inputs.policies_of_group(row) if isinstance(row, Group) else None
    simulation = Simulation(Scenario(source=inputs.principal_for(row, call), own=own))
    attached = [*attached_in(simulation.policies_for("")), *_documents(call, "PolicyInputList")]
    return {"ContextKeyNames": keys_of(each.document for each in attached)}


def _documents(call: Call, name: str) -> tuple[AttachedPolicy, ...]:
    return tuple(inputs.document(text, f"{name}.{number}") for number, text in enumerate(call.get(name, ()), start=1))


def _scenario(call: Call) -> Scenario:
    boundaries = _documents(call, "PermissionsBoundaryPolicyInputList")
    if len(boundaries) > 1:
        raise InvalidInput("Only one permissions boundary can be given.")
    if call.get("ResourceHandlingOption", "EC2-VPC-EBS") not in _HANDLING:
        raise InvalidInput(f"ResourceHandlingOption must be one of {', '.join(sorted(_HANDLING))}.")
    entries = (
        inputs.context_entry(
            entry.get("ContextKeyName", ""), entry.get("ContextKeyValues", ()), entry.get("ContextKeyType", "string")
        )
        for entry in call.get("ContextEntries", ())
    )
    return Scenario(
        caller=inputs.caller_of(call["CallerArn"]) if "CallerArn" in call else None,
        added=_documents(call, "PolicyInputList"),
        boundary=boundaries[0] if boundaries else None,
        resource_policy=_resource_policy(call),
        service_control=_levels(call),
        resource_owner=inputs.owner_account(call["ResourceOwner"]) if "ResourceOwner" in call else "",
        context=inputs.one_by_one(entries),
    )


def _resource_policy(call: Call) -> AttachedPolicy | None:
    """The trust policy of a role is a resource policy too, for the actions that assume it."""
    if "ResourcePolicy" not in call:
        return None
    assuming = all(name.lower().startswith("sts:assume") for name in call["ActionNames"])
    kinds: tuple[DocumentKind, ...] = ("trust", "resource") if assuming else ("resource",)
    return inputs.document(call["ResourcePolicy"], "ResourcePolicy", kinds)


def _levels(call: Call) -> tuple[tuple[AttachedPolicy, ...], ...]:
    name = "OrderedOrganizationPolicyInputList"
    return tuple(
        tuple(
            inputs.document(text, f"{name}.{level}.ServiceControlPolicyInputList.{number}", ("service_control",))
            for number, text in enumerate(given.get("ServiceControlPolicyInputList", ()), start=1)
        )
        for level, given in enumerate(call.get(name, ()), start=1)
    )


def _excluded(call: Call) -> frozenset[tuple[str, str]]:
    return frozenset(_mark(each) for each in call.get("PolicyExclusionList", ()))


def _mark(excluded: Mapping[str, Any]) -> tuple[str, str]:
    """An element of PolicyExclusionList as `marks_of` says it."""
    match dict(excluded):
        case {"PolicyType": kind, **more} if not more:
            return "type", kind
        case {"PolicyArn": arn, **more} if not more:
            return "arn", arn
        case {"InlinePolicyIdentifier": named, **more} if not more:
            return named["PolicyName"], f"{named['AttachmentType']}/{named['AttachmentName']}"
    raise InvalidInput("Each element of PolicyExclusionList has exactly one of its members.")


def _simulated(call: Call, simulation: Simulation) -> Result:
    resources = call.get("ResourceArns") or ["*"]
    pairs = [(name, resource) for name in _actions(call) for resource in resources]
    if len(pairs) > MOST_RESULTS:
        raise InvalidInput(f"{len(pairs)} decisions were asked for; at most {MOST_RESULTS} are simulated at once.")
    page = call.page_of(pairs)
    positions = Positions(_texts_given(call))
    results = [simulation.decide(name, resource) for name, resource in page.items]
    return {
        "EvaluationResults": [_described(each, positions, named="ResourceArns" in call) for each in results],
        **page.fields,
    }


def _actions(call: Call) -> Sequence[str]:
    for name in call["ActionNames"]:
        service, _, rest = name.partition(":")
        if not service or not rest or "*" in name or "?" in name:
            raise InvalidInput(f"Invalid action name: {name}. Write service:Action, without wildcards.")
    return list(dict.fromkeys(call["ActionNames"]))


def _texts_given(call: Call) -> Iterable[str]:
    levels = call.get("OrderedOrganizationPolicyInputList", ())
    return (
        *call.get("PolicyInputList", ()),
        *call.get("PermissionsBoundaryPolicyInputList", ()),
        *([call["ResourcePolicy"]] if "ResourcePolicy" in call else ()),
        *(text for level in levels for text in level.get("ServiceControlPolicyInputList", ())),
    )


def _described(result: Simulated, positions: Positions, *, named: bool) -> dict[str, object]:
    decision = _DECISIONS[result.decision.outcome.value]
    shared: dict[str, object] = {
        "MatchedStatements": [_statement(each) for each in positions.of(result)],
        "MissingContextValues": list(result.missing),
        "EvalDecisionDetails": _details(result.sides) if named else None,
        "PermissionsBoundaryDecisionDetail": _limit("AllowedByPermissionsBoundary", result.within_boundary),
    }
    specific = {"EvalResourceName": result.resource, "EvalResourceDecision": decision, **shared}
    return {
        "EvalActionName": result.action,
        "EvalResourceName": result.resource,
        "EvalDecision": decision,
        **shared,
        "OrganizationsDecisionDetail": _limit("AllowedByOrganizations", result.within_organization),
        "ResourceSpecificResults": [specific] if named else None,
    }


def _details(sides: Mapping[str, Decision]) -> dict[str, str]:
    """Only across accounts; within one the element is there and empty."""
    return {name: _DECISIONS[each.outcome.value] for name, each in sides.items()}


def _limit(name: str, value: bool | None) -> dict[str, bool] | None:
    return None if value is None else {name: value}


def _statement(each: Positioned) -> dict[str, object]:
    place = (
        {}
        if each.start is None or each.end is None
        else {
            "StartPosition": {"Line": each.start[0], "Column": each.start[1]},
            "EndPosition": {"Line": each.end[0], "Column": each.end[1]},
        }
    )
    return {"SourcePolicyId": each.policy_id, "SourcePolicyType": each.policy_type, **place}
