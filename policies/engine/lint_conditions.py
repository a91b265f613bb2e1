"""What is allowed in a condition and yet does not do what its writer thinks. The grammar has found it well formed."""

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from policies.engine.conditions import ParsedOperator, parse_operator
from policies.engine.document import Condition, Statement
from policies.engine.findings import Problem
from policies.engine.lint_subject import Located, Subject

MFA_PRESENT = "aws:multifactorauthpresent"
_SOURCE_IP = "aws:sourceip"
_VPC_ADDRESS = "aws:vpcsourceip"
_VPC_KEYS = ("aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn")
_EXACT = ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")
_ESCAPED = re.compile(r"\$\{[^}]*\}")
_EPOCH = re.compile(r"[0-9]{5,}")
_ALL = "0.0.0.0/0", "::/0"


def conditions(statement: Statement, subject: Subject) -> Iterator[Located]:
    required = required_keys(statement)
    for condition in statement.conditions:
        operator = parse_operator(condition.operator)
        if operator is not None:
            allows = statement.effect == "Allow" and condition.key.lower() not in required
            for problem in condition_problems(condition, operator, allows=allows):
                yield (statement.index, condition.operator, condition.key), problem
    yield from _paired(statement)


def required_keys(statement: Statement) -> frozenset[str]:
    """The keys, in lower case, that a Null condition of the statement wants to be there."""
    return frozenset(
        condition.key.lower()
        for condition in statement.conditions
        if condition.operator == "Null" and condition.values == ("false",)
    )


def condition_problems(condition: Condition, operator: ParsedOperator, *, allows: bool) -> Iterator[Problem]:
    """The problems of one condition. `allows` tells that it stands in an Allow and that nothing else there requires
    its key."""
    if operator.quantifier == "ForAllValues" and allows and operator.base.type != "null":
        yield _empty_for_all(condition)
    if operator.quantifier and operator.base.type == "null":
        message = f"Null asks whether {condition.key} is there; {operator.quantifier} makes no difference to it."
        yield Problem("NULL_WITH_SET", message, "Write Null.", "suggestion", condition.key)
    yield from _mfa(condition, operator)
    yield from _wildcards(condition, operator)
    yield from _values(condition, operator)
    yield from _repeated(condition)


def _empty_for_all(condition: Condition) -> Problem:
    message = f"ForAllValues is true when {condition.key} is absent, so this allows requests without it."
    hint = f'Add "Null": {{"{condition.key}": "false"}}.'
    return Problem("FOR_ALL_VALUES_ALLOW", message, hint, "security", condition.key)


def _mfa(condition: Condition, operator: ParsedOperator) -> Iterator[Problem]:
    """The key is absent for access keys, and absent is not false."""
    says_false = "false" in (value.lower() for value in condition.values)
    is_plain_bool = operator.name == "Bool" and not operator.if_exists
    if condition.key.lower() == MFA_PRESENT and says_false and is_plain_bool:
        message = "aws:MultiFactorAuthPresent is absent for requests with access keys, and this misses them."
        yield Problem("MFA_ABSENT", message, "Use BoolIfExists.", "security", condition.key)


def _wildcards(condition: Condition, operator: ParsedOperator) -> Iterator[Problem]:
    if operator.name not in _EXACT:
        return
    for value in condition.values:
        plain = _ESCAPED.sub("", value)
        if "*" in plain or "?" in plain:
            message = f'{operator.name} takes the wildcard in "{value}" as a letter.'
            like = "StringNotLike" if operator.base.negated else "StringLike"
            hint = f"Use {like}, or write ${{*}} for a star that is meant."
            yield Problem("WILDCARD_WITHOUT_LIKE", message, hint, "warning", value)
            return


def _values(condition: Condition, operator: ParsedOperator) -> Iterator[Problem]:
    for value in condition.values:
        problem = None
        if operator.base.type == "ip":
            problem = _address(condition, value)
        elif operator.base.type == "date" and _EPOCH.fullmatch(value):
            hint = "Write it as 2026-01-31T12:00:00Z."
            message = f"{value} are seconds since 1970, which people misread."
            problem = Problem("DATE_EPOCH", message, hint, "suggestion", value)
        if problem:
            yield problem
            return


# Networks of examples (RFC 5737, RFC 3849), which people paste and then replace.
_EXAMPLES = tuple(map(ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")))


def _address(condition: Condition, value: str) -> Problem | None:
    network = ip_network(value, strict=False)
    is_example = any(network.overlaps(each) for each in _EXAMPLES)
    if condition.key.lower() == _SOURCE_IP and network.is_private and network.prefixlen and not is_example:
        message = f"{value} is a private network: it fits nobody who comes over the internet, as at AWS all do."
        hint = "It is right for services of your own network; for AWS use aws:VpcSourceIp with aws:SourceVpc."
        return Problem("PRIVATE_ADDRESS", message, hint, "warning", value)
    if "/" in value and ip_address(value.partition("/")[0]) != network.network_address:
        message = f"{value} has bits behind its prefix, which do not count."
        return Problem("ADDRESS_BITS", message, f"Write {network}.", "suggestion", value)
    if value in _ALL:
        message = f"{value} is every address there is."
        return Problem("EVERY_ADDRESS", message, "Name networks, or remove the condition.", "warning", value)
    return None


def _repeated(condition: Condition) -> Iterator[Problem]:
    if len(set(condition.values)) < len(condition.values):
        value = next(value for value in condition.values if condition.values.count(value) > 1)
        message = f'"{value}" stands twice among the values of {condition.key}.'
        yield Problem("REDUNDANT_VALUE", message, "Remove one of them.", "suggestion", value)


def _paired(statement: Statement) -> Iterator[Located]:
    """A private address says little without the network it belongs to: every VPC may use the same ones."""
    keys = {condition.key.lower() for condition in statement.conditions}
    if _VPC_ADDRESS in keys and statement.effect == "Allow" and not keys.intersection(_VPC_KEYS):
        condition = next(each for each in statement.conditions if each.key.lower() == _VPC_ADDRESS)
        message = "aws:VpcSourceIp alone lets the same address of any other VPC in."
        hint = "Add a condition on aws:SourceVpc."
        place = (statement.index, condition.operator, condition.key)
        yield place, Problem("MISSING_PAIRED_KEY", message, hint, "security", condition.key)


RULES = (conditions,)
