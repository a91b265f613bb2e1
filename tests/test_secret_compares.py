"""Secrets are compared in a time that does not depend on where they differ. A plain `==` on one is found here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.sources import name_of, sources

SECRET_WORDS = ("secret", "token", "password", "signature", "seed", "otp", "binding", "code")

# Names with such a word that hold no secret, each with its reason.
HARMLESS = {
    "error_code": "AWS's name for what went wrong",
    "status_code": "an HTTP status",
    "code": "AWS's error code; one-time codes are compared in identities.totp",
    "before": "the hash of a password, read by the same function a moment ago",
}
FORMS = "forms"  # what one person typed twice into one form


def names(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            yield name
        case ast.Call(func=function):
            yield from names(function)


def is_secret(node: ast.expr) -> bool:
    """Constants in capitals name kinds of things, never one secret."""
    suspects = [name for name in names(node) if name not in HARMLESS and not name.isupper()]
    return any(word in name.lower() for name in suspects for word in SECRET_WORDS)


def plain_compares(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
            continue
        sides = [node.left, *node.comparators]
        literal = any(isinstance(side, ast.Constant) for side in sides)
        known = any(name in HARMLESS for side in sides for name in names(side))
        if any(map(is_secret, sides)) and not literal and not known:
            yield f"{name_of(path)}:{node.lineno}: {ast.unparse(node)}"


@pytest.mark.bar(80)
def test_no_secret_is_compared_with_equals() -> None:
    files = [path for path in sources() if FORMS not in path.parts]
    assert files
    assert not [line for path in files for line in plain_compares(path)]


@pytest.mark.bar(80)
def test_such_a_comparison_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.rig.sources.ROOT", tmp_path)
    careless = tmp_path / "careless.py"
    careless.write_text("if request.token == expected:\n    pass\nif form['signature'] != computed():\n    pass\n")
    assert len(list(plain_compares(careless))) == 2
