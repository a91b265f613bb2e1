"""Every address declares what it is, asks for it, and changes nothing by being read."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from access.models import ActionUse, ConsoleSession
from access.route_tables import create_route_table
from audit.actions import Declaration
from audit.models import Event
from audit.services import record
from federation.services.oidc_providers import create_oidc_provider
from federation.services.saml_providers import create_saml_provider
from identities.models import Group, GroupInlinePolicy, Membership, User
from identities.services.access_keys import create_access_key
from identities.services.instance_profiles import create_instance_profile
from identities.services.machines import register_machine
from identities.services.server_certificates import upload_server_certificate
from identities.services.service_credentials import create_service_specific_credential
from identities.services.signing_certificates import upload_signing_certificate
from identities.services.ssh_public_keys import upload_ssh_public_key
from policies.own_services import create_service
from policies.services import create_policy, create_policy_version
from tests.cast import allow, browser_of, make_role, principal_of
from tests.federation.companies import metadata
from tests.identities.certificates import issue, ssh_key
from tests.policies.documents import GARDEN

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}'

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


def walk(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from walk(pattern, f"{pattern.namespace}:" if pattern.namespace else space)
        else:
            yield f"{space}{pattern.name}", pattern


PATTERNS = dict(walk(get_resolver()))
DECLARED: dict[str, Declaration] = {
    name: pattern.callback.declaration for name, pattern in PATTERNS.items() if hasattr(pattern.callback, "declaration")
}
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


@pytest.fixture
def words(alice: User) -> dict[str, Any]:
    """Something behind every address."""
    by = principal_of(alice)
    allow(alice, "iam:ListUsers", name="look")
    group = Group.objects.create(account=alice.account, name="Lookers", unique_id="AGPALOOKERS")
    GroupInlinePolicy.objects.create(group=group, name="look", document=DOCUMENT)
    Membership.objects.create(user=alice, group=group, slot=1)
    create_service(by=by, prefix="garden", name="Our garden", definition=GARDEN)
    policy = create_policy(by=by, name="look", document=DOCUMENT)
    create_policy_version(by=by, policy=policy, document=DOCUMENT)
    key, _ = create_access_key(by=by, user=alice)
    served = issue("look.example.com")
    upload_server_certificate(by=by, name="look.example.com", body=served.body, private_key=served.private_key)
    create_saml_provider(by=by, name="corp", metadata=metadata())
    create_oidc_provider(by=by, url="https://id.example.com", client_ids=["app"])
    allow(make_role(alice.account, "Worker"), "iam:ListUsers", name="look")
    profile = create_instance_profile(by=by, name="web")
    register_machine(by=by, name="build-1", profile=profile)
    return {
        "machine_name": "build-1",
        "profile_name": "web",
        "user_name": "alice",
        "group_name": "Lookers",
        "role_name": "Worker",
        "scope": "own",
        "service_prefix": "garden",
        "policy_name": "look",
        "version_id": "v2",
        "access_key_id": key.access_key_id,
        "device_name": "phone",
        "ssh_public_key_id": upload_ssh_public_key(by=by, user=alice, body=ssh_key()).pk,
        "certificate_id": upload_signing_certificate(by=by, user=alice, body=issue("alice").body).pk,
        "certificate_name": "look.example.com",
        "credential_id": create_service_specific_credential(by=by, user=alice, service="logs.amazonaws.com")[0].pk,
        "table_name": create_route_table(by=by, name="look", signing_name="look", routes="").name,
        "path": "x",
        "event_id": record(by, "iam:CreateUser", "x").event_id,
        "session_id": "00000000-0000-4000-8000-000000000000",
        "public_id": "00000000-0000-4000-8000-000000000000",
        "provider_name": "corp",
        "provider_url": "id.example.com",
        "account": "acme",
        "token": "no-such-token",
        "sealed": "nothing",
        "key": "0" * 32,
    }


def address(name: str, words: dict[str, Any]) -> str:
    return reverse(name, kwargs={word: words[word] for word in PATTERNS[name].pattern.converters})


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
    """All rows of all tables; when a session was last seen, and what was last tried, is all that reading may change."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for model in set(apps.get_models()) - {ActionUse}:
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
