"""What holds for every address of the console: walked from their list, so that a new one can't be forgotten."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import Model
from django.test import Client, override_settings
from django.urls import reverse

from access import cookies
from access.models import ActionUse, ConsoleSession
from accounts.models import Account
from audit.actions import Declaration
from audit.models import Event
from identities.models import Group, MFADevice, User
from identities.services.access_keys import create_access_key
from tests.access.steps import CODE, NEW_PASSWORD, ROOT_EMAIL, SIGN_IN, cookie, give_cookie, sign_in
from tests.addresses import PATTERNS
from tests.cast import PASSWORD, browser_of, principal_of
from tests.identities.devices import device_of
from tests.rig.sources import APPS, ROOT, calls, name_of, sources
from tests.test_guard import WITHOUT_TOKEN

PUBLIC = {
    name for name, entry in PATTERNS.items() if getattr(entry.callback, "declaration", Declaration("")).kind == "public"
}
WORDS: dict[str, Any] = {
    "account": "acme",
    "user_name": "alice",
    "group_name": "readers",
    "scope": "aws",
    "policy_name": "AdministratorAccess",
    "access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "device_name": "phone",
    "token": "x" * 43,
    "sealed": "x",
    "event_id": "00000000-0000-0000-0000-000000000000",
    "session_id": "00000000-0000-0000-0000-000000000000",
    "public_id": "00000000-0000-0000-0000-000000000000",
    "version_id": "v1",
    "version": "v1",
    "name": "look",
}


def address(name: str) -> str:
    return reverse(name, kwargs={word: WORDS.get(word, "x") for word in PATTERNS[name].pattern.converters})


@pytest.fixture
def furnished(alice: User, bob: User) -> User:
    """An account in which most pages find something."""
    Group.objects.create(account=alice.account, name="readers", unique_id="AGPA" + "A" * 17)
    device_of(alice)
    key, _ = create_access_key(by=principal_of(alice), user=alice)
    WORDS["access_key_id"] = key.access_key_id
    return alice


def snapshot() -> dict[str, list[dict[str, object]]]:
    """Every row of ours, but the audit trail, when a session was seen last and what was tried last."""
    models: list[type[Model]] = [model for model in apps.get_models() if model not in (ActionUse, Event)]
    rows = {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}
    for session in rows["ConsoleSession"]:
        session.pop("last_seen_at")
    return rows


@pytest.mark.sqlite  # What a view does not write, it writes on no database.
@pytest.mark.bar(46)
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_reading_changes_nothing(furnished: User, method: str) -> None:
    browsers = [Client(), browser_of(furnished), browser_of(furnished.account)]
    before = snapshot()
    for name in PATTERNS:
        for browser in browsers:
            reply = getattr(browser, method)(address(name))
            assert reply.status_code < 500, name
    after = snapshot()
    assert after == before, [table for table in after if after[table] != before[table]]


@pytest.mark.bar(45)
def test_no_write_without_csrf_proof(furnished: User) -> None:
    browser = browser_of(furnished.account, enforce_csrf=True)
    before = snapshot()
    answers = {name: browser.post(address(name), {"yes": "1"}).status_code for name in set(PATTERNS) - WITHOUT_TOKEN}
    assert not {name: status for name, status in answers.items() if status not in (403, 405)}
    after = snapshot()
    assert after == before, [table for table in after if after[table] != before[table]]


@pytest.mark.bar(47)
@pytest.mark.parametrize("page", [SIGN_IN, ROOT_EMAIL, CODE, NEW_PASSWORD, "/root-signin/password/", "/setup/x/"])
def test_nobody_can_be_signed_in_from_another_site(alice: User, page: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    data = {"account": "acme", "user_name": "alice", "password": PASSWORD, "email": "root@acme.example"}
    assert browser.post(page, data).status_code == 403
    token = str(Client().get(SIGN_IN).context["csrf_token"])
    assert browser.post(page, {**data, "csrfmiddlewaretoken": token}).status_code == 403
    assert not ConsoleSession.objects.exists()


@pytest.mark.bar(48)
@pytest.mark.parametrize("page", [SIGN_IN, "/dashboard/", "/no/such/page/", "/setup/x/"])
def test_the_content_policy_is_strict_everywhere(alice: User, page: str) -> None:
    policy = browser_of(alice).get(page).headers["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == directives["object-src"] == directives["base-uri"] == "'none'"
    assert directives["frame-ancestors"] == "'none'" and directives["form-action"] == "'self'"
    assert directives["script-src"] == directives["style-src"] == "'self'"
    assert "unsafe" not in policy and "*" not in policy


@pytest.mark.bar(48)
def test_htmx_runs_no_code_from_attributes(client: Client, db: None) -> None:
    page = client.get(SIGN_IN).content.decode()
    assert '"allowEval":false' in page and '"includeIndicatorStyles":false' in page


@pytest.mark.bar(49)
@pytest.mark.parametrize("page", [SIGN_IN, "/dashboard/", "/no/such/page/"])
def test_headers_that_keep_browsers_careful(alice: User, page: str) -> None:
    https = {"SECURE_HSTS_SECONDS": 31536000, "SECURE_HSTS_INCLUDE_SUBDOMAINS": True}
    with override_settings(**https):
        headers = browser_of(alice).get(page, secure=True).headers
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert not [name for name in headers if name.startswith("Access-Control-")]


@pytest.mark.bar(23)
def test_a_half_done_sign_in_opens_no_page(client: Client, furnished: User) -> None:
    sign_in(client)
    token = cookie(client, cookies.ATTEMPT)
    assert token
    give_cookie(client, cookies.SESSION, token)
    for name in sorted(set(PATTERNS) - PUBLIC):
        for reply in (client.get(address(name)), client.post(address(name))):
            assert reply.status_code == 302 and reply.headers["Location"].startswith(SIGN_IN), name
            assert cookie(client, cookies.SESSION) == token, name


PROOFS = {"password_fits", "password_is", "verify_code", "verify_password", "check_password", "enable_mfa_device",
          "resync_mfa_device", "change_password", "redeem", "read_token", "join_machine"}  # fmt: skip
LIMITS = {"password_try", "password_tries", "code_tries", "step_try"}


@pytest.mark.bar(11)
def test_whatever_looks_at_a_proof_for_somebody_outside_has_a_limit() -> None:
    """Services look at proofs too; who may ask them how often is decided where the question comes in. Pages below the
    doors look at none: they know no limits."""
    named = re.compile("|".join(PROOFS))
    outside = [path for path in sources() if not {"services", "services.py"} & set(path.parts)]
    outside = [path for path in outside if named.search(path.read_text())]
    asking = {name_of(path): called for path in outside if (called := calls(path)) & PROOFS}
    del asking["access/password_check.py"]
    assert [name for name, called in asking.items() if not called & LIMITS] == []
    assert {name.partition("/")[0] for name in asking} == {"access", "api"} and len(asking) >= 6


def test_every_app_is_looked_at() -> None:
    ours = {app for app in settings.INSTALLED_APPS if (ROOT / app).is_dir()}
    assert ours <= set(APPS) and MFADevice in apps.get_models() and Account in apps.get_models()
