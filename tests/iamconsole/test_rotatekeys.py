import base64
import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from audit import clock
from iamconsole.management.commands.rotatekeys import reencrypt, waiting
from identities.models import AccessKey, MFADevice, User
from identities.sealed import box
from identities.secretbox import SecretBox, SecretUnreadable
from identities.services.access_keys import create_access_key
from identities.services.mfa import create_virtual_mfa_device
from tests.cast import principal_of

pytestmark = pytest.mark.bar(79)
NEW = ("new", bytes(range(32)))


def test_it_encrypts_everything_with_the_newest_key(bob: User, settings: Any) -> None:
    key, secret = create_access_key(by=principal_of(bob), user=bob)
    device, seed = create_virtual_mfa_device(by=principal_of(bob), user=bob, name="phone")
    both = SecretBox([NEW, *settings.ENCRYPTION_KEYS])
    assert (waiting(both), reencrypt(both), waiting(both), reencrypt(both)) == (2, 2, 0, 0)
    alone = SecretBox([NEW])
    assert alone.open(AccessKey.objects.get().secret_encrypted, key.sealed_row) == secret
    assert alone.open(MFADevice.objects.get().seed_encrypted, device.sealed_row) == seed


def test_old_keys_open_nothing_afterwards(bob: User, settings: Any) -> None:
    key, _ = create_access_key(by=principal_of(bob), user=bob)
    reencrypt(SecretBox([NEW, *settings.ENCRYPTION_KEYS]))
    with pytest.raises(SecretUnreadable):
        box().open(AccessKey.objects.get().secret_encrypted, key.sealed_row)


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
    """A key file with the key that the tests run with."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.delenv("SECRET_KEY")
    key_id, key = settings.ENCRYPTION_KEYS[0]
    stored = {"secret_key": "x" * 60, "encryption_keys": [{"id": key_id, "key": base64.b64encode(key).decode()}]}
    (tmp_path / "keys.json").write_text(json.dumps(stored))
    return tmp_path / "keys.json"


def run(*options: str) -> str:
    out = StringIO()
    call_command("rotatekeys", *options, stdout=out)
    return out.getvalue()


def test_a_new_key_goes_in_front_of_the_file(key_file: Path) -> None:
    before = json.loads(key_file.read_text())
    assert "restart the console" in run("--add-key")
    after = json.loads(key_file.read_text())
    assert after["encryption_keys"][1:] == before["encryption_keys"]
    assert len(base64.b64decode(after["encryption_keys"][0]["key"])) == 32
    assert key_file.stat().st_mode & 0o777 == 0o600


def test_old_keys_stay_while_something_needs_them(bob: User, key_file: Path) -> None:
    create_access_key(by=principal_of(bob), user=bob)
    run("--add-key")
    with pytest.raises(CommandError, match="1 secrets still need an older key"):
        run("--forget-old")
    assert len(json.loads(key_file.read_text())["encryption_keys"]) == 2


@pytest.mark.django_db
def test_old_keys_are_forgotten_when_nothing_needs_them(key_file: Path) -> None:
    run("--add-key")
    with pytest.raises(CommandError, match="Temporary credentials made before the newest key may live until"):
        run("--forget-old")
    with time_machine.travel(clock.now() + timedelta(hours=36, minutes=1)):
        assert "1 old keys were removed" in run("--forget-old")
    assert len(json.loads(key_file.read_text())["encryption_keys"]) == 1


@pytest.mark.django_db
def test_old_keys_can_be_forgotten_at_once(key_file: Path) -> None:
    run("--add-key")
    assert "1 old keys were removed" in run("--forget-old", "--now")


def test_keys_of_the_environment_are_left_to_the_operator() -> None:
    with pytest.raises(CommandError, match="ENCRYPTION_KEYS"):
        run("--add-key")


@pytest.mark.django_db
def test_with_nothing_to_do_it_says_so() -> None:
    assert "0 secrets" in run()
