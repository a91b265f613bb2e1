"""Condition operators (IAM User Guide, "Condition operators" and "multivalued context keys"), compiled to functions.

What happens when a key is absent is a column of a table, not a branch in each operator: a plain operator is false, a
negated one true, and both are true with `IfExists`. A value that can't be read as the operator's type equals nothing,
so the negated operator is true for it: negated operators stand in Deny statements, where that is the safe side.
"""

import operator as op
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeVar

from policies.engine import literals
from policies.engine.arn import ArnPattern
from policies.engine.document import Condition
from policies.engine.open_patterns import Make, OpenPattern, exactly
from policies.engine.patterns import compile_pattern
from policies.engine.request import Request
from policies.engine.variables import Part, as_text, fill, has_variable, split

Type = Literal["string", "numeric", "date", "bool", "binary", "ip", "arn", "null"]
Test = Callable[[Request], bool]
Matcher = Callable[[str, Request], bool]
Quantifier = Literal["", "ForAllValues", "ForAnyValue"]
T = TypeVar("T")

IF_EXISTS = "IfExists"
# A character has at most this many in the other case.
_FOLDED = 3


@dataclass(frozen=True, slots=True)
class Operator:
    """A base operator: the type of its values, whether it is a negation, and what makes its matcher."""

    type: Type
    negated: bool
    build: Callable[[Sequence[str], bool], Matcher]


@dataclass(frozen=True, slots=True)
class ParsedOperator:
    base: Operator
    name: str
    quantifier: Quantifier
    if_exists: bool


def parse_operator(text: str) -> ParsedOperator | None:
    """An operator with its prefix and suffix; None when there is no such operator. Null takes no suffix, and a prefix
    makes no difference to it: the key is there or not."""
    prefix, colon, rest = text.partition(":")
    if not colon:
        prefix, rest = "", text
    name = rest.removesuffix(IF_EXISTS)
    base = OPERATORS.get(name)
    if base is None or (colon and prefix not in ("ForAllValues", "ForAnyValue")):
        return None
    if base.type == "null" and name != rest:
        return None
    quantifier: Quantifier = "" if not colon else "ForAllValues" if prefix == "ForAllValues" else "ForAnyValue"
    return ParsedOperator(base, name, quantifier, name != rest)


def compile_condition(condition: Condition, *, variables: bool) -> Test:
    """A function that tells whether a request meets a condition. `variables` says whether the document's version has
    them. Raises ValueError for an operator that does not exist."""
    parsed = parse_operator(condition.operator)
    if parsed is None:
        raise ValueError(f'There is no condition operator "{condition.operator}".')
    key = condition.key.lower()
    if parsed.base.type == "null":
        return _null(key, condition.values)
    match = parsed.base.build(condition.values, variables)
    negated = parsed.base.negated
    if parsed.quantifier == "ForAllValues":
        return _for_all(key, match, negated)
    if parsed.quantifier == "ForAnyValue":
        return _for_any(key, match, negated, parsed.if_exists)
    return _single(key, match, negated, missing=negated or parsed.if_exists)


def _single(key: str, match: Matcher, negated: bool, missing: bool) -> Test:
    """An operator without prefix. AWS leaves open what it does with several values: here a plain one is false, and a
    negated one true when none of them matches."""

    def positive(request: Request) -> bool:
        values = request.values(key)
        if not values:
            return missing
        return len(values) == 1 and match(values[0], request)

    def negative(request: Request) -> bool:
        values = request.values(key)
        if not values:
            return missing
        return not any(match(value, request) for value in values)

    return negative if negated else positive


def _for_all(key: str, match: Matcher, negated: bool) -> Test:
    def test(request: Request) -> bool:
        values = request.values(key)
        if _is_null_set(values):
            return True
        return all(match(value, request) is not negated for value in values or ())

    return test


def _for_any(key: str, match: Matcher, negated: bool, if_exists: bool) -> Test:
    def test(request: Request) -> bool:
        values = request.values(key)
        if values is None:
            return if_exists
        if _is_null_set(values):
            return False
        return any(match(value, request) is not negated for value in values)

    return test


def _is_null_set(values: tuple[str, ...] | None) -> bool:
    """No key, or a "null data set, such as an empty string": ForAllValues is true for it, ForAnyValue false."""
    return not values or values == ("",)


def _null(key: str, values: Sequence[str]) -> Test:
    wanted = {literals.boolean(value) for value in values}

    def test(request: Request) -> bool:
        return (not request.values(key)) in wanted

    return test


def _texts(values: Sequence[str], variables: bool) -> tuple[list[tuple[Part, ...]], list[tuple[Part, ...]]]:
    """The values in parts: those that are the same for every request, and those that hold a variable."""
    parts = [split(value, active=variables) for value in values]
    return [each for each in parts if not has_variable(each)], [each for each in parts if has_variable(each)]


