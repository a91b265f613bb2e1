"""docs/policy-validation.md says what every code means, and tells of no code that there isn't."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.engine import lint
from policies.engine.grammar import PRINCIPAL_GROUPS
from tests.policies.cases import as_text, load

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "policy-validation.md").read_text()
SEVERITIES = {"Errors": "error", "Security": "security", "Warnings": "warning", "Suggestions": "suggestion"}
# The place of the code among the arguments of what makes a finding.
PLACES = {"Problem": 0, "report": 1, "_Refused": 3, "Finding": 1, "_error": 1}
FAMILIES = {
    *(f"EMPTY_{name.upper()}" for name in ("Action", "NotAction", "Resource", "NotResource", *PRINCIPAL_GROUPS)),
    *(f"MISSING_{name}" for name in ("ACTION", "RESOURCE", "PRINCIPAL")),
    *(f"INVALID_{name}" for name in ("NUMERIC", "DATE", "BOOL", "NULL", "BINARY", "IP")),
    *("SERVICE_PRINCIPAL", "FEDERATED_PRINCIPAL", "REDUNDANT_ACTION", "REDUNDANT_RESOURCE", "INVALID_JSON"),
    *("TRUST_NOT_PRINCIPAL", "TRUST_NOT_PRINCIPAL_ALLOW"),
}


def documented() -> dict[str, str]:
    """Code and severity, as the page has them."""
    found = {}
    for section in PAGE.split("\n## ")[1:]:
        severity = SEVERITIES.get(re.split(r"[: ]", section.splitlines()[0])[0])
        for row in re.findall(r"^\| (`[A-Z][A-Z0-9_]+`(?:, `[A-Z0-9_]+`)*) \|", section, re.MULTILINE):
            found.update(dict.fromkeys(re.findall(r"`([A-Z0-9_]+)`", row), severity) if severity else {})
    return found


def written() -> Iterator[str]:
    """The codes that stand in the source."""
    for file in [*(ROOT / "policies" / "engine").glob("*.py"), ROOT / "policies" / "documents.py"]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                place = PLACES.get(name, len(node.args))
                argument = node.args[place] if place < len(node.args) else None
                if isinstance(argument, ast.Constant):
                    yield str(argument.value)


def test_every_code_is_documented() -> None:
    assert sorted({*written(), *FAMILIES}) == sorted(documented())


def test_the_page_has_a_way_out_for_each() -> None:
    rows = [row for row in PAGE.splitlines() if row.startswith("| `") and row.count("|") == 5]
    assert len(rows) > 90
    assert all(all(cell.strip() for cell in row.split("|")[1:4]) for row in rows)


@pytest.mark.parametrize("topic", ["validation", "warnings"])
def test_codes_are_as_grave_as_the_page_says(topic: str) -> None:
    grave = ["suggestion", "warning", "security", "error"]
    for case in load(topic):
        for finding in lint(as_text(case["document"]), case["kind"]):
            stated = documented()[finding.code]
            exceptions = {"OLD_VERSION", "SET_OPERATOR_NEEDLESS", "EMPTY_STATEMENT"}
            assert grave.index(finding.severity) <= grave.index(stated) or finding.code in exceptions, case["name"]
