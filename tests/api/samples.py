"""Made-up values for every shape of the service models, keeping the models' own constraints."""

from datetime import UTC, datetime

from api.shapes import Shape

AWKWARD = "a b+c%2F&<=>\"'ü€😀\n/~"
_TEXTS = (
    AWKWARD,
    "Ab1",
    "/Ab1/",
    "/",
    "arn:aws:iam::123456789012:user/Ab1",
    "123456789012",
    "https://example.com/a?b=c",
    "v1",
    "ab-c1",
    "o-ab12cd34ef",
    "o-ab12cd34ef/r-ab12",
    "p-Ab12cd34",
    "Ab1-_",
)


def sample(shape: Shape) -> object:
    """A valid value; lists and maps hold two, so that order and repetition show."""
    match shape.kind:
        case "structure":
            return {name: sample(member) for name, member in shape.members.items()}
        case "list":
            return [sample(shape.element or shape)] * max(2 if shape.maximum != 1 else 1, shape.minimum or 0)
        case "map":
            return {sample(shape.key or shape): sample(shape.element or shape)}
        case "string":
            return text(shape)
        case kind:
            return _plain(kind, shape)


def _plain(kind: str, shape: Shape) -> object:
    number = max(shape.minimum or 0, 3)
    values = {
        "integer": number,
        "long": number,
        "boolean": True,
        "blob": b"\x00\xffabc" * number,
        "timestamp": datetime(2026, 1, 31, 23, 59, 58, tzinfo=UTC),
    }
    return values[kind]


def text(shape: Shape) -> str:
    """The first of the texts that fits, repeated when it has to be longer."""
    for candidate in (*shape.enum[:1], *_TEXTS):
        for repeated in (candidate, candidate * ((shape.minimum or 1) // len(candidate) + 1)):
            value = repeated[: shape.maximum]
            if len(value) >= (shape.minimum or 0) and (not shape.pattern or shape.pattern.fullmatch(value)):
                return value
    raise AssertionError(f"No sample fits {shape.pattern_text!r} of {shape.minimum} to {shape.maximum}.")
