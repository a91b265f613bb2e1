"""What the settings make of the environment, read as a console that starts reads them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.rig.sources import ROOT

# One process for all: each reading starts from the environment as it is then.
READ = """
import json, os, sys
from importlib import import_module, reload
settings, found = import_module("iamconsole.settings"), []
for words in json.loads(sys.argv[1]):
    os.environ |= words
    made = vars(reload(settings))
    found.append({name: made[name] for name in made if name.isupper()})
    for name in words:
        del os.environ[name]
print(json.dumps(found, default=str))
"""
PLAIN: dict[str, str] = {}
HTTPS = {"SITE_URL": "https://console.example.com"}
BEHIND_A_PROXY = HTTPS | {"TRUSTED_PROTO_HEADER": "X-Forwarded-Proto"}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    data: Path = tmp_path_factory.mktemp("data")
    command = [sys.executable, "-c", READ, json.dumps([PLAIN, HTTPS, BEHIND_A_PROXY])]
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(data)}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True)
    settings: list[dict[str, Any]] = json.loads(result.stdout)
    return settings


@pytest.mark.bar(49)
def test_with_https_browsers_are_told_to_keep_to_it(read: list[dict[str, Any]]) -> None:
    for settings in read[1:]:
        assert settings["SECURE_HSTS_SECONDS"] == 365 * 24 * 60 * 60
        assert settings["SECURE_HSTS_INCLUDE_SUBDOMAINS"] and settings["SECURE_SSL_REDIRECT"]
    assert read[0]["SECURE_HSTS_SECONDS"] == 0 and not read[0]["SECURE_SSL_REDIRECT"]


@pytest.mark.bar(49)
def test_the_headers_that_keep_browsers_careful_are_on(read: list[dict[str, Any]]) -> None:
    for settings in read:
        assert settings["SECURE_REFERRER_POLICY"] == settings["SECURE_CROSS_ORIGIN_OPENER_POLICY"] == "same-origin"
        assert settings["X_FRAME_OPTIONS"] == "DENY" and settings.get("SECURE_CONTENT_TYPE_NOSNIFF", True)
        assert "django.middleware.security.SecurityMiddleware" in settings["MIDDLEWARE"]


@pytest.mark.bar(36)
def test_with_https_cookies_are_secure_and_of_this_host(read: list[dict[str, Any]]) -> None:
    for settings in read[1:]:
        assert settings["SECURE_COOKIES"] and settings["SESSION_COOKIE_SECURE"] and settings["CSRF_COOKIE_SECURE"]
        assert settings["CSRF_COOKIE_NAME"] == "__Host-iam-csrf"
    for settings in read:
        assert settings["SESSION_COOKIE_HTTPONLY"] and settings["CSRF_COOKIE_HTTPONLY"]
        assert settings["CSRF_COOKIE_SAMESITE"] == settings.get("SESSION_COOKIE_SAMESITE", "Lax") == "Lax"
        assert settings["MESSAGE_STORAGE"] == "access.flash_messages.FlashMessages"
        assert not {"CSRF_COOKIE_DOMAIN", "SESSION_COOKIE_DOMAIN"} & set(settings)
    assert read[0]["CSRF_COOKIE_NAME"] == "iam-csrf" and not read[0]["SECURE_COOKIES"]


@pytest.mark.bar(132)
def test_a_proxys_word_for_https_takes_a_setting(read: list[dict[str, Any]]) -> None:
    believed = [settings["SECURE_PROXY_SSL_HEADER"] for settings in read]
    assert believed == [None, None, ["HTTP_X_FORWARDED_PROTO", "https"]]
    assert not [settings for settings in read if settings.get("USE_X_FORWARDED_HOST")]
