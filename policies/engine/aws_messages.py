"""AWS's own words for refused documents, for programs that speak to the API.

AWS checks in a fixed order and tells the first thing it finds; so does this. Its error code is always
MalformedPolicyDocument.
"""

from dataclasses import replace

from policies.engine.aws_trust import trust_findings, trust_message
from policies.engine.document import Document
from policies.engine.elements import IAM_PATHS
from policies.engine.findings import DocumentError, DocumentKind, Finding
from policies.engine.lint import lint
from policies.engine.parse import examine

SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"
VERSION = "Policy document must be version 2012-10-17 or greater."
INVALID_JSON = "This policy contains invalid Json"
# Organizations says no more than this.
CONTROL_POLICY = "The provided policy document does not meet the requirements of the specified policy type."
_CONTROL_CODES = ("RCP_ALLOW", "RCP_ACTION")
# What the grammar takes of a stored document, for it is plain what is meant, and AWS refuses to save in a trust policy.
_TRUST_CODES = ("PRINCIPAL_STRING",)
# Documents whose Version AWS insists on when they are saved.
_NEEDS_VERSION: tuple[DocumentKind, ...] = ("identity", "boundary", "session")

_SYNTAX_CODES = (
    "INVALID_JSON",
    "TOO_LONG",
    "TOO_DEEP",
    "DUPLICATE_KEY",
    "NOT_AN_OBJECT",
    "UNKNOWN_ELEMENT",
    "UNSUPPORTED_VERSION",
    "WRONG_TYPE",
    "MISSING_STATEMENT",
    "EMPTY_STATEMENT",
    "TOO_MANY_STATEMENTS",
    "CONTRADICTING_ELEMENTS",
    "MISSING_EFFECT",
    "UNKNOWN_OPERATOR",
    "DUPLICATE_CONDITION_KEY",
    "EMPTY_CONDITION_KEY",
)
_LEGACY_CODES = ("INVALID_DATE", "RESOURCE_FIELDS")
_RESOURCE_CODES = (
    "RESOURCE_NOT_ARN",
    "UNKNOWN_PARTITION",
    "RESOURCE_SERVICE",
    "IAM_REGION",
    "S3_REGION",
    "IAM_RESOURCE",
)
_TEXTS = {
    "DUPLICATE_SID": "Statement IDs (SID) in a single policy must be unique.",
    "INVALID_SID": "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression"
    " [0-9A-Za-z]*",
    "MISSING_ACTION": "Policy statement must contain actions.",
    "EMPTY_ACTION": "Policy statement must contain actions.",
    "EMPTY_NOTACTION": "Policy statement must contain actions.",
    "MISSING_RESOURCE": "Policy statement must contain resources.",
    "EMPTY_RESOURCE": "Policy statement must contain resources.",
    "EMPTY_NOTRESOURCE": "Policy statement must contain resources.",
    "RESOURCE_SERVICE": "Resource vendor must be fully qualified and cannot contain regexes.",
    "IAM_RESOURCE": f'IAM resource path must either be "*" or start with {", ".join(IAM_PATHS)}.',
    "ACTION_WITHOUT_SERVICE": "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    "ACTION_COLONS": "Actions/Condition can contain only one colon.",
}
_WITH_VALUE = {
    "RESOURCE_NOT_ARN": 'Resource {} must be in ARN format or "*".',
    "IAM_REGION": "IAM resource {} cannot contain region information.",
    "S3_REGION": "Resource {} can not contain region information.",
    "ACTION_SERVICE": "Vendor {} is not valid",
    "GROUP_PRINCIPAL": 'Invalid principal in policy: "AWS":"{}"',
    "INVALID_PRINCIPAL": 'Invalid principal in policy: "AWS":"{}"',
    "PRINCIPAL_STRING": 'Invalid principal in policy: "AWS":"{}"',
    "PRINCIPAL_WILDCARD": 'Invalid principal in policy: "AWS":"{}"',
    "SERVICE_PRINCIPAL": 'Invalid principal in policy: "SERVICE":"{}"',
    "FEDERATED_PRINCIPAL": 'Invalid principal in policy: "FEDERATED":"{}"',
}
# In the order in which AWS looks, after syntax, version and legacy parsing.
_ORDER = (
    ("DUPLICATE_SID", "INVALID_SID"),
    ("MISSING_ACTION", "EMPTY_ACTION", "EMPTY_NOTACTION"),
    ("ACTION_WITHOUT_SERVICE", "ACTION_COLONS", "ACTION_SERVICE"),
    ("MISSING_RESOURCE", "EMPTY_RESOURCE", "EMPTY_NOTRESOURCE"),
    _RESOURCE_CODES,
    (
        "GROUP_PRINCIPAL",
        "INVALID_PRINCIPAL",
        "PRINCIPAL_STRING",
        "PRINCIPAL_WILDCARD",
        "SERVICE_PRINCIPAL",
        "FEDERATED_PRINCIPAL",
    ),
)


