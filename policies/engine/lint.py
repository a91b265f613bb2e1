"""Everything worth saying about a document: the grammar's findings, and what is allowed but dangerous or useless.

After the checks of IAM Access Analyzer ("Access Analyzer policy checks"). Errors are exactly those that `parse` raises.
docs/policy-validation.md lists the codes.
"""

from collections.abc import Iterator
from itertools import islice

from policies.engine import (
    lint_actions,
    lint_conditions,
    lint_grants,
    lint_keys,
    lint_principals,
    lint_redundant,
)
from policies.engine.catalog import BUILT_IN, Catalog
from policies.engine.document import Document, DocumentKind, Statement
from policies.engine.findings import Finding, Problem
from policies.engine.lint_subject import EVERYTHING, Located, Place, Rule, Subject
from policies.engine.parse import Examined, examine

_MAX_FINDINGS = 200


def lint(
    text: str, kind: DocumentKind = "identity", *, catalog: Catalog = BUILT_IN, unknown_services: bool = True
) -> tuple[Finding, ...]:
    """All findings about a text, by place. Never raises. `catalog` says what there is; `unknown_services` whether
    services that it does not know are worth a warning."""
    examined = examine(text, kind)
    if examined.document is None:
        return examined.findings
    subject = Subject(examined.document, catalog, unknown_services)
    found = islice(_problems(subject), _MAX_FINDINGS)
    findings = [*examined.findings, *(_finding(examined, place, problem) for place, problem in found)]
    return tuple(sorted(findings, key=lambda finding: (finding.line, finding.column, finding.code)))


def _problems(subject: Subject) -> Iterator[Located]:
    """Rule by rule, the gravest first: a hostile document has more problems than anybody reads."""
    yield from _document_problems(subject.document)
    for rule in RULES:
        for statement in subject.document.statements:
            yield from rule(statement, subject)


def _finding(examined: Examined, place: Place, problem: Problem) -> Finding:
    offset = examined.places.get(place, examined.places.get((place[0], ""), 0))
    line, column = examined.positions.line_and_column(offset)
    return Finding(problem.severity, problem.code, problem.message, problem.hint, line, column, problem.value)


def _old_variables(statement: Statement, subject: Subject) -> Iterator[Located]:
    if subject.document.has_variables:
        return
    elements = {"Resource": statement.resources, "NotResource": statement.not_resources}
    for element, texts in elements.items():
        for text in texts:
            if "${" in text:
                message = f'"{text}" is read as it stands: this version of the language has no variables.'
                hint = 'Write "Version": "2012-10-17".'
                yield (statement.index, element), Problem("VARIABLE_IN_OLD_VERSION", message, hint, "warning", text)


def _control_policy(statement: Statement, subject: Subject) -> Iterator[Located]:
    if subject.document.kind != "resource_control" or _is_full_access(statement):
        return
    if statement.effect == "Allow":
        message = "AWS takes Deny statements only in a resource control policy."
        yield (statement.index, "Effect"), Problem("RCP_ALLOW", message, "Write a Deny.", "warning")
    if any(action in EVERYTHING for action in statement.actions):
        message = 'AWS does not take "*" as the Action of a resource control policy.'
        yield (statement.index, "Action"), Problem("RCP_ACTION", message, "Name a service, as s3:*.", "warning")


def _is_full_access(statement: Statement) -> bool:
    """The statement of the policy that AWS itself puts on every level."""
    return statement.effect == "Allow" and statement.actions == ("*",) and statement.resources == ("*",)


def _document_problems(document: Document) -> Iterator[Located]:
    if document.kind in ("identity", "session"):
        yield from lint_grants.any_role(document)
    if document.kind == "identity":
        yield from lint_grants.resource_policies(document)
        yield from lint_grants.escalations(document)
    yield from lint_redundant.redundant_statements(document)


RULES: tuple[Rule, ...] = (
    *lint_grants.RULES,
    *lint_principals.RULES,
    *lint_conditions.RULES,
    _old_variables,
    _control_policy,
    *lint_actions.RULES,
    *lint_keys.RULES,
    *lint_redundant.RULES,
)
