"""Every page: no accessibility violation in light and in dark, nothing wider than a small phone, no complaint of the
browser under the strict content policy. Walks the addresses, so that a new page is looked at without being named."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from playwright.sync_api import BrowserContext, Page, expect

from access.route_tables import create_route_table
from access.self_check.report import finding_id
from accounts.ids import new_unique_id
from accounts.models import Account
from audit import clock
from audit.models import Event
from federation.services.oidc_providers import create_oidc_provider
from federation.services.saml_providers import create_saml_provider
from identities.models import (
    Group,
    GroupAttachment,
    GroupInlinePolicy,
    InstanceProfile,
    Membership,
    MFADevice,
    RoleTag,
    User,
    UserInlinePolicy,
    UserTag,
)
from identities.sealed import box
from identities.services.access_keys import create_access_key
from identities.services.instance_profiles import create_instance_profile
from identities.services.machines import register_machine
from identities.services.server_certificates import upload_server_certificate
from identities.services.service_credentials import create_service_specific_credential
from identities.services.signing_certificates import upload_signing_certificate
from identities.services.ssh_public_keys import upload_ssh_public_key
from policies.models import ManagedPolicy, PolicyTag
from policies.own_services import create_service
from policies.services import create_policy, create_policy_version
from tests.browser.people import sign_in_as
from tests.cast import allow, browser_of, make_role, make_user, principal_of, trusting
from tests.federation.companies import metadata, pem
from tests.identities.certificates import issue, ssh_key
from tests.policies.documents import GARDEN
from tests.rig.browser import AxeCheck

# How a page looks does not depend on the database, and the walk takes minutes; that it answers is walked on both.
pytestmark = pytest.mark.sqlite

DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}'
NEARLY = {
    "Sid": "WithMFA",
    "Effect": "Allow",
    "Action": ["iam:ListGroups", "iam:ListUsers"],
    "Resource": "*",
    "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
}
DENIES = {"Sid": "Never", "Effect": "Deny", "Action": "iam:ListGroups", "Resource": "*"}
PROGRAMS = ("endpoint", "authorize", "authorize-forward", "authorize-envoy", "authorize-envoy-root", "authorize-minio")
MACHINES = ("join-machine", "machine-credentials")
ROUTES = "GET,HEAD api.example.com /orders/{order} orders:GetOrder arn:aws:orders::{account}:order/{order}"
# Not pages: they answer programs, fragments, files, or only a POST.
PUBLISHED = ("saml-metadata", "tokens", "token-keys")
NO_PAGES = {
    "healthz",
    "readyz",
    "policies:search-actions",
    "access:count-security-findings",
    "access:security-findings-csv",
    "access:security-findings-json",
    *(f"api:{name}" for name in (*PROGRAMS, *MACHINES)),
    *(f"federation:{name}" for name in PUBLISHED),
}
# A link that works once; looked at where it is used.
ONE_TIME = {"access:oidc-callback", "access:set-up", "access:reset-password", "accounts:accept-primary-email-update"}
WITHOUT_SIGN_IN = {
    "access:sign-in",
    "access:sign-in-account",
    "access:root-sign-in",
    "access:forgot-password",
}


def named(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from named(pattern, f"{pattern.namespace}:" if pattern.namespace else space)
        else:
            yield f"{space}{pattern.name}", pattern


PAGES = {name: pattern for name, pattern in named(get_resolver()) if name not in NO_PAGES | ONE_TIME}


@pytest.fixture
def words(alice: User) -> dict[str, Any]:
    """An account in which every page has something to show, and the words that addresses are made of."""
    by = principal_of(alice)
    user = make_user(alice.account, "carol")
    UserTag.objects.create(user=user, key="Team", value="Storage")
    allow(user, "iam:ListUsers", name="look")
    group = Group.objects.create(account=alice.account, name="Lookers", unique_id=new_unique_id("AGPA"))
    Membership.objects.create(user=user, group=group, slot=1)
    GroupInlinePolicy.objects.create(group=group, name="look", document=DOCUMENT)
    create_service(by=by, prefix="garden", name="Our garden", definition=GARDEN)
    create_saml_provider(by=by, name="corp", metadata=metadata(), tags={"Team": "red"}, private_key=pem("ours"))
    create_oidc_provider(by=by, url="https://id.example.com/tenant", client_ids=["app"], tags={"Team": "red"})
    policy = create_policy(by=by, name="SeeUsers", document=DOCUMENT, description="Look at the list")
    GroupAttachment.objects.create(group=group, policy=policy, slot=1)
    User.objects.filter(pk=user.pk).update(boundary=ManagedPolicy.objects.get(account=None, name="PowerUserAccess"))
    create_policy_version(by=by, policy=policy, document=DOCUMENT.replace("ListUsers", "GetUser"))
    role = make_role(alice.account, "Worker", trusting(user.arn), description="Runs the nightly job")
    RoleTag.objects.create(role=role, key="Team", value="Storage")
    allow(role, "iam:ListUsers", name="look")
    served = issue("shop.example.com", by=(authority := issue("Our authority")), last_day=9)
    upload_server_certificate(
        by=by,
        name="shop.example.com",
        body=served.body,
        private_key=served.private_key,
        chain=authority.body,
        tags={"Team": "Storage"},
    )
    PolicyTag.objects.create(bearer=policy, key="Team", value="Storage")
    for owner in (alice, user):
        key, _ = create_access_key(by=by, user=owner)
        device = MFADevice(account=alice.account, user=owner, name=owner.name, slot=1, enabled_at=clock.now())
        device.seed_encrypted = box().seal("A" * 32, device.sealed_row)
        device.save()
    profile = create_instance_profile(by=by, name="web")
    InstanceProfile.objects.filter(pk=profile.pk).update(role=role)
    register_machine(by=by, name="build-1", profile=profile)
    event = refusal_of(user)
    return {
        "user_name": "carol",
        "machine_name": "build-1",
        "profile_name": "web",
        "group_name": "Lookers",
        "role_name": "Worker",
        "scope": "own",
        "service_prefix": "garden",
        "policy_name": "look",
        "version_id": "v2",
        "access_key_id": key.access_key_id,
        "device_name": "carol",
        **further_credentials(user, alice),
        "certificate_name": "shop.example.com",
        "table_name": create_route_table(by=by, name="look", signing_name="look", routes=ROUTES).name,
        "event_id": event.event_id,
        "session_id": uuid.uuid4(),
        "finding_id": finding_id(alice.account_id, "NO_AUDITOR", ""),
        "provider_name": "corp",
        "provider_url": "id.example.com/tenant",
        "account": "acme",
        "mark": "0" * 16,
        "own_key": alice.access_keys.get().access_key_id,
    }


def further_credentials(user: User, administrator: User) -> dict[str, str]:
    """Of both; what the pages about oneself show are the administrator's own."""
    by = principal_of(administrator)
    key = upload_ssh_public_key(by=by, user=user, body=f"{ssh_key()} carol@laptop")
    made, _ = create_service_specific_credential(by=by, user=user, service="logs.amazonaws.com", age_days=30)
    certificate = upload_signing_certificate(by=by, user=user, body=issue("carol").body)
    own = upload_signing_certificate(by=by, user=administrator, body=issue("alice").body)
    return {
        "ssh_public_key_id": key.pk,
        "credential_id": made.pk,
        "certificate_id": certificate.pk,
        "own_certificate": own.pk,
    }


