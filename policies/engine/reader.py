"""A strict JSON reader (RFC 8259) that knows where everything stands, so that findings can point at a line.

Stricter than the RFC where it leaves a choice: duplicate keys, deep nesting and long texts are refused, because two
readers that pick different duplicates would see two different policies.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from policies.engine.findings import DocumentError, Finding

MAX_CHARACTERS = 131_072
MAX_DEPTH = 32
MAX_VALUES = 20_000

Kind = Literal["object", "array", "string", "number", "literal"]

_SPACE = re.compile(r"[ \t\n\r]*")
_SPACES = " \t\n\r"
_SIMPLE = re.compile(r'"([^"\\\x00-\x1f]*)"')
_ITEM = re.compile(r'[ \t\n\r]*"([^"\\\x00-\x1f]*)"[ \t\n\r]*,(?![ \t\n\r]*\])')
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NEWLINE = re.compile(r"\r\n|\n|\r")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LITERALS = ("true", "false", "null")
_NAMES = {"object": "an object", "array": "a list", "string": "a string", "number": "a number"}


@dataclass(slots=True)
class Node:
    """A JSON value and its place: `start` and `end` are offsets in the text, `text` a string's value or the word or
    number as written."""

    kind: Kind
    start: int
    end: int = 0
    text: str = ""
    items: Sequence["Node"] = ()
    members: Sequence[tuple["Node", "Node"]] = ()

    def describe(self) -> str:
        return self.text if self.kind == "literal" else _NAMES[self.kind]


class Positions:
    """Turns offsets in a text into lines and columns, both counted from 1."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]

    def line_and_column(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, offset: int) -> int:
        return bisect_right(self._starts, offset)


class _Refused(Exception):
    def __init__(self, offset: int, message: str, hint: str = "", code: str = "INVALID_JSON", value: str = "") -> None:
        self.offset, self.message, self.hint, self.code, self.value = offset, message, hint, code, value


