"""What an account says about a service of its own: read from lines or JSON, checked, written again, and turned into an
entry of the catalogue."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, TypedDict

from policies.engine.catalog import BUILT_IN, Action, ConditionKey, ResourceType, Service
from policies.engine.catalog_types import ACCESS_LEVELS, KEY_TYPES, AccessLevel

MAX_ACTIONS = 500
MAX_RESOURCE_TYPES = 100
MAX_CONDITION_KEYS = 200
DESCRIPTION_LIMIT = 300
_PREFIX = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ACTION = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TYPE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEY = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9_/.${}-]{1,120}")
_ARN_FIELDS = 6


class ActionEntry(TypedDict):
    name: str
    access_level: str
    description: str
    resource_types: list[str]
    condition_keys: list[str]


class TypeEntry(TypedDict):
    name: str
    arn: str


class KeyEntry(TypedDict):
    name: str
    type: str
    multivalued: bool


class Definition(TypedDict):
    actions: list[ActionEntry]
    resource_types: list[TypeEntry]
    condition_keys: list[KeyEntry]


class BadDefinition(ValueError):
    """One sentence about what is wrong, and where; `field` is the form field it belongs to."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


def prefix_problem(prefix: str) -> str:
    if not _PREFIX.fullmatch(prefix):
        return "A prefix has 1 to 63 lower-case letters, digits and hyphens, and no hyphen at its ends."
    if prefix in BUILT_IN.service_names() or prefix in ("aws", "saml"):
        return f'"{prefix}" is the prefix of a service that the catalogue has already; choose another.'
    return ""


