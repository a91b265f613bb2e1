"""From the text of a policy to a Document."""

import re
from dataclasses import dataclass

from policies.engine.document import UNREADABLE, Document, Statement
from policies.engine.findings import DocumentError, DocumentKind, Finding
from policies.engine.grammar import Grammar, Places
from policies.engine.reader import Positions, read

_SPACE = re.compile(r"\s+")


def parse(text: str, kind: DocumentKind = "identity") -> Document:
    """The document a text holds. Raises DocumentError, with all findings, when one of them is an error."""
    examined = examine(text, kind)
    if examined.document is None:
        raise DocumentError(examined.findings)
    return examined.document


@dataclass(frozen=True, slots=True)
class Examined:
    """What the grammar says of a text: the document (None when it is refused), the findings, and where things are."""

    document: Document | None
    findings: tuple[Finding, ...]
    positions: Positions
    places: Places


def examine(text: str, kind: DocumentKind) -> Examined:
    """Read a text by the grammar, without raising."""
    try:
        root = read(text)
    except DocumentError as error:
        return Examined(None, error.findings, Positions(text), {})
    grammar = Grammar(kind, Positions(text))
    statements: tuple[Statement, ...] = grammar.document(root)
    findings = tuple(sorted(grammar.findings, key=lambda finding: (finding.line, finding.column)))
    document = None
    if not any(finding.severity == "error" for finding in findings):
        document = Document(grammar.version, grammar.id, statements, kind)
    return Examined(document, findings, grammar.positions, grammar.places)


def unreadable(text: str) -> Document:
    """What a stored text that can't be read becomes: a document that denies everything."""
    return UNREADABLE


def size(text: str) -> int:
    """The characters of a text that count against its quota: all but white space."""
    return len(_SPACE.sub("", text))
