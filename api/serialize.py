"""Results and errors as the XML that SDKs parse (AWS Query protocol, writing side)."""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from api.constraints import ILLEGAL_TEXT
from api.shapes import Operation, Shape
from api.tables import Rows, Texts

Writer = Callable[[Any], str]

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\r": "&#13;"})
_PLAIN = re.compile("[A-Za-z0-9 !#$%()*+,./:;=?@_{|}~-]*")
# Where a template takes a value and writes nothing.
_NOTHING = "%.0s"
# What writes an operation's output: put together from its shape when it is first called.
_WRITERS: dict[str, Writer] = {}


def escape(text: str) -> str:
    """Text for XML 1.0; characters that it cannot hold at all are dropped."""
    return text if _PLAIN.fullmatch(text) else ILLEGAL_TEXT.sub("", text).translate(_ESCAPES)


def result(operation: Operation, values: Mapping[str, object], request_id: str) -> str:
    """The answer of a call that went well."""
    body = ""
    if operation.output is not None:
        body = f"<{operation.wrapper}>{_writer_of(operation)(values)}</{operation.wrapper}>"
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


def _writer_of(operation: Operation) -> Writer:
    writer = _WRITERS.get(operation.action)
    if writer is None:
        writer = _WRITERS[operation.action] = _writer(operation.output or Shape("structure"))
    return writer


def _writer(shape: Shape) -> Writer:
    """What writes the content of an element of this shape."""
    match shape.kind:
        case "structure":
            return _structure_writer(shape)
        case "list":
            element = shape.element or shape
            return _list_writer(element.wire_name or "member", element)
        case "map":
            pair = _pair_writer(shape)
            return lambda value: "".join(f"<entry>{pair(item)}</entry>" for item in value.items())
        case _:
            return _text


def _structure_writer(shape: Shape) -> Writer:
    """Members in the model's order; None is left out, and a name that the model lacks is a bug worth hearing."""
    names = shape.members.keys()
    writers = [(name, _element_writer(member.wire_name or name, member)) for name, member in shape.members.items()]

    def write(values: Mapping[str, object]) -> str:
        if not values.keys() <= names:
            raise ValueError(f"The model has no member {sorted(values.keys() - names)}.")
        return "".join([write(value) for name, write in writers if (value := values.get(name)) is not None])

    return write


def _element_writer(name: str, shape: Shape) -> Writer:
    """What writes an element; a flattened list or map repeats it."""
    opened, closed = f"<{name}>", f"</{name}>"
    if shape.flattened and shape.kind == "map":
        pair = _pair_writer(shape)
        return lambda value: "".join([f"{opened}{pair(item)}{closed}" for item in value.items()])
    if shape.flattened:
        content = _writer(shape.element or shape)
        return lambda value: "".join([f"{opened}{content(item)}{closed}" for item in value])
    content = _writer(shape)
    if content is _text:
        return _text_writer(opened, closed)
    return lambda value: f"{opened}{content(value)}{closed}"


def _text_writer(opened: str, closed: str) -> Writer:
    """Most of what is written is plain words and moments: lists of thousands of them."""
    is_plain = _PLAIN.fullmatch

    def write(value: Any) -> str:
        if type(value) is str and is_plain(value):
            return f"{opened}{value}{closed}"
        return f"{opened}{_text(value)}{closed}"

    return write


def _list_writer(name: str, shape: Shape) -> Writer:
    write_item, tables = _element_writer(name, shape), dict[tuple[str, ...], _RowsWriter]()

    def write(value: Any) -> str:
        if not isinstance(value, Rows):
            return "".join([write_item(item) for item in value])
        if value.columns not in tables:
            tables[value.columns] = _RowsWriter(name, shape, value.columns)
        return tables[value.columns].write(value.rows)

    return write


class _RowsWriter:
    """Writes the rows of a table. Most are texts that need no escaping, so that all there is to do is to put them
    between tags: into a template for each combination of columns that have something in them."""

    def __init__(self, name: str, shape: Shape, columns: tuple[str, ...]) -> None:
        if [member for member in shape.members if member in columns] != list(columns):
            raise ValueError(f"The model has not the members {columns} in this order.")
        tags = [shape.members[column].wire_name or column for column in columns]
        self._elements = [f"<{tag}>%s</{tag}>" for tag in tags]
        writers = [_writer(shape.members[column]) for column in columns]
        self._writers = [escape if writer is _text else writer for writer in writers]
        self._plain = all(writer is _text for writer in writers)
        self._item = f"<{name}>{{}}</{name}>"
        self._templates: dict[tuple[bool, ...], str] = {}
        self._full = self._template((True,) * len(columns))

    def write(self, rows: Sequence[Texts]) -> str:
        if not (self._plain and _PLAIN.fullmatch("".join(filter(None, chain.from_iterable(rows))))):
            rows = [
                tuple([text and write(text) for write, text in zip(self._writers, row, strict=True)]) for row in rows
            ]
        full, part = self._full, self._part
        return "".join([part(row) if None in row else full % row for row in rows])

    def _part(self, row: Texts) -> str:
        return self._template(tuple([text is not None for text in row])) % row

    def _template(self, present: tuple[bool, ...]) -> str:
        template = self._templates.get(present)
        if template is None:
            parts = [part if there else _NOTHING for part, there in zip(self._elements, present, strict=True)]
            template = self._templates[present] = self._item.format("".join(parts))
        return template


def _pair_writer(shape: Shape) -> Writer:
    key_shape, value_shape = shape.key or shape, shape.element or shape
    key = _element_writer(key_shape.wire_name or "key", key_shape)
    value = _element_writer(value_shape.wire_name or "value", value_shape)
    return lambda item: key(item[0]) + value(item[1])


def _text(value: object) -> str:
    match value:
        case str():
            return escape(value)
        case bool():
            return "true" if value else "false"
        case datetime():
            return f"{(value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat()[:19]}Z"
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return escape(str(value))
