"""Every page that lists what there may be many of runs as many queries for many rows as for few."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from access.route_tables import create_route_table
from accounts.ids import new_unique_id
from audit import clock
from audit.services import record
from bench.pages import PAGES
from federation.services.oidc_providers import create_oidc_provider
from identities.models import (
    Group,
    GroupAttachment,
    GroupInlinePolicy,
    InstanceProfile,
    Membership,
    MFADevice,
    MFADeviceTag,
    Role,
    RoleAttachment,
    RoleTag,
    ServerCertificate,
    ServerCertificateTag,
    User,
    UserAttachment,
    UserTag,
)
from identities.services.access_keys import create_access_key
from identities.services.instance_profiles import create_instance_profile
from identities.services.machines import register_machine
from identities.services.server_certificates import upload_server_certificate
from policies.models import ManagedPolicy, PolicyTag, RegisteredService
from policies.services import create_policy
from tests.addresses import DECLARED
from tests.cast import allow, browser_of, make_role, make_user, principal_of, trusting
from tests.identities.certificates import issue

DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "a:B", "Resource": "*"}]})
USER = "carol"
SMALL = (
    "/identities/user/{user}/credentials/",
    "/identities/user/{user}/tags/",
    "/identities/role/worker/tags/",
    "/me/access-keys/",
    "/me/mfa-devices/",
    "/route-tables/",
    "/security-findings/",
    "/identities/machines/",
    "/identities/instance-profiles/",
    "/identity-providers/",
    "/identities/user/{user}/last-accessed/",
    "/identities/role/worker/last-accessed/",
    "/identities/group/everybody/last-accessed/",
    "/policies/policy/own/shared/last-accessed/",
    "/policies/services/",
    "/policies/policy/own/shared/tags/",
    "/identities/server-certificate/shared/",
    "/identities/mfa-device/shared/tags/",
)


def fill(alice: User, first: int, last: int) -> None:
    """More of everything that a page lists, all of it attached to one another."""
    account, carol = alice.account, User.objects.get(name=USER)
    everybody = Group.objects.get(name="everybody")
    worker = Role.objects.get(name="worker")
    used = ManagedPolicy.objects.get(account=None, name="IAMUserChangePassword")
    shared = ManagedPolicy.objects.get(account=account, name="shared")
    certificate, device = ServerCertificate.objects.get(name="shared"), MFADevice.objects.get(name="shared")
    for number in range(first, last):
        group = Group.objects.create(account=account, name=f"team-{number}", unique_id=new_unique_id("AGPA"))
        user = make_user(account, f"user-{number}")
        Membership.objects.create(user=user, group=everybody, slot=1)
        Membership.objects.create(user=carol, group=group, slot=number + 2)
        policy = create_policy(by=principal_of(alice), name=f"policy-{number}", document=DOCUMENT)
        UserAttachment.objects.create(user=carol, policy=policy, slot=number + 1)
        UserAttachment.objects.create(user=user, policy=used, slot=1)
        GroupAttachment.objects.create(group=group, policy=used, slot=1)
        GroupAttachment.objects.create(group=everybody, policy=policy, slot=number + 2)
        GroupInlinePolicy.objects.create(group=everybody, name=f"inline-{number}", document=DOCUMENT)
        allow(carol, "iam:ListUsers", name=f"inline-{number}")
        UserTag.objects.create(user=carol, key=f"Team{number}", value="x")
        create_access_key(by=principal_of(alice), user=user)
        role = make_role(account, f"role-{number}", trusting(user.arn, account.root_arn))
        RoleAttachment.objects.create(role=worker, policy=policy, slot=number + 1)
        RoleAttachment.objects.create(role=role, policy=used, slot=1)
        RoleTag.objects.create(role=worker, key=f"Team{number}", value="x")
        allow(worker, "iam:ListUsers", name=f"inline-{number}")
        create_oidc_provider(by=principal_of(alice), url=f"https://login-{number}.example.com", client_ids=["console"])
        profile = create_instance_profile(by=principal_of(alice), name=f"profile-{number}")
        InstanceProfile.objects.filter(pk=profile.pk).update(role=role)
        register_machine(by=principal_of(alice), name=f"machine-{number}", profile=profile)
        create_route_table(by=principal_of(alice), name=f"table-{number}", signing_name="orders", routes="")
        PolicyTag.objects.create(bearer=shared, key=f"Team{number}", value="x")
        MFADeviceTag.objects.create(bearer=device, key=f"Team{number}", value="x")
        ServerCertificateTag.objects.create(bearer=certificate, key=f"Team{number}", value="x")
        ServerCertificate.objects.create(
            account=account, name=f"at-{number}", unique_id=new_unique_id("ASCA"), expires_at=clock.now()
        )
        RegisteredService.objects.create(
            account=account,
            prefix=f"orders{number}",
            name="Orders",
            definition={"actions": [], "resource_types": [], "condition_keys": []},
            slot=number + 1,
        )
        record(principal_of(user), "iam:CreateUser", user.arn)
        browser_of(alice)


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    """What is noted once a minute, such as when a session was last seen, must not come in between."""
    with time_machine.travel(clock.now(), tick=False):
        yield


@pytest.fixture
def browser(alice: User) -> Client:
    carol = make_user(alice.account, USER)
    Group.objects.create(account=alice.account, name="everybody", unique_id=new_unique_id("AGPA"))
    make_role(alice.account, "worker")
    create_access_key(by=principal_of(alice), user=carol)
    create_access_key(by=principal_of(alice), user=alice)
    create_policy(by=principal_of(alice), name="shared", document=DOCUMENT)
    MFADevice.objects.create(account=alice.account, name="shared", seed_encrypted="never opened")
    served = issue("shared")
    upload_server_certificate(by=principal_of(alice), name="shared", body=served.body, private_key=served.private_key)
    fill(alice, 0, 2)
    return browser_of(alice)


def queries_of(browser: Client, path: str) -> int:
    assert browser.get(path).status_code == 200
    with CaptureQueriesContext(connection) as queries:
        browser.get(path)
    return len(queries)


def test_a_long_list_costs_as_many_queries_as_a_short_one(browser: Client, alice: User) -> None:
    pages = [page.format(user=USER) for page in (*PAGES, *SMALL)]
    few = {page: queries_of(browser, page) for page in pages}
    fill(alice, 2, 8)
    many = {page: queries_of(browser, page) for page in pages}
    grown = {page: (few[page], many[page]) for page in pages if many[page] > few[page]}
    assert not grown, grown


def lists() -> Iterator[str]:
    yield from (name for name in DECLARED if name.partition(":")[2].startswith(("list-", "lookup-events")))


NOT_MANY: dict[str, Any] = {
    "policies:list-policy-versions": "a policy has five versions at most",
    "identities:list-ssh-public-keys": "a user has five at most",
    "identities:list-signing-certificates": "a user has two at most",
    "identities:list-service-specific-credentials": "a user has two at most for each of a few services",
    "access:list-console-sessions": "the same table as one's own sessions, which are measured",
    "audit:lookup-events-entry": "one event",
}


@pytest.mark.parametrize("name", sorted(lists()))
def test_every_list_is_measured(name: str) -> None:
    """A new list has to be added to `bench.pages`, or to be said why it stays short."""
    measured = {resolve(page.format(user=USER).partition("?")[0]).view_name for page in (*PAGES, *SMALL)}
    assert name in measured or NOT_MANY[name]
