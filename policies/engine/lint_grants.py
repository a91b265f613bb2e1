"""Allows that are wider than their writer means: whole services, all but a list, any role, ways to more power."""

from collections.abc import Iterator
from functools import partial

from policies.engine.arn import FIELDS, split_arn
from policies.engine.document import Document, Statement
from policies.engine.escalation import OWN_USER_ACTIONS, RESOURCE_POLICY_ACTIONS, reachable
from policies.engine.findings import Problem
from policies.engine.index import candidates
from policies.engine.lint_subject import EVERYTHING, Located, Place, Subject
from policies.engine.patterns import compile_pattern

PASS_ROLE = "iam:PassRole"  # noqa: S105 - the name of an action
_CREATE_LINKED_ROLE = "iam:CreateServiceLinkedRole"
# So many are told one by one.
_MANY_WAYS = 6
_OWN_NAME = "${aws:username}"


def _names_everything(statement: Statement) -> bool:
    return "*" in statement.resources or bool(statement.not_resources)


def _allows_everything(statement: Statement) -> bool:
    bare = statement.effect == "Allow" and not statement.conditions and _names_everything(statement)
    return bare and any(action in EVERYTHING for action in statement.actions)


def everything_allowed(statement: Statement, subject: Subject) -> Iterator[Located]:
    if statement.effect == "Deny" or not subject.grants or not _names_everything(statement) or statement.conditions:
        return
    where = (statement.index, "Action")
    for action in statement.actions:
        if action in EVERYTHING:
            message = "This allows every action on every resource."
            yield where, Problem("ALLOWS_EVERYTHING", message, "Name the actions that are needed.", "security", action)
        elif action.endswith(":*"):
            message = f"This allows every action of {action[:-2]} on every resource."
            hint = "Name the actions or the resources that are needed."
            yield where, Problem("ALLOWS_SERVICE", message, hint, "warning", action)


def not_action_allowed(statement: Statement, subject: Subject) -> Iterator[Located]:
    if statement.effect == "Deny" or not subject.grants:
        return
    if statement.not_actions:
        message = "NotAction with Allow grants every other action, those of the future included."
        hint = "List what is needed in Action."
        yield (statement.index, "NotAction"), Problem("NOT_ACTION_ALLOW", message, hint, "security")
    if statement.not_resources:
        message = "NotResource with Allow grants every other resource, those of the future included."
        hint = "List what is needed in Resource."
        yield (statement.index, "NotResource"), Problem("NOT_RESOURCE_ALLOW", message, hint, "security")


def any_role(document: Document) -> Iterator[Located]:
    """Roles passed to services, and service-linked roles made, without a limit."""
    for statement in _allows_of(document, PASS_ROLE):
        limited = any(condition.key.lower() == "iam:passedtoservice" for condition in statement.conditions)
        if _any_of(statement, "role") and not limited:
            message = "iam:PassRole on every role lets its holder use any role through a service."
            hint = "Name the roles, and the service in a condition on iam:PassedToService."
            yield (statement.index, "Resource"), Problem("PASS_ROLE_EVERYWHERE", message, hint, "security")
    for statement in _allows_of(document, _CREATE_LINKED_ROLE):
        limited = any(condition.key.lower() == "iam:awsservicename" for condition in statement.conditions)
        if _any_of(statement, "role") and not limited and _is_named(statement, _CREATE_LINKED_ROLE):
            message = "iam:CreateServiceLinkedRole on every role makes roles for services that nobody meant."
            hint = "Name the service in the resource, or in a condition on iam:AWSServiceName."
            yield (statement.index, "Resource"), Problem("LINKED_ROLE_EVERYWHERE", message, hint, "warning")


def _any_of(statement: Statement, kind: str) -> bool:
    return bool(statement.not_resources) or any(_is_any(resource, kind) for resource in statement.resources)


def _is_any(resource: str, kind: str) -> bool:
    fields = split_arn(resource)
    every = ("*", f"{kind}/*", f"{kind}*", f"{kind}/aws-service-role/*")
    return resource == "*" or (len(fields) == FIELDS and fields[5] in every)


def _allows_of(document: Document, action: str) -> Iterator[Statement]:
    found = (each.statement for each in candidates(document, action.lower()))
    return (statement for statement in found if statement.effect == "Allow")


