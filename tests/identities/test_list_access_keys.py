import pytest
from django.test import Client
from django.urls import reverse

from identities.models import LoginProfile, User, UserTag
from identities.services.access_keys import create_access_key, note_use
from tests.cast import allow, browser_of, principal_of
from tests.identities.devices import device_of

READ = ["iam:GetUser", "iam:GetLoginProfile", "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed", "iam:ListMFADevices"]


def text_of(browser: Client, user: User) -> str:
    return browser.get(reverse("identities:list-access-keys", args=[user.name])).content.decode()


def test_it_shows_password_keys_and_devices(alice: User, bob: User) -> None:
    key, _ = create_access_key(by=principal_of(bob), user=bob)
    note_use(key, service="sts", region="eu-west-1", address="192.0.2.10")
    device_of(bob)
    text = text_of(browser_of(alice), bob)
    assert all(
        part in text for part in (key.pk, "for sts in eu-west-1", "phone", "Reset the password", "/signin/acme/")
    )


def test_empty_parts_say_what_they_are_for(alice: User, bob: User) -> None:
    LoginProfile.objects.filter(user=bob).delete()
    text = text_of(browser_of(alice), bob)
    assert all(part in text for part in ("No console access", "No access keys", "No MFA device"))


def test_with_two_keys_it_says_what_to_do_instead_of_leading_to_a_refusal(alice: User, bob: User) -> None:
    create = reverse("identities:create-access-key", args=[bob.name])
    create_access_key(by=principal_of(bob), user=bob)
    assert create in text_of(browser_of(alice), bob)
    create_access_key(by=principal_of(bob), user=bob)
    text = text_of(browser_of(alice), bob)
    assert create not in text and "delete one first" in text


@pytest.mark.bar(76)
@pytest.mark.parametrize(
    ("action", "shown"),
    [("iam:GetLoginProfile", "Sign-in page"), ("iam:ListAccessKeys", "Deactivate"), ("iam:ListMFADevices", "phone")],
)
def test_each_part_has_a_permission_of_its_own(action: str, shown: str, bob: User, alice: User) -> None:
    create_access_key(by=principal_of(alice), user=alice)
    device_of(alice)
    browser = browser_of(bob)
    allow(bob, "iam:GetUser")
    assert shown not in text_of(browser, alice) and f"<code>{action}</code>" in text_of(browser, alice)
    allow(bob, ["iam:GetUser", action])
    assert shown in text_of(browser, alice)


@pytest.mark.bar(76)
def test_a_deny_by_tag_counts_for_each_part(bob: User, alice: User) -> None:
    key, _ = create_access_key(by=principal_of(alice), user=alice)
    UserTag.objects.create(user=alice, key="kind", value="secret")
    denied = {"StringEquals": {"aws:ResourceTag/kind": "secret"}}
    allow(bob, READ)
    allow(bob, "iam:ListAccessKeys", name="denied", Effect="Deny", Condition=denied)
    assert key.pk not in text_of(browser_of(bob), alice)


@pytest.mark.bar(67)
def test_reading_never_shows_secrets_or_hashes(bob: User, alice: User) -> None:
    allow(bob, ["iam:Get*", "iam:List*"])
    key, secret = create_access_key(by=principal_of(bob), user=bob)
    device, seed = device_of(bob)
    browser = browser_of(bob)
    own = ["my-credentials", "my-access-keys", "my-mfa-devices", "rotate-my-access-key"]
    text = text_of(browser, bob) + "".join(browser.get(reverse(f"access:{name}")).content.decode() for name in own)
    hidden = [secret, seed, key.secret_encrypted, device.seed_encrypted, bob.login_profile.password]
    assert key.pk in text and all(part not in text for part in hidden)


def test_it_requires_permission(bob: User, alice: User) -> None:
    page = reverse("identities:list-access-keys", args=["alice"])
    assert browser_of(bob).get(page).status_code == 403


@pytest.mark.bar(61, 127)
def test_it_hides_other_accounts(alice: User, mallory: User) -> None:
    assert browser_of(alice).get(reverse("identities:list-access-keys", args=["mallory"])).status_code == 404