def from_json(text: str) -> Definition:
    """A definition written as JSON. Raises BadDefinition."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadDefinition(f"This is no JSON: {error}.", "pasted") from error
    if not isinstance(content, dict):
        raise BadDefinition('The JSON is an object: {"actions": […], "resource_types": […], …}.', "pasted")
    unknown = content.keys() - {"prefix", "name", "actions", "resource_types", "condition_keys"}
    if unknown:
        raise BadDefinition(f'"{sorted(unknown)[0]}" is no part of a service.', "pasted")
    return {
        "actions": [_action_of(each) for each in _objects(content, "actions", ("name",))],
        "resource_types": [
            {"name": str(each["name"]), "arn": str(each["arn"])}
            for each in _objects(content, "resource_types", ("name", "arn"))
        ],
        "condition_keys": [
            {
                "name": str(each["name"]),
                "type": str(each.get("type", "String")),
                "multivalued": each.get("multivalued") is True,
            }
            for each in _objects(content, "condition_keys", ("name",))
        ],
    }


def _objects(content: dict[str, Any], name: str, needed: tuple[str, ...]) -> list[dict[str, Any]]:
    found = content.get(name, [])
    if not isinstance(found, list):
        raise BadDefinition(f'"{name}" is a list.', "pasted")
    for number, each in enumerate(found, 1):
        if not isinstance(each, dict) or any(not isinstance(each.get(key), str) for key in needed):
            raise BadDefinition(f'Entry {number} of "{name}" is an object with {" and ".join(needed)}.', "pasted")
    return found


def _action_of(each: dict[str, Any]) -> ActionEntry:
    return {
        "name": str(each["name"]),
        "access_level": str(each.get("access_level", "Write")),
        "description": str(each.get("description", "")),
        "resource_types": _names(each, "resource_types"),
        "condition_keys": _names(each, "condition_keys"),
    }


def _names(each: dict[str, Any], name: str) -> list[str]:
    found = each.get(name, [])
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise BadDefinition(f'"{name}" of the action "{each["name"]}" is a list of names.', "pasted")
    return list(found)


def from_lines(actions: str, resource_types: str, condition_keys: str) -> Definition:
    """A definition written as lines: parts of a line stand between `|`. Raises BadDefinition."""
    return {
        "actions": _read_lines(actions, "actions", 5, _action_line),
        "resource_types": _read_lines(resource_types, "resource_types", 2, _type_line),
        "condition_keys": _read_lines(condition_keys, "condition_keys", 3, _key_line),
    }


def _read_lines(text: str, field: str, parts: int, read: Callable[[list[str]], Any]) -> list[Any]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        pieces = [piece.strip() for piece in line.split("|")]
        if len(pieces) > parts:
            raise BadDefinition(f"Line {number} has {len(pieces)} parts; it has at most {parts}.", field)
        found.append(read([*pieces, *[""] * (parts - len(pieces))]))
    return found


def _action_line(pieces: list[str]) -> ActionEntry:
    name, level, description, types, keys = pieces
    return {
        "name": name,
        "access_level": level or "Write",
        "description": description,
        "resource_types": _listed(types),
        "condition_keys": _listed(keys),
    }


def _type_line(pieces: list[str]) -> TypeEntry:
    return {"name": pieces[0], "arn": pieces[1]}


def _key_line(pieces: list[str]) -> KeyEntry:
    return {"name": pieces[0], "type": pieces[1] or "String", "multivalued": pieces[2].lower() == "several"}


def _listed(text: str) -> list[str]:
    return [piece.strip() for piece in text.split(",") if piece.strip()]


def to_lines(definition: Definition) -> dict[str, str]:
    """The three texts that `from_lines` reads."""
    return {
        "actions": "\n".join(_line(_action_pieces(each)) for each in definition["actions"]),
        "resource_types": "\n".join(f"{each['name']} | {each['arn']}" for each in definition["resource_types"]),
        "condition_keys": "\n".join(
            _line([each["name"], each["type"], "several" if each["multivalued"] else ""])
            for each in definition["condition_keys"]
        ),
    }


def _action_pieces(each: ActionEntry) -> list[str]:
    lists = [", ".join(each["resource_types"]), ", ".join(each["condition_keys"])]
    return [each["name"], each["access_level"], each["description"], *lists]


def _line(pieces: list[str]) -> str:
    while pieces and not pieces[-1]:
        pieces = pieces[:-1]
    return " | ".join(pieces)


def check(prefix: str, definition: Definition) -> None:
    """Raises BadDefinition for the first thing that is wrong."""
    for field, limit in (
        ("actions", MAX_ACTIONS),
        ("resource_types", MAX_RESOURCE_TYPES),
        ("condition_keys", MAX_CONDITION_KEYS),
    ):
        entries: list[Any] = definition[field]  # type: ignore[literal-required] # the three fields of a Definition
        if len(entries) > limit:
            raise BadDefinition(f"There are {len(entries)} entries; at most {limit} are allowed.", field)
        _check_unique([each["name"] for each in entries], field)
    if not definition["actions"]:
        raise BadDefinition("A service has at least one action.", "actions")
    for kind in definition["resource_types"]:
        _check_type(prefix, kind)
    for key in definition["condition_keys"]:
        _check_key(prefix, key)
    types = {kind["name"].lower() for kind in definition["resource_types"]}
    keys = {key["name"].lower() for key in definition["condition_keys"]}
    for action in definition["actions"]:
        _check_action(action, types, keys)


def _check_unique(names: Iterable[str], field: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise BadDefinition(f'"{name}" stands twice; case makes no difference.', field)
        seen.add(name.lower())


def _check_type(prefix: str, kind: TypeEntry) -> None:
    if not _TYPE.fullmatch(kind["name"]):
        message = f'"{kind["name"]}" is no name of a resource type: use up to 64 letters, digits, - and _.'
        raise BadDefinition(message, "resource_types")
    fields = kind["arn"].split(":", _ARN_FIELDS - 1)
    if (
        len(fields) < _ARN_FIELDS
        or fields[0] != "arn"
        or fields[2] != prefix
        or not fields[5]
        or len(kind["arn"]) > 512
    ):
        message = (
            f'The ARN of "{kind["name"]}" is written as arn:aws:{prefix}:${{Region}}:${{Account}}:thing/${{Name}}.'
        )
        raise BadDefinition(message, "resource_types")


def _check_key(prefix: str, key: KeyEntry) -> None:
    if not _KEY.fullmatch(key["name"]) or not key["name"].lower().startswith(f"{prefix}:"):
        message = f'The condition key "{key["name"]}" is written as {prefix}:Name.'
        raise BadDefinition(message, "condition_keys")
    if key["type"] not in KEY_TYPES:
        message = f'"{key["type"]}" is no type of a condition key; there are {", ".join(KEY_TYPES)}.'
        raise BadDefinition(message, "condition_keys")


def _check_action(action: ActionEntry, types: set[str], keys: set[str]) -> None:
    name = action["name"]
    if not _ACTION.fullmatch(name):
        message = f'"{name}" is no name of an action: use up to 128 letters, digits, - and _, without the prefix.'
        raise BadDefinition(message, "actions")
    if action["access_level"] not in ACCESS_LEVELS:
        message = f'"{action["access_level"]}" of {name} is no access level; there are {", ".join(ACCESS_LEVELS)}.'
        raise BadDefinition(message, "actions")
    if len(action["description"]) > DESCRIPTION_LIMIT:
        raise BadDefinition(f"The description of {name} has more than {DESCRIPTION_LIMIT} characters.", "actions")
    for kind in action["resource_types"]:
        if kind.lower() not in types:
            raise BadDefinition(f'{name} works on "{kind}", which is none of the resource types.', "actions")
    for key in action["condition_keys"]:
        if key.lower() not in keys and not key.lower().startswith("aws:"):
            raise BadDefinition(f'{name} knows the key "{key}", which is none of the condition keys.', "actions")


def to_service(prefix: str, name: str, definition: Definition) -> Service:
    """The entry of the catalogue."""
    actions = [
        Action(
            prefix,
            each["name"],
            _level(each["access_level"]),
            each["description"],
            tuple(each["resource_types"]),
            tuple(each["condition_keys"]),
        )
        for each in definition["actions"]
    ]
    types = [ResourceType(each["name"], each["arn"]) for each in definition["resource_types"]]
    keys = [ConditionKey(each["name"], each["type"], each["multivalued"]) for each in definition["condition_keys"]]
    return Service(
        prefix,
        name,
        {action.name.lower(): action for action in actions},
        {kind.name.lower(): kind for kind in types},
        {key.name.lower(): key for key in keys},
        registered=True,
    )


def _level(text: str) -> AccessLevel:
    return next((level for level in ACCESS_LEVELS if level == text), "Write")
