"""Amazon Resource Names: arn:partition:service:region:account:resource.

The resource part may hold colons itself, so only the first five count.
"""

from collections.abc import Sequence
from functools import lru_cache

from policies.engine.patterns import Pattern, compile_pattern
from policies.engine.variables import Part

PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f")
FIELDS = 6


def split_arn(text: str) -> list[str]:
    """The fields of an ARN, at most six; fewer when it is incomplete."""
    return text.split(":", FIELDS - 1)


@lru_cache(maxsize=8)
def _compared(value: str) -> list[str]:
    """The fields of a value of the request, split once for all the patterns that it is compared with."""
    return split_arn(value) if value.startswith("arn:") else []


def account_of(arn: str) -> str:
    """The account an ARN names; "" when it names none."""
    fields = split_arn(arn)
    return fields[4] if len(fields) == FIELDS else ""


def resource_part(arn: str) -> str:
    """What stands after the fifth colon; "" for an incomplete ARN."""
    fields = split_arn(arn)
    return fields[5] if len(fields) == FIELDS else ""


def split_parts(parts: Sequence[Part]) -> list[list[Part]]:
    """The fields of an ARN given in parts: a colon inside a variable or a literal divides nothing."""
    fields: list[list[Part]] = [[]]
    for part in parts:
        if not isinstance(part, str):
            fields[-1].append(part)
            continue
        pieces = part.split(":", FIELDS - len(fields))
        fields[-1].append(pieces[0])
        fields.extend([piece] for piece in pieces[1:])
    return fields


def complete(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts of an ARN with `:*` for each field it lacks, as identity-side policies allow."""
    missing = FIELDS - len(split_parts(parts))
    ends_open = isinstance(parts[-1], str) and parts[-1].endswith("*")
    return tuple(parts) if missing <= 0 or ends_open else (*parts, ":*" * missing)


class ArnPattern:
    """An ARN compared field by field (ArnEquals, ArnLike): a wildcard never reaches over a colon."""

    __slots__ = ("ending", "fields", "prefix")

    def __init__(self, parts: Sequence[Part]) -> None:
        fields = split_parts(parts)
        self.fields: tuple[Pattern, ...] | None = None
        self.prefix = self.ending = ""
        if len(fields) == FIELDS:
            self.fields = tuple(compile_pattern(field) for field in fields)
            last = self.fields[-1]
            self.prefix, self.ending = _beginning(self.fields), last.prefix if last.is_exact else last.ending

    def matches(self, value: str) -> bool:
        """Whether an ARN matches; what is no ARN of six fields, on either side, never does."""
        found = _compared(value)
        if self.fields is None or len(found) != FIELDS:
            return False
        for pattern, text in zip(self.fields, found, strict=True):  # noqa: SIM110 - a generator costs more
            if not pattern.matches(text):
                return False
        return True


def _beginning(fields: Sequence[Pattern]) -> str:
    """The text every match begins with: whole fields, and what the first one with a wildcard begins with."""
    beginnings = []
    for field in fields:
        beginnings.append(field.prefix)
        if not field.is_exact:
            break
    return ":".join(beginnings)