def _fits(pattern: str, action: str) -> bool:
    if pattern in EVERYTHING:
        return True
    service, _, name = action.lower().partition(":")
    other, _, names = pattern.lower().partition(":")
    return service == other and compile_pattern(names).matches(name)


def resource_policies(document: Document) -> Iterator[Located]:
    for action in RESOURCE_POLICY_ACTIONS:
        for statement in _allows_of(document, action):
            if statement.actions and _is_named(statement, action):
                message = f"{action} lets its holder open the resource to anybody."
                hint = "Give it to those only who manage access."
                place = (statement.index, "Action")
                yield place, Problem("PERMISSIONS_MANAGEMENT", message, hint, "security", action)


def _is_named(statement: Statement, action: str) -> bool:
    """Whether an action is named more closely than by its whole service, which has a finding of its own."""
    service = action.partition(":")[0]
    close = (text for text in statement.actions if text not in EVERYTHING and text.lower() != f"{service}:*")
    return any(_fits(text, action) for text in close)


def wide_arn(statement: Statement, subject: Subject) -> Iterator[Located]:
    if statement.effect == "Deny" or not subject.grants:
        return
    for resource in statement.resources:
        fields = split_arn(resource)
        if len(fields) == FIELDS and fields[3] == fields[4] == "*" and fields[5].endswith("*"):
            beginning = fields[5].rstrip("*")
            if not beginning or beginning.endswith(("/", ":")):
                message = f'"{resource}" is every resource of its kind, in every account.'
                hint = "Name the account, or the resource."
                yield (statement.index, "Resource"), Problem("WIDE_RESOURCE", message, hint, "warning", resource)


def escalations(document: Document) -> Iterator[Located]:
    """The ways to more power that a document opens, if it is the only one its holder has."""
    if any(_allows_everything(statement) for statement in document.statements):
        # Who may do everything needs no way to more; that is said already.
        return
    ways = reachable(partial(_is_allowed, document))
    for what, actions in ways[:_MANY_WAYS]:
        message = f"With {' and '.join(actions)} its holder can {what}."
        yield _place(document, actions[0]), _escalation(message, actions)
    if others := ways[_MANY_WAYS:]:
        message = f"There are {len(others)} further ways to more power, such as {' and '.join(others[0][1])}."
        yield _place(document, others[0][1][0]), _escalation(message, tuple({way[1][0]: None for way in others}))


def _place(document: Document, action: str) -> Place:
    index = next(_allowing(document, action))
    return index, "NotAction" if document.statements[index].not_actions else "Action"


def _escalation(message: str, actions: tuple[str, ...]) -> Problem:
    hint = "Limit the resources, or add a permissions boundary as a condition."
    return Problem("PRIVILEGE_ESCALATION", message, hint, "security", ", ".join(actions))


def _is_allowed(document: Document, action: str) -> bool:
    return allows_widely(document, action) and not denies_everywhere(document, action)


def allows_widely(document: Document, action: str) -> bool:
    """Whether a document allows an action on everything of its kind (or on oneself), without conditions."""
    return next(_allowing(document, action), None) is not None


def denies_everywhere(document: Document, action: str) -> bool:
    """Whether a document denies an action on everything, without conditions."""
    return any(each.denies and each.covers_everything for each in candidates(document, action.lower()))


def _allowing(document: Document, action: str) -> Iterator[int]:
    for compiled in candidates(document, action.lower()):
        statement = compiled.statement
        own = action in OWN_USER_ACTIONS and any(_OWN_NAME in resource for resource in statement.resources)
        wide = own or any(_is_wide(resource) for resource in statement.resources) or bool(statement.not_resources)
        if not compiled.denies and not statement.conditions and wide:
            yield statement.index


def _is_wide(resource: str) -> bool:
    """`*`, or an ARN whose name is nothing but the kind of the resource."""
    fields = split_arn(resource)
    if len(fields) < FIELDS:
        return resource.endswith("*") or len(fields) > 1
    kind, _, name = fields[5].partition("/")
    return fields[5] == "*" or (name == "*" and "*" not in kind)


RULES = (everything_allowed, not_action_allowed, wide_arn)
