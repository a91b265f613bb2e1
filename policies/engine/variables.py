"""Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'default'}`, `${*}`, `${?}`, `${$}`.

IAM User Guide, "IAM policy elements: Variables and tags". A text is cut into parts once; a variable's value is put in
as a literal and never read again, so a `*`, `?` or `${` in it can't widen a policy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

OLD_VERSION = "2008-10-17"
CURRENT_VERSION = "2012-10-17"

_SPECIAL = ("*", "?", "$")


@dataclass(frozen=True, slots=True)
class Literal:
    """Text in which `*` and `?` mean themselves."""

    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A condition key (in lower case) whose value goes here, and what to use when the request has none."""

    key: str
    default: str | None = None


Part = str | Literal | Variable
Lookup = Callable[[str], tuple[str, ...] | None]


class VariableError(ValueError):
    """The text has a `${` that is no variable; the message says why."""


def split(text: str, *, active: bool) -> tuple[Part, ...]:
    """Cut a text into parts: plain text (wildcards live), literals and variables.

    Only documents of version 2012-10-17 have variables (`active`); in older ones `${` is text like any other.
    Raises VariableError for an unterminated or empty one.
    """
    if not active or "${" not in text:
        return (text,)
    parts: list[Part] = []
    at = 0
    while (start := text.find("${", at)) >= 0:
        if start > at:
            parts.append(text[at:start])
        part, at = _variable(text, start + 2)
        parts.append(part)
    if at < len(text):
        parts.append(text[at:])
    return tuple(parts)


def _variable(text: str, at: int) -> tuple[Part, int]:
    end = text.find("}", at)
    if end < 0:
        raise VariableError('A "${" is not closed by "}".')
    if text[at:end] in _SPECIAL:
        return Literal(text[at:end]), end + 1
    comma = text.find(",", at, end)
    if comma >= 0:
        return _with_default(text, at, comma)
    return Variable(_key(text[at:end])), end + 1


def _with_default(text: str, at: int, comma: int) -> tuple[Part, int]:
    opening = comma + 1
    while text[opening : opening + 1] == " ":
        opening += 1
    closing = text.find("'", opening + 1)
    if text[opening : opening + 1] != "'" or closing < 0:
        raise VariableError("The default of a variable is written in single quotes: ${key, 'default'}.")
    end = closing + 1
    while text[end : end + 1] == " ":
        end += 1
    if text[end : end + 1] != "}":
        raise VariableError("A variable with a default ends with '}.")
    return Variable(_key(text[at:comma]), text[opening + 1 : closing]), end + 1


def _key(text: str) -> str:
    key = text.strip(" ")
    if not key or "$" in key or "{" in key:
        raise VariableError('Between "${" and "}" stands the name of a condition key, "*", "?" or "$".')
    return key.lower()


def has_variable(parts: Sequence[Part]) -> bool:
    return any(isinstance(part, Variable) for part in parts)


def fill(parts: Sequence[Part], lookup: Lookup, longest: int) -> tuple[Part, ...] | None:
    """The parts with every variable replaced by its value, as a literal.

    None when one has no value: a key that is absent and has no default, or a key of several values, which AWS does
    not put in. None too when the values together are longer than what they are compared with (`longest`): such a text
    never matches, and a variable that is repeated many times could be used to fill the memory.
    """
    filled: list[Part] = []
    length = 0
    for part in parts:
        if isinstance(part, Variable):
            values = lookup(part.key)
            if values is None and part.default is not None:
                values = (part.default,)
            if values is None or len(values) != 1:
                return None
            part = Literal(values[0])
            length += len(part.text)
            if length > longest:
                return None
        filled.append(part)
    return tuple(filled)


def as_text(parts: Sequence[Part]) -> str:
    """The text of parts without variables, for operators that know no wildcards."""
    return "".join(part if isinstance(part, str) else part.text for part in parts if not isinstance(part, Variable))
