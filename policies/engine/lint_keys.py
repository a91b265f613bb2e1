"""Condition keys against the catalogue: unknown ones, those that no action of the statement knows, and operators of
another type than the key."""

from collections.abc import Iterator

from policies.engine.catalog import Action, ConditionKey
from policies.engine.conditions import ParsedOperator, parse_operator
from policies.engine.document import Condition, Statement
from policies.engine.findings import Problem, Severity
from policies.engine.lint_actions import shortened
from policies.engine.lint_subject import EVERYTHING, Located, Subject

# Global keys that are there only where an action supports tags.
_TAG_KEYS = ("aws:resourcetag/", "aws:requesttag/", "aws:tagkeys")
_DEPRECATED = {"aws:arn": "aws:PrincipalArn or aws:SourceArn"}
# Which operators compare the values of a key of some type as what they are.
_FITTING = {
    "String": ("string",),
    "ARN": ("arn", "string"),
    "Bool": ("bool",),
    "Numeric": ("numeric",),
    "Date": ("date",),
    "IPAddress": ("ip",),
    "Binary": ("binary",),
}
_OPERATORS = {
    "String": "StringEquals or StringLike",
    "ARN": "ArnLike",
    "Bool": "Bool",
    "Numeric": "NumericEquals or another Numeric operator",
    "Date": "DateLessThan or another Date operator",
    "IPAddress": "IpAddress",
    "Binary": "BinaryEquals",
}
_EITHER_TYPE = {"aws:epochtime": ("numeric", "date")}


def condition_keys(statement: Statement, subject: Subject) -> Iterator[Located]:
    for condition in statement.conditions:
        operator = parse_operator(condition.operator)
        place = (statement.index, condition.operator, condition.key)
        if operator is None:
            continue
        key = subject.catalog.condition_key(condition.key)
        if key is None:
            if problem := _unknown_key(condition.key, subject):
                yield place, problem
            continue
        if problem := _type_problem(condition, operator, key):
            yield place, problem
        if problem := _set_problem(condition, operator, key):
            yield place, problem
        if operator.base.type != "null" and (
            problem := _support_problem(condition.key, statement, subject, absent_is_true=_absent_is_true(operator))
        ):
            yield place, problem


def _unknown_key(name: str, subject: Subject) -> Problem | None:
    prefix, colon, rest = name.partition(":")
    if not colon or not rest:
        message = f'"{name}" is no condition key.'
        return Problem("CONDITION_KEY_FORMAT", message, "Write service:key, as aws:SourceIp.", "warning", name)
    if newer := _DEPRECATED.get(name.lower()):
        return Problem("DEPRECATED_KEY", f"{name} is out of use.", f"Use {newer}.", "warning", name)
    service = subject.catalog.service(prefix)
    if service is None and prefix.lower() != "aws":
        # An identity provider's host is everybody's to choose; a service that is unknown has its finding already.
        return None if "." in prefix or not subject.unknown_services else _key_of_no_service(name, prefix)
    if service is not None and service.registered and not service.condition_keys:
        return None
    hint = "Requests never carry it: see the list of condition keys of the service."
    if subject.guesses:
        known = [key.name for key in subject.catalog.condition_keys_of(prefix)]
        hint = subject.guess(name, known) or hint
        if name.lower().rstrip("/") in {key.partition("${")[0].rstrip("/").lower() for key in known if "${" in key}:
            hint = f"Name what is meant behind it, as {name.rstrip('/')}/team."
    return Problem("UNKNOWN_KEY", f'There is no condition key "{name}".', hint, "warning", name)


def _key_of_no_service(name: str, prefix: str) -> Problem:
    hint = "Check the prefix. If it is a service of your own, register it under “Your services”."
    return Problem("UNKNOWN_KEY", f'"{name}" belongs to no service: there is no "{prefix}".', hint, "warning", name)


def _type_problem(condition: Condition, operator: ParsedOperator, key: ConditionKey) -> Problem | None:
    fitting = _EITHER_TYPE.get(condition.key.lower()) or _FITTING.get(key.type, ())
    if operator.base.type == "null" or not fitting or operator.base.type in fitting:
        return None
    message = f"{condition.key} is of the type {key.type}, and {operator.name} compares another."
    return Problem("OPERATOR_TYPE", message, f"Use {_OPERATORS[key.type]}.", "warning", condition.key)


def _set_problem(condition: Condition, operator: ParsedOperator, key: ConditionKey) -> Problem | None:
    if operator.base.type == "null":
        return None
    if not operator.quantifier and key.multivalued:
        message = f"{condition.key} can have several values, and {operator.name} compares one."
        hint = "Write ForAnyValue: or ForAllValues: before it."
        return Problem("SET_OPERATOR_MISSING", message, hint, "warning", condition.key)
    if operator.quantifier and not key.multivalued:
        message = f"{condition.key} has one value, so {operator.quantifier} does not belong here."
        severity: Severity = "security" if operator.quantifier == "ForAllValues" else "warning"
        return Problem("SET_OPERATOR_NEEDLESS", message, f"Write {operator.name}.", severity, condition.key)
    return None


def _absent_is_true(operator: ParsedOperator) -> bool:
    """Whether a condition holds when its key is not there."""
    return operator.if_exists or operator.quantifier == "ForAllValues" or operator.base.negated


def _support_problem(name: str, statement: Statement, subject: Subject, *, absent_is_true: bool) -> Problem | None:
    """A key that a statement's actions never bring along."""
    lower = name.lower()
    is_tag = lower.startswith(_TAG_KEYS)
    if (lower.startswith("aws:") and not is_tag) or "." in lower.partition(":")[0]:
        return None
    if not statement.actions or any(text in EVERYTHING for text in statement.actions):
        return None
    without: list[str] = []
    for text in statement.actions:
        found = subject.actions(text)
        if not found:
            return None
        if not any(_knows(action, lower, subject) for action in found):
            without.append(text)
    if not without:
        return None
    effect = ("denied" if absent_is_true else "not denied") if statement.effect == "Deny" else ""
    effect = effect or ("allowed without it" if absent_is_true else "not allowed")
    # What is denied too little or allowed too much is an open door; the opposite is only in the way.
    severity: Severity = "security" if effect in ("not denied", "allowed without it") else "suggestion"
    if len(without) == len(statement.actions):
        message = f"No action of this statement knows {name}, so by it they are always {effect}."
        hint = "Remove the condition, or use a key that these actions know."
        return Problem("KEY_UNSUPPORTED", message, hint, severity, name)
    message = f"{shortened(without)} know no {name}, so by this statement they are always {effect}."
    hint = "Move them to another statement, without this condition."
    return Problem("KEY_PARTLY_UNSUPPORTED", message, hint, severity, name)


def _knows(action: Action, name: str, subject: Subject) -> bool:
    service = subject.catalog.service(action.service)
    if service is not None and service.registered and not action.condition_keys:
        return True
    return any(_names(key.lower(), name) for key in action.condition_keys)


def _names(key: str, name: str) -> bool:
    beginning, placeholder, _ = key.partition("${")
    return name.startswith(beginning) if placeholder else key == name


RULES = (condition_keys,)
