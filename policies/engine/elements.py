"""The rules for single values in a document: actions, resources, principals, values of conditions.

Each check takes a text and gives the problem with it, or None. Sources: the IAM User Guide ("Grammar", "Elements") and
the texts with which AWS refuses documents.
"""

import re

from policies.engine import literals
from policies.engine.arn import FIELDS, PARTITIONS, account_of, resource_part, split_arn, split_parts
from policies.engine.conditions import ParsedOperator
from policies.engine.document import IDENTITY_SIDE, DocumentKind
from policies.engine.findings import Problem
from policies.engine.patterns import MAX_GAPS, compile_pattern, is_costly
from policies.engine.variables import Part, Variable, VariableError, as_text, split

IAM_PATHS = (
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
)
TRUST_ACTIONS = (
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:tagsession",
    "sts:setsourceidentity",
    "sts:setcontext",
)
_VENDOR = re.compile(r"[A-Za-z0-9.-]+")
_ACTION_NAME = re.compile(r"[A-Za-z0-9_.*?-]+")
_SERVICE = re.compile(r"[A-Za-z0-9._-]+")
_ACCOUNT = re.compile(r"[0-9]{12}")
_UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,124}")
_CANONICAL = re.compile(r"[0-9a-f]{64}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?:[:/][A-Za-z0-9._~/-]*)?")
_PRINCIPAL_RESOURCES = ("user/", "role/", "assumed-role/", "federated-user/")


def check_action(text: str, kind: DocumentKind) -> Problem | None:
    """`service:Action` or `*`. Wildcards belong behind the colon."""
    if text == "*":
        return None
    vendor, colon, name = text.partition(":")
    if not colon:
        return Problem("ACTION_WITHOUT_SERVICE", f'"{text}" is no action.', "Write service:Action, as iam:GetUser.")
    if ":" in name:
        return Problem("ACTION_COLONS", f'The action "{text}" has more than one colon.', "Write service:Action.")
    if text != "*:*" and not _VENDOR.fullmatch(vendor):
        message = f'"{vendor}" is not the prefix of a service.'
        return Problem("ACTION_SERVICE", message, "Wildcards stand behind the colon only.", value=vendor)
    if not _ACTION_NAME.fullmatch(name):
        message = f'The action "{text}" holds characters that match nothing.'
        return Problem("ACTION_CHARACTERS", message, "One action per string; no blanks, no commas.", value=text)
    if kind == "trust" and not _fits_trust(text.lower()):
        message = f'"{text}" is no action of a trust policy.'
        return Problem("TRUST_ACTION", message, "Use sts:AssumeRole, or another way of assuming a role.", value=text)
    return None


def _fits_trust(action: str) -> bool:
    pattern = compile_pattern(action)
    return any(pattern.matches(known) for known in TRUST_ACTIONS)


def check_resource(text: str, kind: DocumentKind, *, variables: bool) -> Problem | None:
    """`*` or an ARN, which policies on the identity's side may cut short."""
    if text == "*":
        return None
    try:
        parts = split(text, active=variables)
    except VariableError as error:
        return Problem("INVALID_VARIABLE", f'"{text}": {error}', "Write ${key} or ${key, 'default'}.", value=text)
    if ":" not in text or not text.startswith("arn:"):
        message = f'The resource "{text}" is neither an ARN nor "*".'
        return Problem("RESOURCE_NOT_ARN", message, "An ARN is arn:partition:service:region:account:name.", value=text)
    if len(parts) == 1 and isinstance(parts[0], str):
        fields = split_arn(text)
    else:
        in_parts = split_parts(parts)
        if misplaced := _check_placement(text, in_parts):
            return misplaced
        fields = [as_text(field) for field in in_parts]
    return _check_fields(text, fields) or _check_length(text, fields, kind) or check_wildcards(text)


def check_wildcards(text: str) -> Problem | None:
    if "?" not in text or not is_costly(text):
        return None
    message = f"There are more than {MAX_GAPS} groups of ?, or too much text around one, between two *."
    return Problem("TOO_MANY_WILDCARDS", message, "Write fewer ?.", value=text)


def _check_placement(text: str, fields: list[list[Part]]) -> Problem | None:
    for field in fields[: FIELDS - 1]:
        if any(isinstance(part, Variable) for part in field):
            message = f'"{text}" has a variable before its fifth colon.'
            hint = "Variables may stand in the last part of an ARN only; elsewhere use * or a condition."
            return Problem("VARIABLE_PLACEMENT", message, hint, value=text)
    return None


def _check_fields(text: str, fields: list[str]) -> Problem | None:
    partition, service = fields[1], fields[2] if len(fields) > 2 else ""
    if partition not in PARTITIONS and not _fits_partition(partition):
        hint = "The partition is aws, except in the clouds of China and governments."
        return Problem("UNKNOWN_PARTITION", f'"{partition}" is not a partition.', hint, value=text)
    if len(fields) == 2 or "*" in service or "?" in service:
        if len(fields) == 3 and service.endswith("*") and len(service) > 1:
            return None
        message = f'"{text}" does not name its service.'
        return Problem("RESOURCE_SERVICE", message, "Write the service out, or use *.", value=text)
    if not _SERVICE.fullmatch(service):
        return Problem("RESOURCE_FIELDS", f'"{text}" lacks its service.', "Check the colons.", value=text)
    if len(fields) == FIELDS and service in ("iam", "s3"):
        return _check_iam(text, fields) if service == "iam" else _check_s3(text, fields)
    return None


