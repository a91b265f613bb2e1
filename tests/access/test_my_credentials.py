import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from identities.models import User
from identities.services.access_keys import create_access_key
from tests.cast import allow, browser_of, principal_of

PAGE = reverse("access:my-credentials")


def test_it_shows_what_one_has(alice: User) -> None:
    key, _ = create_access_key(by=principal_of(alice), user=alice)
    text = browser_of(alice).get(PAGE).content.decode()
    assert key.access_key_id in text and "Change password" in text


def test_root_has_the_page_too(acme: Account) -> None:
    text = browser_of(acme).get(PAGE).content.decode()
    assert "Change password" in text and "not allowed" not in text


def test_without_permissions_each_part_says_which_is_missing(bob: User) -> None:
    reply = browser_of(bob).get(PAGE)
    text = reply.content.decode()
    assert reply.status_code == 200
    others = ("iam:ListSSHPublicKeys", "iam:ListSigningCertificates", "iam:ListServiceSpecificCredentials")
    for action in ("iam:ChangePassword", "iam:ListMFADevices", "iam:ListAccessKeys", *others):
        assert f"<code>{action}</code>" in text
    assert text.count(bob.arn) == 6


@pytest.mark.bar(76)
def test_each_part_is_shown_by_its_own_permission(bob: User, alice: User) -> None:
    key, _ = create_access_key(by=principal_of(bob), user=bob)
    browser = browser_of(bob)
    assert key.access_key_id not in browser.get(PAGE).content.decode()
    allow(bob, "iam:ListAccessKeys", alice.arn)
    assert key.access_key_id not in browser.get(PAGE).content.decode()
    allow(bob, "iam:ListAccessKeys", bob.arn)
    assert key.access_key_id in browser.get(PAGE).content.decode()


@pytest.mark.bar(40)
@pytest.mark.parametrize("name", ["my-password", "create-my-access-key", "create-my-mfa-device"])
def test_changes_want_a_fresh_sign_in(name: str, alice: User) -> None:
    address = reverse(f"access:{name}")
    assert browser_of(alice).get(address).status_code == 200
    stale = browser_of(alice, fresh=False)
    for reply in (stale.get(address), stale.post(address, {})):
        assert reply.status_code == 302 and reverse("access:confirm") in reply.headers["Location"]


@pytest.mark.parametrize("name", ["my-credentials", "my-access-keys", "my-mfa-devices", "rotate-my-access-key"])
def test_pages_are_for_signed_in_people(name: str, acme: Account, client: Client) -> None:
    reply = client.get(reverse(f"access:{name}"))
    assert reply.status_code == 302 and reverse("access:sign-in") in reply.headers["Location"]
