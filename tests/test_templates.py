"""Templates hold no script, no style, nothing from elsewhere, and trust no text."""

import re
from pathlib import Path

import pytest

from tests.rig.sources import ROOT, name_of, sources

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=\"|javascript:|hx-on", re.IGNORECASE)
ELSEWHERE = re.compile(r"(src|href|action)=\"(https?:)?//", re.IGNORECASE)


@pytest.mark.bar(48)
@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_inline_script_style_or_handler(path: Path) -> None:
    assert not INLINE.search(path.read_text())


@pytest.mark.bar(52)
@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    assert not ELSEWHERE.search(path.read_text())


@pytest.mark.bar(50)
@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_is_trusted_as_html(path: Path) -> None:
    assert not re.search(r"\|\s*safe\b|autoescape off", path.read_text())


@pytest.mark.bar(50)
def test_no_code_trusts_text_as_html() -> None:
    trusting = re.compile(r"mark_safe|Safe(String|Text)\(|SafeData|__html__|html_safe")
    found = {name_of(path) for path in sources() if trusting.search(path.read_text())}
    assert not found, "Say in this test why that text can be trusted."


@pytest.mark.bar(50)
def test_scripts_of_ours_write_no_html() -> None:
    for path in (ROOT / "static").rglob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|document\.write|eval\(|new Function", path.read_text()), path
