"""What is allowed in a condition and yet does not do what its writer thinks."""

from collections.abc import Iterator

from policies.engine.conditions import ParsedOperator
from policies.engine.document import Condition, Statement
from policies.engine.findings import Problem, Severity

MFA_PRESENT = "aws:multifactorauthpresent"
MULTIVALUED = ("aws:calledvia", "aws:principalorgpaths", "aws:tagkeys", "aws:resourceorgpaths", "aws:sourceorgpaths")
SINGLE_VALUED = (
    "aws:currenttime",
    "aws:epochtime",
    MFA_PRESENT,
    "aws:multifactorauthage",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principaltype",
    "aws:securetransport",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "aws:username",
    "aws:useragent",
)


def required_keys(statement: Statement) -> frozenset[str]:
    """The keys, in lower case, that a Null condition of the statement wants to be there."""
    return frozenset(
        condition.key.lower()
        for condition in statement.conditions
        if condition.operator == "Null" and condition.values == ("false",)
    )


def condition_problems(condition: Condition, operator: ParsedOperator, *, allows: bool) -> Iterator[Problem]:
    """The problems of one condition; the grammar has found it well formed. `allows` tells that it stands in an Allow
    and that nothing else there requires its key."""
    if operator.quantifier == "ForAllValues" and allows:
        yield _empty_for_all(condition)
    yield from _mfa(condition, operator)
    yield from _sets(condition, operator)


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
        yield Problem("MFA_ABSENT", message, "Use BoolIfExists.", "security")


def _sets(condition: Condition, operator: ParsedOperator) -> Iterator[Problem]:
    key = condition.key.lower()
    if operator.base.type == "null":
        return
    if not operator.quantifier and key in MULTIVALUED:
        message = f"{condition.key} can have several values, and {operator.name} compares one."
        yield Problem("SET_OPERATOR_MISSING", message, "Write ForAnyValue: or ForAllValues: before it.", "warning")
    if operator.quantifier and key in SINGLE_VALUED:
        message = f"{condition.key} has one value, so {operator.quantifier} does not belong here."
        severity: Severity = "security" if operator.quantifier == "ForAllValues" else "warning"
        yield Problem("SET_OPERATOR_NEEDLESS", message, f"Write {operator.name}.", severity)
