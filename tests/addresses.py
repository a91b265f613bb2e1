"""Every address of the console, and an account with something behind each of them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django.plugin import DjangoDbBlocker

from access.route_tables import create_route_table
from access.self_check.report import finding_id
from accounts.models import Account
from audit.actions import Declaration
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
from tests.cast import ACME, allow, make_account, make_administrator, make_role, principal_of
from tests.federation.companies import metadata
from tests.identities.certificates import issue, ssh_key
from tests.policies.documents import GARDEN

DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}'


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


@pytest.fixture(scope="module")
def furnished(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, Any]]:
    """Acme, furnished once for all tests of a module: in a transaction around theirs. A module that uses `words` and
    the people of Acme says `acme, alice = addresses.acme, addresses.alice`."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield furnish(make_administrator(make_account(ACME, "Acme", "acme"), "alice"))
        transaction.set_rollback(True)


@pytest.fixture
def words(db: None, furnished: dict[str, Any]) -> dict[str, Any]:
    """What stands in addresses of Acme for which there is something behind every address."""
    return dict(furnished)


@pytest.fixture
def acme(words: dict[str, Any]) -> Account:
    return Account.objects.get(id=ACME)


@pytest.fixture
def alice(acme: Account) -> User:
    return User.objects.get(account=acme, name="alice")


def furnish(alice: User) -> dict[str, Any]:
    """Put something behind every address."""
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
        "finding_id": finding_id(alice.account_id, "NO_AUDITOR", ""),
        "event_id": record(by, "iam:CreateUser", "x").event_id,
        "session_id": "00000000-0000-4000-8000-000000000000",
        "public_id": "00000000-0000-4000-8000-000000000000",
        "provider_name": "corp",
        "provider_url": "id.example.com",
        "account": "acme",
        "mark": "0" * 16,
        "token": "no-such-token",
        "sealed": "nothing",
        "key": "0" * 32,
    }


def address(name: str, words: dict[str, Any]) -> str:
    return reverse(name, kwargs={word: words[word] for word in PATTERNS[name].pattern.converters})
