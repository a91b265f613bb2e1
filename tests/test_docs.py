"""What a person can set, run or depend on is documented."""

import re
from pathlib import Path

import pytest

from scripts import bar

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = (ROOT / "iamconsole/settings.py").read_text() + (ROOT / "iamconsole/env.py").read_text()
NAMES = sorted(set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', SETTINGS)))
COMMANDS = sorted(path.stem for path in ROOT.glob("*/management/commands/[a-z]*.py"))
PACKAGES = re.findall(r"^([a-z][a-z0-9-]*)", (ROOT / "requirements.in").read_text(), re.MULTILINE)


def test_there_is_something_to_document() -> None:
    assert "TRUSTED_PROXY_COUNT" in NAMES and "serve" in COMMANDS and "django" in PACKAGES


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/settings.md").read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"manage.py {command}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_dependency_has_its_reason(package: str) -> None:
    assert package in (ROOT / "docs/DEPENDENCIES.md").read_text()


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_links_between_the_documents_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text())
    assert not [link for link in links if "://" not in link and not (ROOT / link).exists()]


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "docs/fast-path.md"])
def test_what_the_documents_name_is_there(page: str) -> None:
    named = re.findall(r"`([a-z_]+/[\w./-]+)`", (ROOT / page).read_text())
    assert len(named) > 30
    assert not [path for path in named if not (ROOT / path).exists()]


def test_tests_that_the_page_on_speed_names_are_there() -> None:
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs/fast-path.md").read_text())
    there = "".join(path.read_text() for path in ROOT.glob("tests/*/test_*.py"))
    assert named and not [name for name in named if f"def {name}(" not in there]


@pytest.mark.parametrize("target", ["make run", "make test", "make check", "make bar"])
def test_the_readme_names_the_ways_in(target: str) -> None:
    assert target in (ROOT / "README.md").read_text()


def test_every_requirement_of_security_has_one_row() -> None:
    assert [number for number, _ in bar.rows()] == list(range(1, bar.LAST + 1))


def test_a_requirement_says_itself_that_it_is_not_promised() -> None:
    said = {number for number, text in bar.rows() if "**Not promised:**" in text}
    assert said == set(range(1, bar.LAST + 1)) - set(bar.numbers(bar.PROMISED))


@pytest.mark.bar(136)
def test_who_finds_a_hole_reads_where_to_say_it_in_private_and_that_it_is_mended_for_free() -> None:
    assert "(SECURITY.md)" in (ROOT / "README.md").read_text()
    told = " ".join((ROOT / "SECURITY.md").read_text().split())
    promised = (
        "Report a vulnerability privately",
        "Fixes are made for every supported version, for free",
        "Supported: ",
    )
    assert not [each for each in promised if each not in told]