def refusal_of(user: User) -> Event:
    """A refusal with something to explain: a condition that was not met, and a Deny."""
    document = json.dumps({"Version": "2012-10-17", "Statement": [NEARLY, DENIES]}, indent=2)
    UserInlinePolicy.objects.create(user=user, name="nearly", document=document)
    browser_of(user).get("/identities/groups/")
    return Event.objects.get(outcome="Denied")


def address(name: str, words: dict[str, Any]) -> str:
    wanted = dict(words)
    if "scope" in PAGES[name].pattern.converters:
        wanted["policy_name"] = "SeeUsers"
    if name.startswith("access:") and "own_key" in words:
        mine = {"access_key_id": words["own_key"], "certificate_id": words["own_certificate"]}
        wanted |= {**mine, "device_name": "alice"}
    path = reverse(name, kwargs={word: wanted[word] for word in PAGES[name].pattern.converters})
    return path + "?name=dora&way=clone&source=carol&reviewed=carol&q=car"


def look_at(page: Page, path: str, axe_check: AxeCheck) -> None:
    reply = page.goto(path)
    if reply is None or reply.status in (204, 400, 404, 405):
        return
    axe_check(page)
    page.set_viewport_size({"width": 400, "height": 800})
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 400, f"{path} is {width} pixels wide on a small screen."
    page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.bar(57)
@pytest.mark.parametrize("name", sorted(PAGES.keys() - WITHOUT_SIGN_IN))
def test_every_page_is_accessible_and_fits_a_phone(
    name: str,
    page: Page,
    context: BrowserContext,
    base_url: str,
    alice: User,
    words: dict[str, Any],
    axe_check: AxeCheck,
) -> None:
    sign_in_as(context, base_url, alice)
    look_at(page, address(name, words), axe_check)


@pytest.mark.bar(57)
@pytest.mark.parametrize("name", sorted(WITHOUT_SIGN_IN))
def test_every_page_for_strangers_is_accessible_and_fits_a_phone(
    name: str, page: Page, acme: Account, axe_check: AxeCheck
) -> None:
    look_at(page, address(name, {"account": "acme"}), axe_check)


ROOTS_OWN = [
    name
    for name in sorted(PAGES)
    if name.startswith(("access:my-", "access:create-my", "access:protect", "access:dash"))
]


@pytest.mark.parametrize("name", ROOTS_OWN)
def test_roots_own_pages_are_accessible_and_fit_a_phone(
    name: str, page: Page, context: BrowserContext, base_url: str, acme: Account, axe_check: AxeCheck
) -> None:
    sign_in_as(context, base_url, acme)
    look_at(page, reverse(name), axe_check)


@pytest.mark.parametrize("path", ["/identities/users/", "/policies/", "/audit/", "/identities/groups/", "/dashboard/"])
def test_pages_that_refuse_are_accessible_and_fit_a_phone(
    path: str, page: Page, context: BrowserContext, base_url: str, bob: User, axe_check: AxeCheck
) -> None:
    sign_in_as(context, base_url, bob)
    look_at(page, path, axe_check)


def test_a_refused_part_of_a_page_leads_to_its_explanation(
    page: Page, context: BrowserContext, base_url: str, bob: User, axe_check: AxeCheck
) -> None:
    sign_in_as(context, base_url, bob)
    page.goto("/me/")
    page.get_by_role("link", name="Explain this decision").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("was refused")
    look_at(page, page.url, axe_check)


def test_the_page_for_what_is_not_there_is_accessible(page: Page, db: None, axe_check: AxeCheck) -> None:
    page.goto("/there/is/nothing/here")
    axe_check(page)
