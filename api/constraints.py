"""What the models say a value must be, in AWS's words. Pure."""

import re
from collections.abc import Iterator

from api.shapes import Shape

# Longer values are not repeated whole in an error.
_LONGEST_ECHO = 1024
# Text that cannot be put into an XML answer, or into every database, is no use to anybody (XML 1.0, "Char").
ILLEGAL_TEXT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def broken(shape: Shape, value: object) -> Iterator[str]:
    """The constraints of a string, blob, list or number that the value does not keep."""
    if isinstance(value, int):
        yield from _broken_bounds(shape, value, "value")
    elif isinstance(value, str):
        yield from _broken_text(shape, value)
    elif isinstance(value, (bytes, list)):
        yield from _broken_bounds(shape, len(value), "length")


def _broken_bounds(shape: Shape, size: int, what: str) -> Iterator[str]:
    if shape.minimum is not None and size < shape.minimum:
        yield _at_least(shape, what)
    if shape.maximum is not None and size > shape.maximum:
        yield _at_most(shape, what)


def _broken_text(shape: Shape, value: str) -> Iterator[str]:
    yield from _broken_bounds(shape, len(value), "length")
    if shape.pattern and not shape.pattern.fullmatch(value):
        yield _like_pattern(shape)
    elif ILLEGAL_TEXT.search(value):
        yield "Member must not contain control characters"
    if shape.enum and value not in shape.enum:
        yield _one_of(shape)


def declared(shape: Shape) -> list[str]:
    """All constraints of a list's element, which AWS names together when one element breaks any of them."""
    what = "value" if shape.is_number else "length"
    texts = [
        _at_most(shape, what) if shape.maximum is not None else "",
        _at_least(shape, what) if shape.minimum is not None else "",
        _like_pattern(shape) if shape.pattern else "",
        _one_of(shape) if shape.enum else "",
    ]
    return [text for text in texts if text]


def _at_least(shape: Shape, what: str) -> str:
    return f"Member must have {what} greater than or equal to {shape.minimum}"


def _at_most(shape: Shape, what: str) -> str:
    return f"Member must have {what} less than or equal to {shape.maximum}"


def _like_pattern(shape: Shape) -> str:
    return f"Member must satisfy regular expression pattern: {shape.pattern_text}"


def _one_of(shape: Shape) -> str:
    return f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


def complaint(shape: Shape, path: str, value: object, constraint: str) -> str:
    """One validation error; the value of a sensitive field is never repeated."""
    return f"Value{_echo(shape, value)} at '{path}' failed to satisfy constraint: {constraint}"


def _echo(shape: Shape, value: object) -> str:
    if value is None:
        return " null"
    if shape.sensitive or (shape.element and shape.element.sensitive) or isinstance(value, bytes):
        return ""
    if isinstance(value, list):
        return f" '[{', '.join(value)}]'"[:_LONGEST_ECHO] if all(isinstance(item, str) for item in value) else ""
    return f" '{str(value)[:_LONGEST_ECHO]}'"


def summary(complaints: list[str]) -> str:
    """Several errors in one message, as AWS gives them."""
    count = len(complaints)
    return f"{count} validation error{'' if count == 1 else 's'} detected: {'; '.join(complaints)}"
