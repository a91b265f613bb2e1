"""What every document passes before it is stored, whoever stores it: managed and inline policies alike."""

import json
import re

from audit.errors import LimitExceeded, MalformedPolicyDocument
from policies.engine import DocumentError, DocumentKind, Finding, lint, size
from policies.engine.aws_messages import aws_message, parse_for_api
from policies.engine.reader import MAX_CHARACTERS
from policies.own_services import catalog_of, warns_about_unknown_services

# The service model's policyDocumentType: what is not here can still be written as \u….
_STRANGE = re.compile(r"[^\t\n\r\x20-\xff]")
_ESCAPED = "Inside a string, write it as \\u followed by its four hexadecimal digits."


class DocumentRefused(MalformedPolicyDocument):
    """Says in AWS's words that a document is refused; `findings` say it for people, each with its line."""

    def __init__(self, message: str, *, field: str = "document", findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(message, field=field)
        self.findings = findings


def check_document(text: str, kind: DocumentKind = "identity") -> None:
    """Refuse a document that the engine can't read or would not understand: managed and inline policies as "identity",
    what a role's AssumeRolePolicyDocument holds as "trust". Raises DocumentRefused."""
    if strange := _strange_character(text):
        raise DocumentRefused("The policy failed legacy parsing", findings=(strange,))
    try:
        parse_for_api(text, kind)
    except DocumentError as error:
        raise DocumentRefused(aws_message(error, kind), findings=error.findings) from error


def check_size(text: str, limit: int) -> None:
    """Managed policies: characters without white space. Raises LimitExceeded."""
    length = size(text)
    if length > limit:
        raise LimitExceeded(
            f"Cannot exceed quota for PolicySize: {limit}. The document has {length} characters, white space not "
            "counted; shorten it or split it into several policies.",
            field="document",
        )


def findings_of(text: str, kind: DocumentKind = "identity", *, account_id: str = "") -> tuple[Finding, ...]:
    """Everything there is to say about a text that is being written: what would refuse it, and the advice. With an
    account, its own services are known, and it may have chosen not to be warned about unknown ones."""
    if strange := _strange_character(text):
        return (strange,)
    try:
        parse_for_api(text, kind)
    except DocumentError as error:
        return error.findings
    if not account_id:
        return lint(text, kind)
    unknown_services = warns_about_unknown_services(account_id)
    return lint(text, kind, catalog=catalog_of(account_id), unknown_services=unknown_services)


def _strange_character(text: str) -> Finding | None:
    found = _STRANGE.search(text) if len(text) <= MAX_CHARACTERS else None
    if found is None:
        return None
    line = text.count("\n", 0, found.start()) + 1
    column = found.start() - text.rfind("\n", 0, found.start())
    shown = f"“{found.group()}”" if found.group().isprintable() else f"The character U+{ord(found.group()):04X}"
    message = f"{shown} can't stand in a policy document as it is."
    return Finding("error", "CHARACTER", message, _ESCAPED, line, column, found.group())


def pretty(text: str) -> str:
    """The same document, indented; a text that is no JSON stays as it is."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return json.dumps(content, indent=2)


def readable(text: str) -> str:
    """For showing: as it was given, so that the lines that decisions name are right, unless it is all on one line."""
    return text if "\n" in text.strip() else pretty(text)
