"""What is committed holds no key: neither a file that is one, nor one within another file."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.rig.sources import ROOT

KEY_FILE = re.compile(r"(keys\.json|\.env|\.pem|\.key|\.p12|\.pfx|\.sqlite3|id_(rsa|ecdsa|ed25519)|credentials)$")
# The head of a private key with the beginning of one after it, and what AWS, GitHub and Slack call theirs.
KEY = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{16}"
    rb"|\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"
    rb"|\b(?:gh[oprsu]_[A-Za-z0-9]{36}|github_pat_\w{22}|xox[abprs]-[\w-]{20})"
    rb"|(?i:secret_?access_?key)[\"' ]*[:=][\"' ]*[A-Za-z0-9/+]{40}\b"
    rb"|(?i:secret_key|encryption_keys)[\"' ]*[:=][\"' ]*[\w+/:=-]{43}"
)
# AWS's documented examples are called so; ids that our tests make up hold six As in a row.
MADE_UP = re.compile(rb"EXAMPLE|(?:AKIA|ASIA)[A-Z2-7]*AAAAAA")


def committed() -> list[str]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("This is no clone of the repository.")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]


def keys_in(path: Path) -> list[bytes]:
    content = path.read_bytes()
    if b"\0" in content[:8000]:
        return []
    return [found[0] for found in KEY.finditer(content) if not MADE_UP.search(found[0])]


@pytest.mark.bar(86)
def test_no_key_is_in_the_repository() -> None:
    names = committed()
    assert len(names) > 100
    assert not [name for name in names if KEY_FILE.search(name)]
    assert not [(name, keys) for name in names if (keys := keys_in(ROOT / name))]


@pytest.mark.bar(86)
@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN " + "PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n",
        "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n",
        'key = "AKIA' + 'R7QX2MZPLD5WKTYB"',
        "aws_secret_access_key = " + "0123456789abcdefghij" * 2,
        'SECRET_KEY = "' + "0123456789abcdefghij" * 3 + '"',
    ],
)
def test_one_would_be_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "notes.txt").write_text(text)
    assert len(keys_in(tmp_path / "notes.txt")) == 1
