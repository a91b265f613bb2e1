"""What the catalogue knows of a service: its actions, the kinds of its resources, its condition keys."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

from policies.engine.overlap import NO_SLASH

AccessLevel = Literal["List", "Read", "Write", "Tagging", "Permissions management"]
ACCESS_LEVELS: tuple[AccessLevel, ...] = ("List", "Read", "Write", "Tagging", "Permissions management")
KEY_TYPES = ("String", "ARN", "Bool", "Numeric", "Date", "IPAddress", "Binary")
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `resource_types` names the kinds of resources it works on; with none its resource is `*`.

    `condition_keys` are those of the service, and the global ones that need support (tags), which the action knows;
    `is_complete` is False when the catalogue does not know all kinds of resources.
    """

    service: str
    name: str
    access_level: AccessLevel
    description: str
    resource_types: tuple[str, ...] = ()
    condition_keys: tuple[str, ...] = ()
    is_complete: bool = True

    @property
    def full_name(self) -> str:
        return f"{self.service}:{self.name}"


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A kind of resource; `arn` has placeholders: `arn:${Partition}:s3:::${BucketName}`."""

    name: str
    arn: str
    condition_keys: tuple[str, ...] = ()

    @property
    def pattern(self) -> str:
        """The ARN with `*` for each placeholder, as `overlap` compares it."""
        return _compared(self.arn)


@lru_cache(maxsize=4096)
def _compared(arn: str) -> str:
    return open_pattern(arn.replace("${BucketName}", NO_SLASH))


def open_pattern(text: str) -> str:
    """A text with `*` for each placeholder."""
    return _PLACEHOLDER.sub("*", text)


@dataclass(frozen=True, slots=True)
class ConditionKey:
    """A condition key; `name` may have a placeholder: `aws:ResourceTag/${TagKey}`."""

    name: str
    type: str
    multivalued: bool = False


@dataclass(frozen=True)
class Service:
    """A service by its prefix; everything in it is found by its name in lower case."""

    prefix: str
    name: str
    actions: Mapping[str, Action]
    resource_types: Mapping[str, ResourceType]
    condition_keys: Mapping[str, ConditionKey]
    registered: bool = field(default=False)

    @cached_property
    def open_keys(self) -> tuple[ConditionKey, ...]:
        return tuple(key for key in self.condition_keys.values() if "${" in key.name)

    def condition_key(self, name: str) -> ConditionKey | None:
        """A condition key by its name, its placeholder filled: `ec2:ResourceTag/team`."""
        return find_key(name, self.condition_keys, self.open_keys)


def find_key(name: str, keys: Mapping[str, ConditionKey], open_keys: tuple[ConditionKey, ...]) -> ConditionKey | None:
    lower = name.lower()
    found = keys.get(lower)
    if found is not None:
        return found
    return next((key for key in open_keys if _fills(lower, key.name)), None)


@lru_cache(maxsize=4096)
def _pieces(template: str) -> tuple[str, ...]:
    return tuple(_PLACEHOLDER.split(template.lower()))


def _fills(name: str, template: str) -> bool:
    """Whether a name is a template with something in the place of each placeholder."""
    pieces = _pieces(template)
    if not name.startswith(pieces[0]) or not name.endswith(pieces[-1]):
        return False
    at = len(pieces[0])
    for piece in pieces[1:-1]:
        at = name.find(piece, at + 1)
        if at < 0:
            return False
        at += len(piece)
    return at < len(name) - len(pieces[-1])
