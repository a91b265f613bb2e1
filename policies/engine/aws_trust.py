"""What AWS refuses in trust policies beyond the grammar, and its words for it.

The words are those of live AWS as versitygw's tests hold them (Apache-2.0, iamapi/policy), and moto's recordings.
"""

from policies.engine.document import Document, Statement
from policies.engine.findings import Finding

# With two blanks, as AWS writes it.
TRUST_ACTIONS = (
    "Trust Policy statement actions can only be sts:AssumeRole, sts:AssumeRoleWithSAML,"
    "  and sts:AssumeRoleWithWebIdentity"
)
_COGNITO = "cognito-identity.amazonaws.com"
_TEXTS = {
    "MISSING_STATEMENT": "Could not parse the policy: Statement is empty!",
    "EMPTY_STATEMENT": "Could not parse the policy: Statement is empty!",
    "MISSING_EFFECT": "Missing required field Effect",
    "INVALID_EFFECT": "Invalid effect: {}",
    "TRUST_NOT_PRINCIPAL_ALLOW": "Allow with NotPrincipal is not allowed.",
    "TRUST_NOT_PRINCIPAL": "AssumeRole policy must not contain NotPrincipal field.",
    "MISSING_PRINCIPAL": "Missing required field Principal",
    "TRUST_CANONICAL_USER": 'Invalid principal in policy: "CanonicalUser"',
    "TRUST_COGNITO": "A condition block must be present for the Cognito provider",
    "MISSING_ACTION": "Missing required field Action",
    "DUPLICATE_SID": "The Statement Ids in the policy are not unique",
}
_EMPTY_PRINCIPAL = "Missing required field Principal cannot be empty!"
_NO_STS_ACTION = "AssumeRole policy may only specify STS AssumeRole actions."
_NO_RESOURCES = "AssumeRole policy must not contain resources."


def trust_findings(document: Document) -> tuple[Finding, ...]:
    """What a document that the grammar takes is refused for by AWS."""
    return tuple(finding for statement in document.statements for finding in _refused(statement))


def _refused(statement: Statement) -> list[Finding]:
    found = []
    if statement.not_principals is not None:
        code = "TRUST_NOT_PRINCIPAL_ALLOW" if statement.effect == "Allow" else "TRUST_NOT_PRINCIPAL"
        message = "AWS takes no NotPrincipal in a trust policy."
        found.append(_error(statement, code, message, "Name who may in Principal, and limit it by conditions."))
    if statement.principals is not None and statement.principals.canonical_user:
        message = "Canonical users take on no roles."
        found.append(_error(statement, "TRUST_CANONICAL_USER", message, "Name the account by its ARN."))
    if statement.principals is not None and _COGNITO in statement.principals.federated and not statement.conditions:
        message = "Without a condition every identity pool of the world could take on the role."
        found.append(_error(statement, "TRUST_COGNITO", message, f'Add a condition on "{_COGNITO}:aud".'))
    return found


def _error(statement: Statement, code: str, message: str, hint: str) -> Finding:
    return Finding("error", code, message, hint, statement.first_line, 1)


def trust_message(findings: tuple[Finding, ...]) -> str | None:
    """AWS's words for the first thing wrong with a trust policy; None where it says the same of every policy."""
    for finding in findings:
        if finding.severity == "error" and (message := _message(finding)):
            return message
    return None


def _message(finding: Finding) -> str | None:
    code, value = finding.code, finding.value
    if code == "TRUST_ACTION":
        return TRUST_ACTIONS if value.lower().startswith("sts:") else _NO_STS_ACTION
    if code == "PROHIBITED_ELEMENT":
        return _NO_RESOURCES if value == "NotResource" else f"Has prohibited field {value}."
    if code == "INVALID_PRINCIPAL" and not value:
        return _EMPTY_PRINCIPAL
    text = _TEXTS.get(code)
    return text.format(value) if text else None