def parse_for_api(text: str, kind: DocumentKind) -> Document:
    """Read a document as the API takes it: as `parse`, but Version 2012-10-17 and a statement are required where AWS
    requires them. Raises DocumentError, whose message `aws_message` gives."""
    examined = examine(text, kind)
    document = examined.document
    if document is not None and not document.statements:
        finding = Finding("error", "EMPTY_STATEMENT", "The policy has no statements.", "Add one.", 1, 1)
        raise DocumentError((finding, *examined.findings))
    if document is not None and kind == "resource_control":
        _refuse_control_policy(text)
    if document is not None and kind == "trust":
        _refuse_trust(document, examined.findings)
    if document is None or (kind in _NEEDS_VERSION and not document.has_variables):
        raise DocumentError(_as_errors(examined.findings, ("OLD_VERSION",)))
    return document


def _refuse_trust(document: Document, findings: tuple[Finding, ...]) -> None:
    refused = any(finding.code in _TRUST_CODES for finding in findings)
    if (found := trust_findings(document)) or refused:
        raise DocumentError((*found, *_as_errors(findings, _TRUST_CODES)))


def _refuse_control_policy(text: str) -> None:
    """A stored resource control policy may be the one that AWS attaches itself, which allows everything; nobody can
    write another Allow."""
    findings = lint(text, "resource_control")
    if any(finding.code in _CONTROL_CODES for finding in findings):
        raise DocumentError(_as_errors(findings, _CONTROL_CODES))


def _as_errors(findings: tuple[Finding, ...], codes: tuple[str, ...]) -> tuple[Finding, ...]:
    """The findings, in which those of some codes have become errors."""
    return tuple(replace(each, severity="error") if each.code in codes else each for each in findings)


def aws_message(error: DocumentError, kind: DocumentKind) -> str:
    """The message AWS gives for a document of a kind that was refused with these findings."""
    if kind in ("service_control", "resource_control"):
        return CONTROL_POLICY
    codes = {finding.code for finding in error.findings}
    if kind == "trust" and codes & {"INVALID_JSON", "DUPLICATE_KEY", "TOO_DEEP"}:
        return INVALID_JSON
    if kind == "trust" and (message := trust_message(error.findings)):
        return message
    prohibited = [finding.value for finding in error.findings if finding.code == "PROHIBITED_ELEMENT"]
    if prohibited:
        return "Policy document should not specify a principal."
    effects = [finding.value.lower() for finding in error.findings if finding.code == "INVALID_EFFECT"]
    if codes.intersection(_SYNTAX_CODES) or any(effect not in ("allow", "deny") for effect in effects):
        return SYNTAX
    if kind in _NEEDS_VERSION and "OLD_VERSION" in codes:
        return VERSION
    if effects or codes.intersection(_LEGACY_CODES):
        return LEGACY
    return _first_in_order(error.findings)


def _first_in_order(findings: tuple[Finding, ...]) -> str:
    for group in _ORDER:
        for finding in findings:
            if finding.severity == "error" and finding.code in group:
                return _message(finding)
    return SYNTAX


def _message(finding: Finding) -> str:
    value = finding.value
    if finding.code == "UNKNOWN_PARTITION" or (finding.code == "RESOURCE_NOT_ARN" and _foreign_partition(value)):
        return _partition_message(value)
    return _TEXTS.get(finding.code) or _WITH_VALUE.get(finding.code, SYNTAX).format(value)


def _foreign_partition(resource: str) -> bool:
    return ":" in resource and resource.split(":")[1] != "aws"


def _partition_message(resource: str) -> str:
    """AWS reads what stands behind the first colon as the partition, and fills the rest up with `*`."""
    _, partition, *rest = resource.split(":")
    fields = [*rest[:3], ":".join(rest[3:])] if len(rest) > 3 else [*rest, *["*"] * (4 - len(rest))]
    return f'Partition "{partition}" is not valid for resource "arn:{partition}:{":".join(fields)}".'
