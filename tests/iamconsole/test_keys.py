import json
import stat
from pathlib import Path

import pytest

from iamconsole import env


@pytest.fixture
def empty_data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("SECRET_KEY")
    monkeypatch.delenv("ENCRYPTION_KEYS")
    return tmp_path / "data"


@pytest.mark.bar(79, 86)
def test_keys_are_made_once_and_only_their_owner_reads_them(empty_data_dir: Path) -> None:
    assert env.ensure_key_file()
    before = env.key_file().read_text()
    assert not env.ensure_key_file()
    assert env.key_file().read_text() == before
    assert stat.S_IMODE(env.key_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(empty_data_dir.stat().st_mode) == 0o700


@pytest.mark.bar(86)
def test_old_signing_keys_can_stay_valid(empty_data_dir: Path) -> None:
    key = env.new_encryption_key()
    env.write_key_file({"secret_key": "new", "secret_key_fallbacks": ["old"], "encryption_keys": [key]})
    keys = env.read_keys()
    assert (keys.secret_key, keys.secret_key_fallbacks) == ("new", ("old",))
    assert keys.encryption_keys[0][0] == key["id"] and len(keys.encryption_keys[0][1]) == 32


def test_the_environment_goes_before_the_file(empty_data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env.ensure_key_file()
    monkeypatch.setenv("SECRET_KEY", "from the environment")
    monkeypatch.setenv("ENCRYPTION_KEYS", "a:" + json.loads(env.key_file().read_text())["encryption_keys"][0]["key"])
    assert env.read_keys().secret_key == "from the environment"
    assert env.read_keys().encryption_keys[0][0] == "a"
