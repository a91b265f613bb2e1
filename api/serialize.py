"""Results and errors as the XML that SDKs parse (AWS Query protocol, writing side)."""

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import cast

from api.constraints import ILLEGAL_TEXT
from api.shapes import Operation, Shape

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\r": "&#13;"})


def escape(text: str) -> str:
    """Text for XML 1.0; characters that it cannot hold at all are dropped."""
    return ILLEGAL_TEXT.sub("", text).translate(_ESCAPES)


def result(operation: Operation, values: Mapping[str, object], request_id: str) -> str:
    """The answer of a call that went well."""
    body = ""
    if operation.output is not None:
        body = f"<{operation.wrapper}>{_members(operation.output, values)}</{operation.wrapper}>"
    return (
        f'<{operation.name}Response xmlns="{operation.namespace}">{body}'
        f"<ResponseMetadata><RequestId>{escape(request_id)}</RequestId></ResponseMetadata></{operation.name}Response>"
    )


def error(code: str, message: str, request_id: str, namespace: str, *, ours: bool = False) -> str:
    """The answer of a call that did not. `ours` marks a fault of the server's."""
    return (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>{"Receiver" if ours else "Sender"}</Type>'
        f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        f"<RequestId>{escape(request_id)}</RequestId></ErrorResponse>"
    )


def _members(shape: Shape, values: Mapping[str, object]) -> str:
    """Members in the model's order; None is left out, and a name that the model lacks is a bug worth hearing."""
    if unknown := values.keys() - shape.members.keys():
        raise ValueError(f"The model has no member {sorted(unknown)}.")
    return "".join(
        _element(member.wire_name or name, member, values[name])
        for name, member in shape.members.items()
        if values.get(name) is not None
    )


def _element(name: str, shape: Shape, value: object) -> str:
    if shape.flattened:
        return "".join(f"<{name}>{content}</{name}>" for content in _contents(shape, value))
    return f"<{name}>{_content(shape, value)}</{name}>"


def _contents(shape: Shape, value: object) -> Iterator[str]:
    """What stands in each repetition of a flattened list or map."""
    if shape.kind == "map":
        yield from (_pair(shape, key, item) for key, item in cast(Mapping[object, object], value).items())
    else:
        yield from (_content(shape.element or shape, item) for item in cast(list[object], value))


def _content(shape: Shape, value: object) -> str:
    match shape.kind:
        case "structure":
            return _members(shape, cast(Mapping[str, object], value))
        case "list":
            element = shape.element or shape
            name = element.wire_name or "member"
            return "".join(_element(name, element, item) for item in cast(list[object], value))
        case "map":
            return "".join(f"<entry>{content}</entry>" for content in _contents(shape, value))
        case _:
            return _text(value)


def _pair(shape: Shape, key: object, value: object) -> str:
    key_shape, value_shape = shape.key or shape, shape.element or shape
    return _element(key_shape.wire_name or "key", key_shape, key) + _element(
        value_shape.wire_name or "value", value_shape, value
    )


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return escape(str(value))
