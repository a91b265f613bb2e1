"""The AWS Query protocol, reading side: `Tags.member.1.Key=…` to typed and validated values."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

from api import constraints
from api.canonical import query_pairs
from api.shapes import Operation, Shape
from audit.errors import ServiceError, ValidationError

# Refused before any work: the longest real call (a simulation) stays far below.
MOST_PARAMETERS = 4096
_DEEPEST_NAME = 16
_MOST_COMPLAINTS = 50

_INDEX = re.compile(r"[1-9][0-9]{0,5}")
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


class MalformedQueryString(ServiceError):
    """Not a form, or one that says two things at once."""

    code: ClassVar[str] = "MalformedQueryString"


class MalformedInput(ServiceError):
    """A text where a list or a structure is meant, or the other way round. In AWS's words, one at a time."""

    code: ClassVar[str] = "MalformedInput"


@dataclass(slots=True)
class Node:
    """A parameter name's place in the tree: its own value and what is below it."""

    value: str | None = None
    below: dict[str, "Node"] = field(default_factory=dict)


def parameters(*sources: bytes) -> dict[str, str]:
    """Decode query string and body into one table. A name given twice is refused, since one reader may take the first
    and another the last. Presigned requests carry their signature here too, which is no parameter of the call."""
    if sum(source.count(b"&") + 1 for source in sources if source) > MOST_PARAMETERS:
        raise MalformedQueryString(f"A call may carry at most {MOST_PARAMETERS} parameters.")
    table: dict[str, str] = {}
    for name, value in _texts(sources):
        if name in table:
            raise MalformedQueryString(f"The parameter '{name[:128]}' was given more than once.")
        table[name] = value
    return table


def _texts(sources: tuple[bytes, ...]) -> Iterator[tuple[str, str]]:
    try:
        for source in sources:
            for name, value in query_pairs(source):
                if not name.startswith(b"X-Amz-"):
                    yield name.decode(), value.decode()
    except UnicodeDecodeError as exc:
        raise MalformedQueryString("The parameters must be UTF-8, encoded as a form.") from exc


def read_input(operation: Operation, table: Mapping[str, str]) -> dict[str, object]:
    """The operation's typed input. Raises ValidationError that names everything wrong with it, as AWS does, and
    MalformedInput for what has another form than is meant."""
    reader = _Reader()
    values = reader.structure(operation.input, _tree(operation.input, table), "")
    if reader.complaints:
        raise ValidationError(constraints.summary(reader.complaints[:_MOST_COMPLAINTS]))
    return values


def _tree(shape: Shape, table: Mapping[str, str]) -> Node:
    """Only what the operation knows: AWS ignores parameters that it does not."""
    known = {member.wire_name or name for name, member in shape.members.items()}
    root = Node()
    for name, value in table.items():
        parts = name.split(".", _DEEPEST_NAME)
        if parts[0] not in known or len(parts) > _DEEPEST_NAME:
            continue
        node = root
        for part in parts:
            node = node.below.setdefault(part, Node())
        node.value = value
    return root


def _field(path: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name


class _Reader:
    """Walks shape and tree together, collecting complaints instead of stopping at the first."""

    def __init__(self) -> None:
        self.complaints: list[str] = []

    def structure(self, shape: Shape, node: Node, path: str) -> dict[str, object]:
        values: dict[str, object] = {}
        if node.value:
            raise MalformedInput("Unexpected complex element termination")
        for name, member in shape.members.items():
            below = node.below.get(member.wire_name or name)
            if below is not None:
                values[name] = self.value(member, below, _field(path, name))
            elif name in shape.required:
                self._complain(member, _field(path, name), None, "Member must not be null")
        return values

    def value(self, shape: Shape, node: Node, path: str) -> object:
        match shape.kind:
            case "structure":
                return self.structure(shape, node, path)
            case "list":
                return self._list(shape, node, path)
            case "map":
                return self._map(shape, node, path)
            case _:
                return self._scalar(shape, self._text(node), path)

    def _text(self, node: Node) -> str:
        if "member" in node.below:
            raise MalformedInput("Start of list found where not expected")
        if node.below:
            raise MalformedInput("Start of structure or map found where not expected.")
        return node.value or ""

    def _list(self, shape: Shape, node: Node, path: str) -> list[object]:
        element = shape.element or shape
        if node.value:  # An empty text is how SDKs write an empty list.
            raise MalformedInput("Unexpected list element termination")
        if not shape.flattened and any(_INDEX.fullmatch(name) for name in node.below):
            raise MalformedInput("Top level element may not be treated as a list")
        nodes = self._numbered(node if shape.flattened else node.below.get(element.wire_name or "member", Node()), path)
        if element.kind in ("structure", "list", "map"):
            values = [self.value(element, below, f"{path}.{index}.member") for index, below in nodes]
        else:
            values = self._scalars(shape, element, [self._text(below) for _, below in nodes], path)
        self._check(shape, values, path)
        return values

    def _scalars(self, shape: Shape, element: Shape, texts: list[str], path: str) -> list[object]:
        """AWS names all constraints of the element at once, for the list as a whole."""
        alone = _Reader()
        values = [alone._scalar(element, text, path) for text in texts]
        if alone.complaints:
            named = ", ".join(constraints.declared(element))
            self._complain(shape, path, texts, f"Member must satisfy constraint: [{named}]")
        return values

    def _map(self, shape: Shape, node: Node, path: str) -> dict[object, object]:
        key_shape, value_shape = shape.key or shape, shape.element or shape
        entries: dict[object, object] = {}
        for index, below in self._numbered(node if shape.flattened else node.below.get("entry", Node()), path):
            place = f"{path}.{index}.entry"
            key = self.value(key_shape, below.below.get(key_shape.wire_name or "key", Node()), f"{place}.key")
            entries[key] = self.value(
                value_shape, below.below.get(value_shape.wire_name or "value", Node()), f"{place}.value"
            )
        return entries

    def _numbered(self, node: Node, path: str) -> list[tuple[int, Node]]:
        """Elements in the order of their numbers; a gap is closed, never filled, so a huge number costs nothing."""
        for name in node.below:
            if not _INDEX.fullmatch(name):
                self.complaints.append(f"'{name[:32]}' at '{path}' is not the number of a list's element")
                return []
        return sorted(((int(name), below) for name, below in node.below.items()), key=lambda pair: pair[0])

    def _scalar(self, shape: Shape, text: str, path: str) -> object:
        convert, demand = _CONVERSIONS.get(shape.kind, (str, ""))
        try:
            value = convert(text)
        except ValueError:
            self._complain(shape, path, text, demand)
            return None
        self._check(shape, value, path)
        return value

    def _check(self, shape: Shape, value: object, path: str) -> None:
        for constraint in constraints.broken(shape, value):
            self._complain(shape, path, value, constraint)

    def _complain(self, shape: Shape, path: str, value: object, constraint: str) -> None:
        self.complaints.append(constraints.complaint(shape, path, value, constraint))


def _number(text: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _blob(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as exc:
        raise ValueError(text) from exc


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_CONVERSIONS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "integer": (_number, "Member must be a whole number"),
    "long": (_number, "Member must be a whole number"),
    "boolean": (_boolean, "Member must be true or false"),
    "blob": (_blob, "Member must be base64-encoded"),
    "timestamp": (_moment, "Member must be an ISO 8601 date and time"),
}
