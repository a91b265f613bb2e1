"""Patterns with policy variables: compared with a value piece by piece, each variable by what the request has for it.

A variable without a value (an absent key without default, or a key of several values) makes the pattern match nothing.
Nothing is put together, so a variable that is repeated many times can't be used to fill the memory.
"""

from collections.abc import Callable, Iterator, Sequence

from policies.engine.arn import ArnPattern
from policies.engine.patterns import Pattern, compile_pattern
from policies.engine.request import Request
from policies.engine.variables import Literal, Part, Variable, as_text, fill

Make = Callable[[Sequence[Part]], ArnPattern | Pattern]


class OpenPattern:
    """Parts of which at least one is a variable. `make` compiles what is left when wildcards stand between them."""

    __slots__ = ("_ends_open", "_make", "_parts", "_values", "beginning")

    def __init__(self, parts: Sequence[Part], make: Make = compile_pattern) -> None:
        self._parts = tuple(parts)
        self._make = make
        last = parts[-1]
        self._ends_open = isinstance(last, str) and last.endswith("*")
        body = (*parts[:-1], last.rstrip("*")) if isinstance(last, str) else tuple(parts)
        wild = any(isinstance(part, str) and ("*" in part or "?" in part) for part in body)
        # In a pattern compared field by field a colon matters; there everything goes the long way.
        self._values = None if wild or make is not compile_pattern else tuple(_with_text_behind(body))
        self.beginning = _beginning(parts)

    def matches(self, value: str, request: Request) -> bool:
        return value.startswith(self.beginning) and self.goes_on(value, request)

    def goes_on(self, value: str, request: Request) -> bool:
        """Whether a value that has the beginning matches."""
        if self._values is None:
            filled = fill(self._parts, request.values, len(value))
            return filled is not None and self._make(filled).matches(value)
        at = len(self.beginning)
        for key, default, behind in self._values:
            found = request.values(key)
            text = default if found is None else found[0] if len(found) == 1 else None
            if text is None or not value.startswith(text, at):
                return False
            at += len(text)
            if not value.startswith(behind, at):
                return False
            at += len(behind)
        return self._ends_open or at == len(value)


def exactly(parts: Sequence[Part]) -> OpenPattern:
    """A pattern in which wildcards mean themselves, as StringEquals compares."""
    return OpenPattern([Literal(part) if isinstance(part, str) else part for part in parts])


def _with_text_behind(parts: Sequence[Part]) -> Iterator[tuple[str, str | None, str]]:
    """The variables (key and default), each with the text between it and the next."""
    at = 0
    while at < len(parts):
        variable, at = parts[at], at + 1
        if isinstance(variable, Variable):
            end = next((end for end in range(at, len(parts)) if isinstance(parts[end], Variable)), len(parts))
            yield variable.key, variable.default, as_text(parts[at:end])
            at = end


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
