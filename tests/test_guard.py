"""Every address declares which action it is, asks whether it may be done, and changes nothing by being read."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.test import Client

from access.models import ActionUse, ConsoleSession, Throttle
from audit.models import Event
from identities.models import User
from tests import addresses
from tests.addresses import DECLARED, PATTERNS, address
from tests.cast import browser_of

acme, alice = addresses.acme, addresses.alice

ROOT = Path(__file__).resolve().parents[1]

# Open to strangers, each with its written reason; a new one has to be added here by somebody who means it.
PUBLIC = {
    "healthz",
    "readyz",
    "api:endpoint",
    "api:authorize",
    "api:authorize-forward",
    "api:authorize-envoy",
    "api:authorize-envoy-root",
    "api:authorize-minio",
    "api:join-machine",
    "api:machine-credentials",
    "access:set-up",
    "access:sign-in",
    "access:sign-in-account",
    "access:root-sign-in",
    "access:root-password",
    "access:second-factor",
    "access:new-password",
    "access:forgot-password",
    "access:reset-root-password",
    "access:reset-password",
    "access:password-strength",
    "access:sign-out",
    "federation:saml-metadata",
    "access:saml-start",
    "access:saml",
    "access:saml-sign-in",
    "access:oidc-start",
    "access:oidc-callback",
    "access:choose-role",
    "access:federation",
    "access:federation-go-on",
    "federation:tokens",
    "federation:token-keys",
}
# The only ones without a CSRF token: each call is signed or carries a proxy's own token; a form of another site is
# shown again and no more, and a broker's program shows temporary credentials.
WITHOUT_TOKEN = {name for name in PUBLIC if name.startswith("api:")} | {"access:saml", "access:federation"}

# Pages that are several of AWS's actions at once, and have a name of their own.
OF_SEVERAL_ACTIONS = {"clone-user", "clone-user-review", "move-user", "move-user-review", "get-account-settings"}


ASKING = sorted(name for name, declaration in DECLARED.items() if declaration.kind == "requires")


def kebab(action: str) -> str:
    """iam:CreateUser → create-user; MFA and the like stay one word."""
    name = action.partition(":")[2]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


@pytest.mark.bar(59)
@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_every_address_declares_what_it_is(name: str) -> None:
    assert name in DECLARED
    declaration = DECLARED[name]
    assert declaration.action if declaration.kind == "requires" else len(declaration.reason) > 20


@pytest.mark.bar(59)
def test_only_the_named_addresses_are_open_to_strangers() -> None:
    assert {name for name, declaration in DECLARED.items() if declaration.kind == "public"} == PUBLIC


@pytest.mark.parametrize("name", [name for name in ASKING if not name.startswith("access:")])
def test_addresses_are_named_after_their_action(name: str) -> None:
    """Pages about oneself are named for oneself; every other begins with one of the actions that it asks for."""
    declaration = DECLARED[name]
    own_name = name.rpartition(":")[2]
    actions = (declaration.action, *declaration.also)
    assert own_name in OF_SEVERAL_ACTIONS or any(own_name.startswith(kebab(action)) for action in actions)


@pytest.mark.bar(45)
@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_only_signed_calls_go_without_a_csrf_token(name: str) -> None:
    assert getattr(PATTERNS[name].callback, "csrf_exempt", False) == (name in WITHOUT_TOKEN)


@pytest.mark.bar(58)
@pytest.mark.parametrize("app", ["accounts", "audit", "identities", "policies", "federation", "access"])
def test_views_have_no_rule_but_the_gate_on_their_request(app: str) -> None:
    views = [path for path in (ROOT / app).rglob("*.py") if "views" in path.relative_to(ROOT).as_posix()]
    assert views
    for path in views:
        for module in imported(path):
            assert not module.startswith(("access.gate", "policies.engine.evaluate")), path
            assert module not in ("policies.engine.evaluate", "policies.engine.might_allow"), path


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.bar(59)
@pytest.mark.parametrize("name", sorted(PATTERNS.keys() - PUBLIC))
def test_a_stranger_is_sent_to_the_sign_in_page(name: str, client: Client, words: dict[str, Any]) -> None:
    for send in (client.get, client.post):
        reply = send(address(name, words))
        assert reply.status_code == 302 and reply.headers["Location"].startswith("/signin/"), name


def refused(send: Callable[..., Any], path: str) -> bool:
    return bool(send(path).status_code == 403)


@pytest.mark.bar(53, 59)
@pytest.mark.parametrize("name", ASKING)
def test_somebody_without_permissions_is_refused_by_page_fragment_and_form(
    name: str, bob: User, words: dict[str, Any]
) -> None:
    browser, path = browser_of(bob), address(name, words)
    assert refused(browser.get, path) and refused(browser.post, path)
    fragment = browser.get(path, headers={"HX-Request": "true"})
    assert fragment.status_code == 403 and "<html" not in fragment.content.decode()


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables; when a session was last seen, what was last tried, and how often a stranger looked for
    something that is not there, is all that reading may change."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for model in set(apps.get_models()) - {ActionUse, Throttle}:
        manager: models.Manager[Any] = model._default_manager
        tables[model._meta.label] = list(manager.order_by("pk").values())
    for row in tables[ConsoleSession._meta.label]:
        del row["last_seen_at"]
    return tables


@pytest.mark.sqlite  # What a view does not write, it writes on no database.
@pytest.mark.bar(46)
@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_reading_changes_nothing(name: str, alice: User, words: dict[str, Any]) -> None:
    browser, path = browser_of(alice), address(name, words)
    query = "?name=dora&groups=Lookers&source=alice&status=Inactive&confirmation=alice&go=review&leave=Lookers"
    before = everything()
    for send in (browser.get, browser.head, browser.options):
        send(path)
        send(path + query)
    after = everything()
    assert after == before, [label for label in after if after[label] != before[label]]
    assert not Event.objects.filter(outcome="Failure").exists()
