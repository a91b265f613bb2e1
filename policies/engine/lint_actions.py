"""Actions and resources against the catalogue: what does not exist, and what never meets in a request."""

from collections.abc import Iterator

from policies.engine.arn import FIELDS, split_arn
from policies.engine.catalog import Action
from policies.engine.catalog_data import rcp_services
from policies.engine.document import Statement
from policies.engine.findings import Problem
from policies.engine.lint_subject import EVERYTHING, Located, Subject

_WILD = ("*", "?")
_CHANGING = ("Write", "Tagging", "Permissions management")
_REGION_PARTS = 3


def unknown_actions(statement: Statement, subject: Subject) -> Iterator[Located]:
    """Actions, and patterns of actions, that name nothing."""
    element = "NotAction" if statement.not_actions else "Action"
    for text in statement.actions or statement.not_actions:
        if text in EVERYTHING:
            continue
        service = subject.service_of(text)
        if service is None:
            if subject.unknown_services:
                yield (statement.index, element), _unknown_service(text, subject)
        elif subject.actions(text) == ():
            yield (statement.index, element), _unknown_action(text, service.prefix, subject)


def _unknown_service(text: str, subject: Subject) -> Problem:
    prefix = text.partition(":")[0]
    hint = subject.guess(prefix, list(subject.catalog.service_names()))
    hint = hint or "Check the prefix. If it is a service of your own, register it under “Your services”."
    return Problem("UNKNOWN_SERVICE", f'There is no service "{prefix}".', hint, "warning", text)


def _unknown_action(text: str, prefix: str, subject: Subject) -> Problem:
    name = text.partition(":")[2]
    what = "matches no action" if any(sign in name for sign in _WILD) else "is no action"
    known = [action.name for action in subject.catalog.actions_of(prefix)] if subject.guesses else []
    hint = subject.guess(name, known) or f"Look the actions of {prefix} up in the catalogue."
    if hint.startswith("Did"):
        hint = hint.replace('"', f'"{prefix}:', 1)
    return Problem("UNKNOWN_ACTION", f'"{text}" {what} of the service {prefix}.', hint, "warning", text)


def resource_shapes(statement: Statement, subject: Subject) -> Iterator[Located]:
    """ARNs that no resource has."""
    element = "NotResource" if statement.not_resources else "Resource"
    for text in statement.resources or statement.not_resources:
        if problem := _shape_problem(text, subject):
            yield (statement.index, element), problem


def _shape_problem(text: str, subject: Subject) -> Problem | None:
    fields = split_arn(text)
    if len(fields) < FIELDS or "${" in text:
        return None
    prefix, region, account = fields[2], fields[3], fields[4]
    service = subject.catalog.service(prefix)
    if service is not None and prefix != service.prefix:
        message = f'"{prefix}" is written in capitals, and ARNs are compared letter by letter.'
        return Problem("ARN_SERVICE_CASE", message, f'Write "{service.prefix}".', "warning", text)
    if not _may_be_account(account):
        message = f'"{account}" in "{text}" is no account.'
        return Problem("ARN_ACCOUNT", message, "An account has twelve digits.", "warning", text)
    if not _may_be_region(region):
        message = f'"{region}" in "{text}" is no region.'
        return Problem("ARN_REGION", message, "A region is written as eu-central-1.", "warning", text)
    if service is None or not service.resource_types or fields[5] == "*":
        return None
    if any(subject.fits(text, kind.pattern) for kind in service.resource_types.values()):
        return None
    known = ", ".join(sorted({kind.arn.replace("${Partition}", "aws") for kind in service.resource_types.values()})[:3])
    message = f'"{text}" has the shape of no resource of {service.name}.'
    return Problem("RESOURCE_KIND", message, f"Compare with {known}.", "warning", text)


def _may_be_account(text: str) -> bool:
    if any(sign in text for sign in _WILD) or text in ("", "aws", "cloudfront", "third-party", "custom"):
        return True
    return len(text) == 12 and text.isascii() and text.isdigit()


def _may_be_region(text: str) -> bool:
    if any(sign in text for sign in _WILD) or text in ("", "global"):
        return True
    parts = text.split("-")
    return len(parts) >= _REGION_PARTS and parts[-1].isdigit() and all(part.isalnum() for part in parts)


def useless_pairs(statement: Statement, subject: Subject) -> Iterator[Located]:
    """Actions none of whose resources the statement names, and resources on which none of its actions works."""
    if not statement.actions or not statement.resources or "*" in statement.resources:
        return
    used: set[str] = set()
    complete = True
    for text in statement.actions:
        kinds = None if text in EVERYTHING or subject.is_tired else subject.kinds(text)
        if kinds is None:
            complete = False
            continue
        working = {each for each in statement.resources if any(subject.fits(each, kind) for kind in kinds)}
        if not working and not subject.is_tired:
            yield (statement.index, "Action"), _never_applies(text, subject.actions(text) or ())
        used |= working
    if complete and used and not subject.is_tired:
        yield from _unused(statement, used)


def could_be_limited(statement: Statement, subject: Subject) -> Iterator[Located]:
    """Actions that change something, allowed on everything although they could be limited to some resources."""
    if statement.effect == "Deny" or statement.conditions or subject.document.kind not in ("identity", "session"):
        return
    if "*" not in statement.resources:
        return
    named = [action for text in statement.actions if "*" not in text for action in subject.actions(text) or ()]
    wide = [action.full_name for action in named if action.resource_types and action.access_level in _CHANGING]
    if wide:
        message = f"{shortened(wide)} could be limited to some resources, and may be used on all."
        hint = "Name the resources that are meant, or add a condition."
        yield (statement.index, "Resource"), Problem("RESOURCE_STAR", message, hint, "suggestion", wide[0])


def shortened(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more}"


def _never_applies(text: str, found: tuple[Action, ...]) -> Problem:
    kinds = sorted({name for action in found for name in action.resource_types})
    if not kinds:
        message = f'{text} knows no resources, so it works with "Resource": "*" only; here it has no effect.'
        hint = 'Give it a statement of its own, with "Resource": "*".'
        return Problem("ACTION_NEEDS_STAR", message, hint, "warning", text)
    message = f"{text} works on none of these resources, so it has no effect here."
    hint = f"Name resources of the kind {', '.join(kinds[:4])}, or move the action to another statement."
    return Problem("ACTION_WITHOUT_RESOURCE", message, hint, "warning", text)


def _unused(statement: Statement, used: set[str]) -> Iterator[Located]:
    for resource in statement.resources:
        if resource not in used:
            message = f'No action of this statement works on "{resource}".'
            hint = "Remove it, or add the actions that work on it."
            yield (statement.index, "Resource"), Problem("UNUSED_RESOURCE", message, hint, "warning", resource)


def control_policy_reach(statement: Statement, subject: Subject) -> Iterator[Located]:
    """Services that resource control policies do not reach."""
    if subject.document.kind != "resource_control":
        return
    for text in statement.actions:
        prefix = text.partition(":")[0].lower()
        known = subject.catalog.service(prefix)
        if known is not None and not known.registered and prefix not in rcp_services():
            message = f"Resource control policies do not reach the service {prefix}."
            hint = "Remove it; limit it by a service control policy."
            yield (statement.index, "Action"), Problem("RCP_SERVICE", message, hint, "warning", text)


RULES = (unknown_actions, resource_shapes, useless_pairs, could_be_limited, control_policy_reach)
