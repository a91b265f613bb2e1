"""What the environment says is what the settings hold."""

import pytest

from iamconsole.env import read_quotas


def test_quotas_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_quotas() == {}
    monkeypatch.setenv("QUOTA_USERS", "20000")
    monkeypatch.setenv("QUOTA_ACCESS_KEYS", "5")
    assert read_quotas() == {"users": 20_000, "access_keys": 5}