def _fits_partition(text: str) -> bool:
    pattern = compile_pattern(text)
    return any(pattern.matches(known) for known in PARTITIONS)


def _check_iam(text: str, fields: list[str]) -> Problem | None:
    if fields[3]:
        return Problem("IAM_REGION", f'"{text}" names a region, and IAM has none.', "Leave it empty.", value=text)
    name = fields[5]
    beginning = name[: min((name.find(sign) for sign in "*?" if sign in name), default=len(name))]
    if name == "root" or any(beginning.startswith(path) for path in IAM_PATHS):
        return None
    if beginning != name and any(path.startswith(beginning) for path in IAM_PATHS):
        return None
    message = f'"{name}" is no kind of resource that IAM has.'
    return Problem("IAM_RESOURCE", message, f"It begins with {', '.join(IAM_PATHS)} or is *.", value=text)


def _check_s3(text: str, fields: list[str]) -> Problem | None:
    if fields[3] and not fields[4]:
        return Problem("S3_REGION", f'The bucket in "{text}" has a region.', "Leave the region empty.", value=text)
    return None


def _check_length(text: str, fields: list[str], kind: DocumentKind) -> Problem | None:
    if len(fields) == FIELDS:
        return None
    if "" in fields:
        message = f'"{text}" has {len(fields) - 1} colons, and an ARN has five.'
        return Problem("RESOURCE_FIELDS", message, "A colon is missing.", value=text)
    if kind in IDENTITY_SIDE or text.endswith("*"):
        return None
    return Problem("RESOURCE_INCOMPLETE", f'"{text}" is cut short.', "Write all six parts of the ARN.", value=text)


def check_principal(group: str, text: str) -> Problem | None:
    """One name in Principal or NotPrincipal, under AWS, Federated, Service or CanonicalUser."""
    if group == "AWS":
        return _check_aws_principal(text)
    if group == "CanonicalUser":
        fits = _CANONICAL.fullmatch(text)
        message = f'"{text}" is not a canonical user id.'
        return None if fits else Problem("INVALID_PRINCIPAL", message, "It has 64 hexadecimal digits.", value=text)
    if (
        group == "Federated"
        and text.startswith("arn:")
        and resource_part(text).startswith(("saml-provider/", "oidc-provider/"))
    ):
        return _no_wildcard(text)
    if _HOST.fullmatch(text) and not text.startswith("arn:"):
        return None
    hint = "Name a provider's ARN or host." if group == "Federated" else "Name a service as ec2.amazonaws.com."
    code = f"{group.upper()}_PRINCIPAL"
    return Problem(code, f'"{text}" is no principal of the kind {group}.', hint, value=text)


def _check_aws_principal(text: str) -> Problem | None:
    if text == "*" or _ACCOUNT.fullmatch(text) or _UNIQUE_ID.fullmatch(text):
        return None
    resource = resource_part(text)
    if not text.startswith("arn:") or not resource:
        hint = 'Name an account, the ARN of a user, role or session, or "*".'
        return Problem("INVALID_PRINCIPAL", f'"{text}" is no principal.', hint, value=text)
    if resource.startswith("group/"):
        message = f'"{text}" is a group, and groups are not principals.'
        return Problem("GROUP_PRINCIPAL", message, "Name its users, or a role they may assume.", value=text)
    named = resource == "root" or resource.startswith(_PRINCIPAL_RESOURCES)
    if not named or not account_of(text) or text.split(":")[1] not in PARTITIONS:
        hint = "Name an account's root, a user, a role, or a session."
        return Problem("INVALID_PRINCIPAL", f'"{text}" is no principal.', hint, value=text)
    return _no_wildcard(text)


def _no_wildcard(text: str) -> Problem | None:
    if "*" not in text and "?" not in text and "${" not in text:
        return None
    message = f'"{text}" has a wildcard or variable, which principals never have.'
    hint = "Write the name out, or use a condition on aws:PrincipalArn."
    return Problem("PRINCIPAL_WILDCARD", message, hint, value=text)


_READERS = {
    "numeric": (literals.number, "number", "Write it with digits, as 10 or 0.5."),
    "date": (literals.instant, "date", "Write it as 2026-01-31T12:00:00Z, or in seconds since 1970."),
    "bool": (literals.boolean, "truth value", "Write true or false."),
    "null": (literals.boolean, "truth value", "Write true (the key is absent) or false (it is there)."),
    "binary": (literals.binary, "base64 text", "Write the value in base64."),
    "ip": (literals.network, "IP address or network", "Write it as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32."),
}


def check_value(text: str, operator: ParsedOperator, *, variables: bool) -> Problem | None:
    """A value of a condition against the type of its operator."""
    typed = _READERS.get(operator.base.type)
    if typed is not None:
        read, name, hint = typed
        if read(text) is not None:
            return None
        code = "INVALID_" + operator.base.type.upper()
        return Problem(code, f'"{text}" is no {name}, which {operator.name} needs.', hint, value=text)
    try:
        parts = split(text, active=variables)
    except VariableError as error:
        return Problem("INVALID_VARIABLE", f'"{text}": {error}', "Write ${key} or ${key, 'default'}.", value=text)
    if operator.base.type == "arn" and len(split_parts(parts)) != FIELDS:
        message = f'"{text}" is no ARN of six parts, so it never matches.'
        return Problem("CONDITION_ARN", message, "Write all parts, with * for any.", "warning", text)
    return check_wildcards(text)
