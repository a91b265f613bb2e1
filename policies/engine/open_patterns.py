"""Patterns with policy variables: compared with a value piece by piece, each variable by what the request has for it.

A variable without a value (an absent key without default, or a key of several values) makes the pattern match nothing.
Nothing is put together, so a variable that is repeated many times can't be used to fill the memory.
"""

from collections.abc import Callable, Sequence

from policies.engine.arn import ArnPattern
from policies.engine.patterns import Pattern, compile_pattern
from policies.engine.request import Request
from policies.engine.variables import Literal, Part, Variable, fill

Make = Callable[[Sequence[Part]], ArnPattern | Pattern]


class OpenPattern:
    """Parts of which at least one is a variable. `make` compiles what is left when wildcards stand between them."""

    __slots__ = ("_ends_open", "_make", "_parts", "_pieces", "beginning")

    def __init__(self, parts: Sequence[Part], make: Make = compile_pattern) -> None:
        self._parts = tuple(parts)
        self._make = make
        last = parts[-1]
        self._ends_open = isinstance(last, str) and last.endswith("*")
        body = (*parts[:-1], last.rstrip("*")) if isinstance(last, str) else tuple(parts)
        wild = any(isinstance(part, str) and ("*" in part or "?" in part) for part in body)
        # In a pattern compared field by field a colon matters; there everything goes the long way.
        self._pieces = None if wild or make is not compile_pattern else tuple(_piece(part) for part in body)
        self.beginning = _beginning(parts)

    def matches(self, value: str, request: Request) -> bool:
        if not value.startswith(self.beginning):
            return False
        if self._pieces is None:
            filled = fill(self._parts, request.values, len(value))
            return filled is not None and self._make(filled).matches(value)
        at = 0
        for piece in self._pieces:
            text = piece if isinstance(piece, str) else _value_of(piece, request)
            if text is None or not value.startswith(text, at):
                return False
            at += len(text)
        return self._ends_open or at == len(value)


def exactly(parts: Sequence[Part]) -> OpenPattern:
    """A pattern in which wildcards mean themselves, as StringEquals compares."""
    return OpenPattern([Literal(part) if isinstance(part, str) else part for part in parts])


def _piece(part: Part) -> str | Variable:
    return part.text if isinstance(part, Literal) else part


def _value_of(variable: Variable, request: Request) -> str | None:
    values = request.values(variable.key)
    if values is None:
        return variable.default
    return values[0] if len(values) == 1 else None


def _beginning(parts: Sequence[Part]) -> str:
    """The text every match begins with."""
    beginning = ""
    for part in parts:
        if isinstance(part, Variable):
            break
        if isinstance(part, Literal):
            beginning += part.text
            continue
        plain = part.partition("*")[0].partition("?")[0]
        beginning += plain
        if plain != part:
            break
    return beginning
