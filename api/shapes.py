"""The wire shapes of IAM (2010-05-08) and STS (2011-06-15), from the service models that botocore ships."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, StructureShape
from botocore.model import Shape as BotocoreShape

from api.patterns import compiled

SERVICES = ("iam", "sts")
_NUMBERS = ("integer", "long")


@dataclass(frozen=True, slots=True)
class Shape:
    """One node of a model, with what parsing, validating and serialising need and nothing else."""

    kind: str
    minimum: int | None = None
    maximum: int | None = None
    pattern: re.Pattern[str] | None = None
    pattern_text: str = ""
    enum: tuple[str, ...] = ()
    sensitive: bool = False
    flattened: bool = False
    wire_name: str = ""
    members: Mapping[str, "Shape"] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    element: "Shape | None" = None
    key: "Shape | None" = None

    @property
    def is_number(self) -> bool:
        return self.kind in _NUMBERS


@dataclass(frozen=True, slots=True)
class Operation:
    """One action of a service. `paged` says that it takes MaxItems and Marker."""

    service: str
    name: str
    version: str
    namespace: str
    input: Shape
    output: Shape | None
    wrapper: str
    signed: bool
    paged: bool

    @property
    def action(self) -> str:
        """The name that policies and the audit trail use."""
        return f"{self.service}:{self.name}"


@functools.cache
def _model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def load_models() -> None:
    """Read both models now: a server does so when it starts, anybody else with the first operation."""
    for service in SERVICES:
        _model(service)


def namespace(service: str) -> str:
    """The XML namespace of the service's answers."""
    return str(_model(service).metadata.get("xmlNamespace", ""))


def operation_names(service: str) -> tuple[str, ...]:
    return tuple(_model(service).operation_names)


@functools.cache
def _names(service: str) -> frozenset[str]:
    return frozenset(operation_names(service))


def find_operation(service: str, name: str) -> Operation | None:
    """The operation, or None when the model has none of this name (asked before the cache: names come from callers)."""
    return operation(service, name) if name in _names(service) else None


@functools.cache
def operation(service: str, name: str) -> Operation:
    """Read one operation out of the model, once."""
    model: OperationModel = _model(service).operation_model(name)
    given = _shape(model.input_shape) if model.input_shape else Shape("structure")
    return Operation(
        service=service,
        name=name,
        version=_model(service).api_version,
        namespace=namespace(service),
        input=given,
        output=_shape(model.output_shape) if model.output_shape else None,
        wrapper=model.output_shape.serialization.get("resultWrapper", "") if model.output_shape else "",
        signed=not _is_open(model),
        paged={"Marker", "MaxItems"} <= given.members.keys(),
    )


def _is_open(model: OperationModel) -> bool:
    """The calls that exchange an outside proof for credentials carry no signature."""
    return "smithy.api#noAuth" in (getattr(model, "auth", None) or ())


def _shape(source: BotocoreShape) -> Shape:
    return Shape(source.type_name, **_limits(source), **_parts(source))


def _limits(source: BotocoreShape) -> dict[str, Any]:
    facts: Mapping[str, Any] = source.metadata
    pattern = facts.get("pattern")
    return {
        "minimum": facts.get("min"),
        "maximum": facts.get("max"),
        "pattern": compiled(pattern) if pattern else None,
        "pattern_text": pattern or "",
        "enum": tuple(facts.get("enum", ())),
        "sensitive": bool(facts.get("sensitive")),
        "flattened": bool(source.serialization.get("flattened")),
        "wire_name": source.serialization.get("name", ""),
    }


def _parts(source: BotocoreShape) -> dict[str, Any]:
    match source:
        case StructureShape():
            members = {name: _shape(member) for name, member in source.members.items()}
            return {"members": members, "required": frozenset(source.required_members)}
        case ListShape():
            return {"element": _shape(source.member)}
        case MapShape():
            return {"key": _shape(source.key), "element": _shape(source.value)}
        case _:
            return {}


@functools.cache
def error_statuses() -> Mapping[str, int]:
    """Error code on the wire to HTTP status, for the errors that the models describe."""
    described = (shape.metadata.get("error") for service in SERVICES for shape in _model(service).error_shapes)
    return {error["code"]: int(error["httpStatusCode"]) for error in described if error}
