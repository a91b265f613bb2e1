"""What the built-in policy IAMSelfManageCredentials is for: everything about one's own credentials, nothing about
another's."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import Event
from identities.models import User, UserAttachment
from identities.services.service_credentials import create_service_specific_credential
from identities.services.signing_certificates import upload_signing_certificate
from identities.services.ssh_public_keys import upload_ssh_public_key
from policies.models import ManagedPolicy
from tests.cast import browser_of, make_user, principal_of
from tests.identities.certificates import issue, ssh_key
from tests.test_guard import kebab

LOGS, GIT = "logs.amazonaws.com", "codecommit.amazonaws.com"
Form = Callable[[], dict[str, str]]


def inactive() -> dict[str, str]:
    return {"status": "Inactive"}


# Page, which of the user's credentials it is about, and the form.
PAGES: list[tuple[str, str, Form | None]] = [
    ("list-ssh-public-keys", "", None),
    ("upload-ssh-public-key", "", lambda: {"body": ssh_key(1)}),
    ("update-ssh-public-key", "ssh", inactive),
    ("delete-ssh-public-key", "ssh", dict),
    ("list-signing-certificates", "", None),
    ("upload-signing-certificate", "", lambda: {"body": issue("new").body}),
    ("update-signing-certificate", "certificate", inactive),
    ("delete-signing-certificate", "certificate", dict),
    ("list-service-specific-credentials", "", None),
    ("create-service-specific-credential", "", lambda: {"service": GIT}),
    ("reset-service-specific-credential", "service", dict),
    ("update-service-specific-credential", "service", inactive),
    ("delete-service-specific-credential", "service", dict),
]


@pytest.fixture
def bob(bob: User) -> User:
    """He has that policy, and no other."""
    policy = ManagedPolicy.objects.get(account=None, name="IAMSelfManageCredentials")
    UserAttachment.objects.create(user=bob, policy=policy, slot=1)
    return bob


def owned(user: User, by: User) -> dict[str, str]:
    key = upload_ssh_public_key(by=principal_of(by), user=user, body=ssh_key())
    certificate = upload_signing_certificate(by=principal_of(by), user=user, body=issue(user.name).body)
    credential, _ = create_service_specific_credential(by=principal_of(by), user=user, service=LOGS)
    return {"ssh": key.pk, "certificate": certificate.pk, "service": credential.pk}


def go(browser: Client, name: str, user: User, words: list[str], form: Form | None) -> Any:
    address = reverse(f"identities:{name}", args=[user.name, *words])
    opened = browser.get(address)
    if form is None:
        return opened
    seen = re.search(r'name="seen" value="([^"]*)"', opened.content.decode())
    return browser.post(address, {**form(), **({"seen": seen[1]} if seen else {})})


@pytest.mark.parametrize(("name", "kind", "form"), PAGES, ids=[name for name, _, _ in PAGES])
def test_one_may_do_it_to_oneself_and_to_nobody_else(
    alice: User, bob: User, name: str, kind: str, form: Form | None
) -> None:
    carol, browser = make_user(bob.account, "carol"), browser_of(bob)
    his, hers = owned(bob, by=alice), owned(carol, by=alice)
    reply = go(browser, name, bob, [his[kind]] if kind else [], form)
    assert reply.status_code in (200, 302) and "not allowed" not in reply.content.decode()
    last = Event.objects.latest("id")
    if form is not None:
        assert (last.principal_name, last.outcome) == ("bob", "Success") and name == kebab(last.action)

    assert go(browser, name, carol, [hers[kind]] if kind else [], form).status_code == 403
    assert not Event.objects.filter(pk__gt=last.pk, outcome="Success").exists()


def test_a_user_below_a_path_manages_its_own_too(bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(path="/ops/")
    assert browser_of(bob).get(reverse("identities:list-ssh-public-keys", args=["bob"])).status_code == 200
