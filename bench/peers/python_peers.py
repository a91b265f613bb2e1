"""Peers with a Python interface: cedarpy, moto, Principal Mapper. Each gets the policies once, compiled if it can."""

import collections
import collections.abc
import importlib
import json
from collections.abc import Callable
from typing import Any

from bench.cases import ACCOUNT, Case
from bench.peers.cedar import as_cedar, as_context
from policies.engine import Request

Decide = Callable[[Request], str]
ALLOWED, EXPLICITLY_DENIED, IMPLICITLY_DENIED = "Allowed", "ExplicitlyDenied", "ImplicitlyDenied"


def optional(name: str) -> Any:
    """A module that only `make bench` installs; None when it is not there."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def plain_context(request: Request) -> dict[str, str]:
    """Condition values as engines without multivalued keys want them."""
    return {key: values if isinstance(values, str) else values[0] for key, values in request.context.items()}


def cedarpy(case: Case) -> Decide | None:
    """The policies in Cedar's language; its answer tells no explicit denial from an implicit one."""
    module = optional("cedarpy")
    if module is None:
        return None
    policies = module.PolicySet.from_str("\n".join(as_cedar(json.loads(text)) for text in case.documents))
    entities = module.Entities.from_json_str("[]")
    asked = {
        id(request): {
            "principal": 'User::"alice"',
            "action": 'Action::"call"',
            "resource": 'Resource::"any"',
            "context": as_context(request),
        }
        for request in case.requests
    }

    def decide(request: Request) -> str:
        found = module.is_authorized(asked[id(request)], policies, entities)
        return ALLOWED if found.allowed else IMPLICITLY_DENIED

    return decide


def moto(case: Case) -> Decide | None:
    module = optional("moto.iam.access_control")
    if module is None:
        return None
    policies = [module.IAMPolicy({"policy_document": text}) for text in case.documents]
    permitted, denied = module.PermissionResult.PERMITTED, module.PermissionResult.DENIED
    contexts = {id(request): plain_context(request) for request in case.requests}

    def decide(request: Request) -> str:
        context = contexts[id(request)]
        found = [
            policy.is_action_permitted(request.action, request.resource, incoming_condition_values=context)
            for policy in policies
        ]
        return EXPLICITLY_DENIED if denied in found else ALLOWED if permitted in found else IMPLICITLY_DENIED

    return decide


def principal_mapper(case: Case) -> Decide | None:
    # Its imports are from before Python 3.10.
    for name in ("Mapping", "MutableMapping"):
        setattr(collections, name, getattr(collections.abc, name))
    module, common = optional("principalmapper.querying.local_policy_simulation"), optional("principalmapper.common")
    if module is None or common is None:
        return None
    arn = f"arn:aws:iam::{ACCOUNT}:user/alice"
    policies = [common.Policy(f"{arn}/{n}", f"p{n}", json.loads(text)) for n, text in enumerate(case.documents)]
    node = common.Node(arn, "AIDAEXAMPLE", policies, [], None, None, 0, False, False, None, False, None)
    contexts = {id(each): module.CaseInsensitiveDict(plain_context(each)) for each in case.requests}

    def decide(request: Request) -> str:
        asked = (request.action, request.resource, contexts[id(request)])
        if module.has_matching_statement(node, "Deny", *asked):
            return EXPLICITLY_DENIED
        return ALLOWED if module.has_matching_statement(node, "Allow", *asked) else IMPLICITLY_DENIED

    return decide


PEERS: dict[str, Callable[[Case], Decide | None]] = {
    "moto": moto,
    "PMapper": principal_mapper,
    "cedarpy": cedarpy,
}