def _string_equals(values: Sequence[str], variables: bool) -> Matcher:
    fixed, open_ones = _texts(values, variables)
    known = frozenset(as_text(parts) for parts in fixed)
    if not open_ones:
        return lambda value, request: value in known
    patterns = tuple(exactly(parts) for parts in open_ones)
    return lambda value, request: value in known or any(pattern.matches(value, request) for pattern in patterns)


def _string_equals_ignoring_case(values: Sequence[str], variables: bool) -> Matcher:
    fixed, open_ones = _texts(values, variables)
    known = frozenset(as_text(parts).lower() for parts in fixed)
    return lambda value, request: (
        value.lower() in known
        or any(
            filled is not None and as_text(filled).lower() == value.lower()
            for filled in (fill(parts, request.values, _FOLDED * len(value)) for parts in open_ones)
        )
    )


def _patterns(make: Make) -> Callable[[Sequence[str], bool], Matcher]:
    def build(values: Sequence[str], variables: bool) -> Matcher:
        fixed, open_ones = _texts(values, variables)
        known = tuple((each.prefix, each.ending, each.matches) for each in map(make, fixed))
        patterns = tuple(OpenPattern(parts, make) for parts in open_ones)

        def match(value: str, request: Request) -> bool:
            for beginning, ending, matches in known:
                if value.startswith(beginning) and value.endswith(ending) and matches(value):
                    return True
            for open_one in patterns:  # noqa: SIM110 - a generator costs more than the comparison
                if open_one.matches(value, request):
                    return True
            return False

        return match

    return build


def _compared(
    read: Callable[[str], T | None], compare: Callable[[T, T], bool]
) -> Callable[[Sequence[str], bool], Matcher]:
    """An operator that reads both sides as a type and compares them: the request's value stands left."""

    def build(values: Sequence[str], variables: bool) -> Matcher:
        wanted = tuple(value for value in map(read, values) if value is not None)

        def match(value: str, request: Request) -> bool:
            found = read(value)
            return found is not None and any(compare(found, each) for each in wanted)

        return match

    return build


def _ip_address(values: Sequence[str], variables: bool) -> Matcher:
    networks = tuple(network for network in map(literals.network, values) if network is not None)

    def match(value: str, request: Request) -> bool:
        found = literals.address(value)
        if found is None:
            return False
        version, number = found
        return any(version == family and number & mask == start for family, start, mask in networks)

    return match


def _never(values: Sequence[str], variables: bool) -> Matcher:
    return lambda value, request: False


def _number(compare: Callable[[Decimal, Decimal], bool]) -> Callable[[Sequence[str], bool], Matcher]:
    return _compared(literals.number, compare)


def _instant(compare: Callable[[int, int], bool]) -> Callable[[Sequence[str], bool], Matcher]:
    return _compared(literals.instant, compare)


_LIKE = _patterns(compile_pattern)
_ARN = _patterns(ArnPattern)
_BOOL = _compared(literals.boolean, op.eq)
_BINARY = _compared(literals.binary, op.eq)

OPERATORS: dict[str, Operator] = {
    "StringEquals": Operator("string", False, _string_equals),
    "StringNotEquals": Operator("string", True, _string_equals),
    "StringEqualsIgnoreCase": Operator("string", False, _string_equals_ignoring_case),
    "StringNotEqualsIgnoreCase": Operator("string", True, _string_equals_ignoring_case),
    "StringLike": Operator("string", False, _LIKE),
    "StringNotLike": Operator("string", True, _LIKE),
    "NumericEquals": Operator("numeric", False, _number(op.eq)),
    "NumericNotEquals": Operator("numeric", True, _number(op.eq)),
    "NumericLessThan": Operator("numeric", False, _number(op.lt)),
    "NumericLessThanEquals": Operator("numeric", False, _number(op.le)),
    "NumericGreaterThan": Operator("numeric", False, _number(op.gt)),
    "NumericGreaterThanEquals": Operator("numeric", False, _number(op.ge)),
    "DateEquals": Operator("date", False, _instant(op.eq)),
    "DateNotEquals": Operator("date", True, _instant(op.eq)),
    "DateLessThan": Operator("date", False, _instant(op.lt)),
    "DateLessThanEquals": Operator("date", False, _instant(op.le)),
    "DateGreaterThan": Operator("date", False, _instant(op.gt)),
    "DateGreaterThanEquals": Operator("date", False, _instant(op.ge)),
    "Bool": Operator("bool", False, _BOOL),
    "BinaryEquals": Operator("binary", False, _BINARY),
    "IpAddress": Operator("ip", False, _ip_address),
    "NotIpAddress": Operator("ip", True, _ip_address),
    "ArnEquals": Operator("arn", False, _ARN),
    "ArnLike": Operator("arn", False, _ARN),
    "ArnNotEquals": Operator("arn", True, _ARN),
    "ArnNotLike": Operator("arn", True, _ARN),
    "Null": Operator("null", False, _never),
}