def read(text: str) -> Node:
    """The value a JSON text holds. Raises DocumentError with one finding at the first thing that is wrong."""
    try:
        return _Reader(text).document()
    except _Refused as refused:
        line, column = Positions(text).line_and_column(refused.offset)
        finding = Finding("error", refused.code, refused.message, refused.hint, line, column, refused.value)
        raise DocumentError((finding,)) from None


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.values = 0

    def document(self) -> Node:
        if len(self.text) > MAX_CHARACTERS:
            message = f"The document has {len(self.text)} characters, more than the {MAX_CHARACTERS} that are read."
            raise _Refused(0, message, "Split it into several policies.", "TOO_LONG")
        if self.peek() == "":
            raise _Refused(0, "The document is empty.", "Start with { and write at least a Version and a Statement.")
        value = self.value()
        if self.peek() != "":
            hint = "Remove what follows, or look for a closing bracket too many above."
            raise _Refused(self.at, "There is more text after the end of the document.", hint)
        return value

    def peek(self) -> str:
        """The next character that is not white space, without taking it; "" at the end."""
        sign = self.text[self.at : self.at + 1]
        if sign in _SPACES and sign:
            space = _SPACE.match(self.text, self.at)
            self.at = space.end() if space else self.at
            sign = self.text[self.at : self.at + 1]
        return sign

    def value(self) -> Node:
        sign = self.peek()
        self.values += 1
        if self.values > MAX_VALUES:
            message = f"The document has more than {MAX_VALUES} values."
            raise _Refused(self.at, message, "Split it into several policies.", "TOO_LONG")
        if sign == '"':
            return self.string()
        if sign in ("{", "["):
            return self.nested(sign)
        if sign == "-" or (sign.isascii() and sign.isdigit()):
            return self.number()
        return self.word(sign)

    def nested(self, sign: str) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Refused(self.at, f"The document is nested more than {MAX_DEPTH} levels deep.", "", "TOO_DEEP")
        node = self.object() if sign == "{" else self.array()
        self.depth -= 1
        return node

    def object(self) -> Node:
        node = Node("object", self.at)
        members: list[tuple[Node, Node]] = []
        seen: set[str] = set()
        self.at += 1
        if self.peek() != "}":
            while True:
                name = self.name()
                if name.text in seen:
                    message = f'"{name.text}" is given twice in the same object.'
                    raise _Refused(name.start, message, "Keep one of them.", "DUPLICATE_KEY", name.text)
                seen.add(name.text)
                self.colon(name)
                members.append((name, self.value()))
                if not self.another(node, members[-1][1], "}"):
                    break
        node.members = members
        return self.closed(node)

    def array(self) -> Node:
        node = Node("array", self.at)
        items: list[Node] = []
        self.at += 1
        if self.peek() != "]":
            while True:
                items.extend(self.strings())
                items.append(self.value())
                if not self.another(node, items[-1], "]"):
                    break
        node.items = items
        return self.closed(node)

    def strings(self) -> Iterator[Node]:
        """The strings of a list, but for the last, as long as nothing else stands between them: most lists are so."""
        while item := _ITEM.match(self.text, self.at):
            self.at = item.end()
            self.values += 1
            yield Node("string", item.start(1) - 1, item.end(1) + 1, item.group(1))

    def closed(self, node: Node) -> Node:
        self.at += 1
        node.end = self.at
        return node

    def name(self) -> Node:
        sign = self.peek()
        if sign == '"':
            return self.string()
        if sign == "":
            raise _Refused(len(self.text), 'The document ends too early: a name or "}" is missing.')
        if sign == "'":
            raise _Refused(self.at, "Names are written in double quotes.", "Replace ' by \".")
        raise _Refused(self.at, f'A name in double quotes is expected here, not "{sign}".', "Put the name in quotes.")

    def colon(self, name: Node) -> None:
        if self.peek() != ":":
            raise _Refused(name.end, f'A colon is missing after "{name.text}".', 'Write "name": value.')
        self.at += 1

    def another(self, node: Node, last: Node, closing: str) -> bool:
        """Whether a comma, and so another member, follows; says what is missing when neither it nor the end does."""
        sign = self.peek()
        if sign == closing:
            return False
        if sign == ",":
            comma = self.at
            self.at += 1
            if self.peek() == closing:
                raise _Refused(comma, f'There is a comma before the closing "{closing}".', "Remove the comma.")
            return True
        if sign == "":
            line = Positions(self.text).line(node.start)
            opening = "{" if closing == "}" else "["
            message = f'The document ends before the "{opening}" of line {line} is closed.'
            raise _Refused(len(self.text), message, f'Add the missing "{closing}".')
        if sign in "}]":
            raise _Refused(self.at, f'"{closing}" is expected here, not "{sign}".', "Check the brackets.")
        raise _Refused(last.end, "A comma is missing here.", "Put a comma between this and what follows.")

    def string(self) -> Node:
        text, start = self.text, self.at
        if simple := _SIMPLE.match(text, start):
            self.at = simple.end()
            return Node("string", start, self.at, simple.group(1))
        at = start + 1
        pieces: list[str] = []
        while True:
            plain = _PLAIN.match(text, at)
            end = plain.end() if plain else at
            pieces.append(text[at:end])
            sign = text[end : end + 1]
            if sign == '"':
                self.at = end + 1
                return Node("string", start, self.at, "".join(pieces))
            if sign != "\\":
                raise _Refused(start, "This string is not closed on its line.", 'Add the missing ".')
            piece, at = self.escape(end)
            pieces.append(piece)

    def escape(self, at: int) -> tuple[str, int]:
        sign = self.text[at + 1 : at + 2]
        if sign in _ESCAPES:
            return _ESCAPES[sign], at + 2
        if sign != "u":
            raise _Refused(at, f'"\\{sign}" is not an escape of JSON.', "Write \\\\ for a backslash.")
        first, end = self.unit(at)
        if 0xD800 <= first < 0xDC00 and self.text[end : end + 2] == "\\u":
            second, after = self.unit(end)
            if 0xDC00 <= second < 0xE000:
                return chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)), after
        if 0xD800 <= first < 0xE000:
            raise _Refused(at, "This \\u escape is half a character.", "Write both halves of the pair.")
        return chr(first), end

    def unit(self, at: int) -> tuple[int, int]:
        digits = _HEX.match(self.text, at + 2)
        if digits is None:
            raise _Refused(at, "\\u needs four hexadecimal digits after it.")
        return int(digits.group(), 16), digits.end()

    def number(self) -> Node:
        match = _NUMBER.match(self.text, self.at)
        if match is None or self.text[match.end() : match.end() + 1] in tuple("0123456789.eE+-"):
            raise _Refused(self.at, "This is not a number of JSON.", "Put it in double quotes.")
        node = Node("number", self.at, match.end(), match.group())
        self.at = node.end
        return node

    def word(self, sign: str) -> Node:
        if sign == "":
            raise _Refused(len(self.text), "The document ends too early: a value is missing.")
        match = _WORD.match(self.text, self.at)
        if match and match.group() in _LITERALS:
            node = Node("literal", self.at, match.end(), match.group())
            self.at = node.end
            return node
        if sign == "'":
            raise _Refused(self.at, "Strings are written in double quotes.", "Replace ' by \".")
        if sign == "/":
            raise _Refused(self.at, "JSON has no comments.", "Remove the comment; a Sid can say what a statement does.")
        shown = match.group() if match else sign
        raise _Refused(self.at, f'A value is expected here, not "{shown}".', "Put text in double quotes.", value=shown)
