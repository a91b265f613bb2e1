"""The pages for tags of MFA devices and instance profiles. Users and roles, whose keys ignore case, have their own."""

import html
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Account
from audit.models import Event
from identities.models import InstanceProfile, MFADevice, User
from identities.services.instance_profiles import create_instance_profile
from tests.cast import allow, browser_of, make_user, principal_of
from tests.identities.devices import device_of

KINDS = ("mfa-device", "instance-profile")
READ = {"mfa-device": "list-mfa-device-tags", "instance-profile": "get-instance-profile"}
WORD = {"mfa-device": "MFADevice", "instance-profile": "InstanceProfile"}


def bearer(kind: str, alice: User) -> MFADevice | InstanceProfile:
    if kind == "mfa-device":
        return device_of(make_user(alice.account, "carol", console=False), "thing")[0]
    return create_instance_profile(by=principal_of(alice), name="thing")


def address(name: str) -> str:
    return reverse(f"identities:{name}", args=["thing"])


def text_of(reply: Any) -> str:
    return html.unescape(" ".join(reply.content.decode().split()))


@pytest.mark.parametrize("kind", KINDS)
def test_tags_are_set_changed_removed_and_recorded(alice: User, kind: str) -> None:
    row, browser = bearer(kind, alice), browser_of(alice)
    for key, value in (("Team", "Web"), ("Team", "Shop"), ("team", "other")):
        assert browser.post(address(f"tag-{kind}"), {"key": key, "value": value}).status_code == 302
    assert sorted(row.tags.values_list("key", "value")) == [("Team", "Shop"), ("team", "other")]
    assert 'value="Shop"' in text_of(browser.get(address(READ[kind]), {"key": "Team"}))
    assert "The tag team is removed." in text_of(browser.post(address(f"untag-{kind}"), {"key": "team"}, follow=True))
    events = Event.objects.filter(action__in=[f"iam:Tag{WORD[kind]}", f"iam:Untag{WORD[kind]}"])
    assert [event.resource for event in events] == [row.arn] * 4 and row.tags.count() == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_mistake_is_said_and_what_was_typed_stays(alice: User, kind: str) -> None:
    bearer(kind, alice)
    text = text_of(browser_of(alice).post(address(f"tag-{kind}"), {"key": "aws:x", "value": "kept"}))
    assert "begin with aws:" in text and 'value="kept"' in text


@pytest.mark.bar(73)
@pytest.mark.parametrize("kind", KINDS)
def test_conditions_on_tags_count(alice: User, bob: User, kind: str) -> None:
    row = bearer(kind, alice)
    wanted = {"StringEquals": {"aws:RequestTag/Team": "Web"}}
    allow(bob, [f"iam:Tag{WORD[kind]}", f"iam:Untag{WORD[kind]}"], row.arn, Condition=wanted)
    browser = browser_of(bob)
    assert browser.post(address(f"tag-{kind}"), {"key": "Team", "value": "Root"}).status_code == 403
    assert browser.post(address(f"tag-{kind}"), {"key": "Team", "value": "Web"}).status_code == 302
    assert browser.post(address(f"untag-{kind}"), {"key": "Team"}).status_code == 403
    assert row.tags.get().value == "Web"


@pytest.mark.bar(61)
@pytest.mark.parametrize("kind", KINDS)
def test_it_hides_other_accounts(alice: User, mallory: User, kind: str) -> None:
    row, browser = bearer(kind, alice), browser_of(mallory)
    assert browser.get(address(READ[kind])).status_code == 404
    assert browser.post(address(f"tag-{kind}"), {"key": "Team", "value": "Web"}).status_code == 404
    assert browser.post(address(f"untag-{kind}"), {"key": "Team"}).status_code == 404
    assert not row.tags.exists()


def test_whose_device_it_is_is_told_to_whom_it_may_concern(alice: User, bob: User, acme: Account) -> None:
    bearer("mfa-device", alice)
    hers = reverse("identities:list-access-keys", args=["carol"])
    allow(bob, "iam:ListMFADeviceTags")
    assert hers in text_of(browser_of(alice).get(address("list-mfa-device-tags")))
    assert hers not in text_of(browser_of(bob).get(address("list-mfa-device-tags")))
    assert hers in text_of(browser_of(acme).get(address("list-mfa-device-tags")))


def test_ones_own_device_hangs_below_ones_own_credentials(alice: User) -> None:
    device_of(alice, "thing")
    browser = browser_of(alice, mfa=True)
    assert reverse("access:my-mfa-devices") in text_of(browser.get(address("list-mfa-device-tags")))
    assert address("list-mfa-device-tags") in text_of(browser.get(reverse("access:my-mfa-devices")))
