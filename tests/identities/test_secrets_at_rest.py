import logging

import pytest
from django.core import serializers
from django.urls import reverse

from audit.models import Event
from identities.models import AccessKey, MFADevice, User
from identities.sealed import box
from identities.secretbox import SecretBox, SecretUnreadable
from identities.services.access_keys import create_access_key
from identities.services.mfa import create_virtual_mfa_device
from tests.cast import browser_of, principal_of

OLD, NEW = ("old", bytes(range(32))), ("new", bytes(range(32, 64)))


@pytest.mark.bar(79, 27)
def test_a_dump_of_the_database_holds_no_secret(bob: User) -> None:
    secret = create_access_key(by=principal_of(bob), user=bob)[1]
    seed = create_virtual_mfa_device(by=principal_of(bob), user=bob, name="phone")[1]
    rows = [*AccessKey.objects.all(), *MFADevice.objects.all(), *Event.objects.all()]
    dump = serializers.serialize("json", rows)
    assert secret not in dump and seed not in dump
    assert all(text not in str(row) + repr(row) for row in rows for text in (secret, seed))


@pytest.mark.bar(79)
def test_a_dump_alone_decrypts_nothing(bob: User) -> None:
    key, _ = create_access_key(by=principal_of(bob), user=bob)
    stranger = SecretBox([("test", bytes(range(32)))])
    with pytest.raises(SecretUnreadable):
        stranger.open(key.secret_encrypted, key.sealed_row)


@pytest.mark.bar(79)
def test_secrets_of_two_rows_cannot_be_swapped(alice: User, bob: User) -> None:
    first, _ = create_access_key(by=principal_of(alice), user=alice)
    second, _ = create_access_key(by=principal_of(bob), user=bob)
    with pytest.raises(SecretUnreadable):
        box().open(second.secret_encrypted, first.sealed_row)


@pytest.mark.bar(79)
def test_seeds_of_two_devices_cannot_be_swapped(alice: User, bob: User) -> None:
    first, _ = create_virtual_mfa_device(by=principal_of(alice), user=alice, name="hers")
    second, _ = create_virtual_mfa_device(by=principal_of(bob), user=bob, name="his")
    with pytest.raises(SecretUnreadable):
        box().open(second.seed_encrypted, first.sealed_row)


@pytest.mark.bar(79)
def test_the_newest_key_seals_and_every_key_opens() -> None:
    sealed = SecretBox([OLD]).seal("secret", "row")
    both = SecretBox([NEW, OLD])
    assert both.open(sealed, "row") == "secret"
    assert not both.is_current(sealed)
    assert both.is_current(both.seal("secret", "row"))


@pytest.mark.bar(79)
def test_altered_text_does_not_open() -> None:
    sealed = SecretBox([OLD]).seal("secret", "row")
    for broken in (sealed[:-8] + "AAAAAAA=", "2" + sealed[1:], "nonsense", "1.old.", "1.gone." + sealed[6:]):
        with pytest.raises(SecretUnreadable):
            SecretBox([OLD]).open(broken, "row")


@pytest.mark.bar(78, 27)
def test_logs_hold_no_secret(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    browser = browser_of(alice)
    create = reverse("access:create-my-access-key")
    secret = browser.post(create, {"seen": ""}).context["secret"]
    seed = browser.post(reverse("access:create-my-mfa-device"), {"name": "phone"}).context["seed"].replace(" ", "")
    written = [record for record in caplog.records if record.name != "django.db.backends"]
    assert all(text not in record.getMessage() for record in written for text in (secret, seed))


@pytest.mark.bar(75)
def test_without_its_record_there_is_no_key(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **detail: object) -> None:
        raise RuntimeError("The disk is full.")

    monkeypatch.setattr("identities.services.access_keys.record", broken)
    with pytest.raises(RuntimeError):
        create_access_key(by=principal_of(bob), user=bob)
    assert not AccessKey.objects.exists()
