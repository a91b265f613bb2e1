"""The console's own source, for tests that read it. The apps are those that the import contracts know, which
`test_architecture` holds against the folders: one that is new is read by every such test."""

import ast
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CONFIG: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
APPS: tuple[str, ...] = tuple(CONFIG["root_packages"])


def sources(folders: Iterable[str] = APPS) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(file: Path) -> Iterator[str]:
    """Every module that a file names in an import, `from a import b` as `a.b`."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(file: Path) -> set[str]:
    """The names of all functions that a file calls."""
    nodes = ast.walk(ast.parse(file.read_text()))
    functions = [node.func for node in nodes if isinstance(node, ast.Call)]
    return {getattr(function, "attr", getattr(function, "id", "")) for function in functions}
