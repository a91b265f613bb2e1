"""The console refuses to start on settings that are not safe."""

import os
import re
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.test import override_settings

from iamconsole.checks import TAG, read_committed
from tests.rig.sources import APPS, ROOT, name_of, sources

HOME = {"HOST": "127.0.0.1", "SITE_URL": "http://127.0.0.1:8000", "SITE_IS_LOOPBACK": True, "SECURE_COOKIES": False}
HTTPS = {"HOST": "0.0.0.0", "SITE_URL": "https://iam.example", "SITE_IS_LOOPBACK": False, "SECURE_COOKIES": True}  # noqa: S104 # what is judged here
PLAIN = HTTPS | {"SITE_URL": "http://iam.example", "SECURE_COOKIES": False}


def problems(**settings: object) -> list[str | None]:
    with override_settings(**settings):
        return [problem.id for problem in run_checks(tags=[TAG])]


@pytest.mark.bar(137)
def test_it_starts_on_loopback_and_behind_https() -> None:
    assert problems(**HOME) == problems(**HTTPS, ALLOWED_HOSTS=["iam.example"]) == []


@pytest.mark.bar(86, 137)
@pytest.mark.parametrize("key", ["", "short", "a" * 80, "django-insecure-" + "abcdefghij" * 8])
def test_it_refuses_a_weak_secret_key(key: str) -> None:
    assert problems(**HOME, SECRET_KEY=key) == ["iamconsole.E001"]


@pytest.mark.bar(86, 137)
@pytest.mark.parametrize("keys", [(), (("k", b"short"),), (("k", b"\0" * 32),)])
def test_it_refuses_a_weak_encryption_key(keys: tuple[tuple[str, bytes], ...]) -> None:
    assert problems(**HOME, ENCRYPTION_KEYS=keys) == ["iamconsole.E002"]


@pytest.mark.bar(126, 137)
def test_it_refuses_debug_where_others_can_reach_it() -> None:
    assert problems(**HTTPS, DEBUG=True) == ["iamconsole.E003"]
    assert problems(**HOME, DEBUG=True) == []


@pytest.mark.bar(137)
def test_it_refuses_http_where_others_can_reach_it() -> None:
    assert problems(**PLAIN) == ["iamconsole.E004"]
    assert problems(**HOME | {"HOST": "0.0.0.0"}) == ["iamconsole.E004"]  # noqa: S104 # what is judged here


@pytest.mark.parametrize("seconds", [899, 21601, 0, -1])
def test_it_refuses_credentials_of_machines_that_last_too_short_or_too_long(seconds: int) -> None:
    assert problems(**HOME, MACHINE_CREDENTIALS_SECONDS=seconds) == ["iamconsole.E006"]


@pytest.mark.bar(131, 137)
@pytest.mark.parametrize("host", ["*", ".example.com"])
def test_it_refuses_host_names_that_are_not_exact(host: str) -> None:
    assert problems(**HTTPS, ALLOWED_HOSTS=["iam.example", host]) == ["iamconsole.E005"]


@pytest.mark.bar(86, 137)
def test_the_wsgi_application_does_not_come_up_without_keys(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import iamconsole.wsgi"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode != 0
    assert "iamconsole.E001" in result.stderr and "iamconsole.E002" in result.stderr


@pytest.mark.bar(133)
def test_there_is_no_admin_site(settings: pytest.FixtureRequest) -> None:
    apps: list[str] = settings.INSTALLED_APPS  # type: ignore[attr-defined] # pytest-django's settings
    assert not [app for app in apps if "admin" in app or app == "django.contrib.auth"]


@pytest.mark.bar(138)
def test_only_the_clock_asks_the_time() -> None:
    asks = re.compile(
        r"timezone\.now|datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns|gmtime|localtime|clock_gettime)\b"
        r"|from time import .*\b(time|time_ns|gmtime|localtime|clock_gettime)\b|\bNow\(\)|CURRENT_(TIMESTAMP|DATE)"
    )
    found = [name_of(path) for path in sources((*APPS, "scripts")) if asks.search(path.read_text())]
    # The agent runs on somebody's machine, and has only that machine's clock.
    assert found == ["audit/clock.py", "iamconsole/agent/keeper.py"]


def test_it_refuses_another_isolation_level() -> None:
    options = {"default": settings.DATABASES["default"] | {"OPTIONS": {"isolation_level": 4}}}
    assert read_committed(None) == []
    with patch.object(settings, "DATABASES", options):
        assert [problem.id for problem in read_committed(None)] == ["iamconsole.E007"]
