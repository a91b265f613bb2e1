"""What validation says about a document: one finding per thing, with its place in the text and what to do about it."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "security", "warning", "suggestion"]
DocumentKind = Literal[
    "identity", "resource", "trust", "session", "boundary", "service_control", "resource_control", "endpoint"
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with, or noteworthy in, a document. `value` is the offending text, where there is one."""

    severity: Severity
    code: str
    message: str
    hint: str
    line: int
    column: int
    value: str = ""


class DocumentError(Exception):
    """A document that is refused. `findings` holds at least one error, and whatever else was noticed."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        super().__init__(next(finding.message for finding in findings if finding.severity == "error"))


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding that does not yet know where it is: what the checks of single values return."""

    code: str
    message: str
    hint: str = ""
    severity: Severity = "error"
    value: str = ""
