"""The house keeps its shape: who may import whom, and which modules know nothing of the web."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.rig.sources import APPS, CONFIG, ROOT, imports

CONTRACTS = {contract["id"]: contract for contract in CONFIG["contracts"]}
PURE = CONTRACTS["pure"]["source_modules"]

# Folders with Python that is not the console.
BESIDE = {"tests", "scripts", "bench"}

# What belongs to a conversation with a browser or a program.
HTTP = ("django.http", "django.shortcuts", "django.urls", "django.views", "audit.http")

# The apps that hold facts and rules; `access` and `api` are the two doors and do speak HTTP.
FACTS = ("accounts", "audit", "federation", "identities", "policies")


def python_packages() -> set[str]:
    return {folder.parent.name for folder in ROOT.glob("*/__init__.py")} - BESIDE


def layers() -> list[str]:
    return [layer.strip("()") for layer in CONTRACTS["apps"]["layers"]]


def files_of(module: str) -> list[Path]:
    path = ROOT.joinpath(*module.split("."))
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def within(name: str, modules: Iterable[str]) -> bool:
    return any(f"{name}.".startswith(f"{module}.") for module in modules)


def domain_files() -> list[Path]:
    """Models and services of the apps that hold facts: what pages and programs share."""
    modules = [f"{app}.{part}" for app in FACTS for part in ("models", "services")]
    return [file for module in modules for file in files_of(module) if file.exists()]


def named(files: list[Path]) -> list[str]:
    return [str(file.relative_to(ROOT)) for file in files]


def test_it_keeps_the_contracts() -> None:
    """In a process of its own: the linter sets up logging for itself and would silence ours."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout


def test_every_package_has_its_layer() -> None:
    assert python_packages() <= set(layers())


def test_every_package_is_looked_at() -> None:
    assert python_packages() == set(APPS)


def test_the_interface_contract_holds_in_every_app() -> None:
    assert set(CONTRACTS["interface"]["containers"]) == python_packages() - {"iamconsole"}


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_use_only_pure_modules(module: str) -> None:
    own = [name for file in files_of(module) for name in imports(file) if within(name, sorted(python_packages()))]
    assert [name for name in own if not within(name, PURE)] == []


@pytest.mark.parametrize("file", named(domain_files()))
def test_domain_knows_nothing_of_http(file: str) -> None:
    assert [name for name in imports(ROOT / file) if within(name, HTTP)] == []
