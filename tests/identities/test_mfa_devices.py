import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.mail import EmailMessage
from django.db import connection
from django.urls import reverse

from accounts.models import Account
from audit.errors import (
    DeleteConflict,
    EntityAlreadyExists,
    InvalidAuthenticationCode,
    LimitExceeded,
    NoSuchEntity,
    ValidationError,
)
from audit.models import Event
from identities import totp
from identities.models import MFADevice, User
from identities.services.mfa import (
    create_virtual_mfa_device,
    deactivate_mfa_device,
    delete_virtual_mfa_device,
    enable_mfa_device,
    get_mfa_device,
    has_mfa,
    remove_mfa_device,
    resync_mfa_device,
    verify_code,
)
from tests.cast import ACME, allow, browser_of, make_account, make_user, principal_of, root_of
from tests.identities.devices import codes, device_of, unlimited

NOON = datetime(2026, 11, 24, 12, 0, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def verify(user: User | None, code: str, account_id: str = ACME) -> MFADevice | None:
    return verify_code(account_id=account_id, user=user, code=code, tried=unlimited)


def test_a_new_device_is_off_until_two_codes_prove_it(bob: User) -> None:
    device, seed = create_virtual_mfa_device(by=principal_of(bob), user=bob, name="phone")
    assert device.serial_number == "arn:aws:iam::111122223333:mfa/phone"
    assert not has_mfa(ACME, bob)
    assert verify(bob, codes(seed)[1]) is None
    code1, code2 = codes(seed)
    enable_mfa_device(by=principal_of(bob), device=device, code1=code1, code2=code2, tried=unlimited)
    assert has_mfa(ACME, bob) and device.slot == 1


def test_wrong_codes_turn_nothing_on(bob: User) -> None:
    device, seed = create_virtual_mfa_device(by=principal_of(bob), user=bob, name="phone")
    code1, code2 = codes(seed)
    for pair in [(code2, code1), (code1, code1), ("", ""), ("000000", code2)]:
        with pytest.raises(InvalidAuthenticationCode):
            enable_mfa_device(by=principal_of(bob), device=device, code1=pair[0], code2=pair[1], tried=unlimited)
    assert not has_mfa(ACME, bob)


@pytest.mark.bar(25)
def test_a_code_works_once(bob: User) -> None:
    device, seed = device_of(bob)
    code = codes(seed)[1]
    assert verify(bob, code) == device
    assert verify(bob, code) is None


@pytest.mark.bar(25)
def test_a_code_that_turned_the_device_on_is_used_up(bob: User) -> None:
    device, seed = create_virtual_mfa_device(by=principal_of(bob), user=bob, name="phone")
    code1, code2 = codes(seed)
    enable_mfa_device(by=principal_of(bob), device=device, code1=code1, code2=code2, tried=unlimited)
    assert verify(bob, code1) is None
    assert verify(bob, code2) is None
    with pytest.raises(InvalidAuthenticationCode):
        resync_mfa_device(by=principal_of(bob), device=device, code1=code1, code2=code2, tried=unlimited)


@pytest.mark.bar(25)
def test_a_code_that_signed_in_cannot_resync(bob: User) -> None:
    device, seed = device_of(bob)
    code1, code2 = codes(seed, steps=1)
    verify(bob, code1)
    device.refresh_from_db()
    with pytest.raises(InvalidAuthenticationCode):
        resync_mfa_device(by=principal_of(bob), device=device, code1=code1, code2=code2, tried=unlimited)


@pytest.mark.bar(25, 74)
@pytest.mark.django_db(transaction=True)
def test_a_code_works_once_also_at_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    bob = make_user(make_account(ACME, "Acme", "acme"), "bob")
    code, accepted = codes(device_of(bob)[1])[1], []
    all_have_read, match = threading.Barrier(8), totp.matching_counter

    def together(*args: Any, **facts: Any) -> int | None:
        all_have_read.wait(60)
        return match(*args, **facts)

    monkeypatch.setattr(totp, "matching_counter", together)

    def one() -> None:
        accepted.append(verify(bob, code) is not None)
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(accepted) == [False] * 7 + [True]


@pytest.mark.bar(26)
def test_whichever_device_shows_the_code_all_are_looked_at(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes are looked at before they are counted: work that is left out would tell those who try too often."""
    shown = [codes(device_of(bob, name)[1])[1] for name in ("phone", "tablet", "watch")]
    looked_at, match = list[str](), totp.matching_counter

    def noted(seed: str, code: str, **facts: Any) -> int | None:
        looked_at.append(code)
        return match(seed, code, **facts)

    monkeypatch.setattr(totp, "matching_counter", noted)
    for code in (*shown, "000000"):
        verify(bob, code)
    assert looked_at == [code for code in (*shown, "000000") for _ in range(3)]


@pytest.mark.bar(31)
def test_a_device_works_only_for_its_owner(alice: User, bob: User, mallory: User) -> None:
    device, seed = device_of(bob)
    code = codes(seed)[1]
    for somebody, account_id in [(alice, ACME), (None, ACME), (mallory, mallory.account_id), (bob, "444455556666")]:
        assert verify(somebody, code, account_id) is None
    assert verify(bob, code) == device


def test_root_has_devices_of_its_own(acme: Account, bob: User) -> None:
    device, seed = create_virtual_mfa_device(by=root_of(acme), user=None, name="safe")
    code1, code2 = codes(seed)
    enable_mfa_device(by=root_of(acme), device=device, code1=code1, code2=code2, tried=unlimited)
    assert (has_mfa(ACME, None), has_mfa(ACME, bob)) == (True, False)


def test_who_typed_the_two_codes_late_signs_in_with_the_present_one(bob: User, noon: Any) -> None:
    device, seed = create_virtual_mfa_device(by=principal_of(bob), user=bob, name="phone")
    code1, code2 = codes(seed)
    noon.move_to(NOON + timedelta(minutes=2))
    enable_mfa_device(by=principal_of(bob), device=device, code1=code1, code2=code2, tried=unlimited)
    assert device.drift == -4
    assert verify(bob, codes(seed)[1]) == device
    noon.move_to(NOON + timedelta(minutes=4))
    assert verify(bob, codes(seed, steps=-4)[1]) is None
    assert verify(bob, codes(seed)[1]) == device


def test_a_clock_that_is_wrong_is_learnt_by_resync(bob: User, noon: Any) -> None:
    device, seed = device_of(bob)
    noon.move_to(NOON + timedelta(minutes=10))
    late = NOON - timedelta(minutes=-3)
    assert verify(bob, codes(seed, at=late)[1]) is None
    code1, code2 = codes(seed, at=late)
    resync_mfa_device(by=principal_of(bob), device=device, code1=code1, code2=code2, tried=unlimited)
    assert device.drift == -14
    assert verify(bob, codes(seed, at=late, steps=1)[1]) == device


@pytest.mark.bar(74)
def test_eight_devices_are_the_most(bob: User) -> None:
    for number in range(8):
        device_of(bob, f"phone-{number}")
    with pytest.raises(LimitExceeded, match="MFADevicesPerUser: 8"):
        device_of(bob, "ninth")
    remove_mfa_device(by=principal_of(bob), device=MFADevice.objects.get(name="phone-3"))
    device, _ = device_of(bob, "another")
    assert device.slot == 4


@pytest.mark.parametrize("name", ["", "a b", "x" * 227, "<img>", "a/b", "naïve"])
def test_names_are_aws_names(name: str, bob: User) -> None:
    with pytest.raises(ValidationError) as refused:
        create_virtual_mfa_device(by=principal_of(bob), user=bob, name=name)
    assert refused.value.field == "name"


def test_a_name_is_taken_once_in_an_account(alice: User, bob: User, mallory: User) -> None:
    device_of(bob)
    with pytest.raises(EntityAlreadyExists, match="MFADevice entity at the same path and name already exists."):
        device_of(alice)
    device_of(mallory)


def test_a_device_that_is_on_cannot_be_deleted(bob: User) -> None:
    device, _ = device_of(bob)
    with pytest.raises(DeleteConflict):
        delete_virtual_mfa_device(by=principal_of(bob), device=device)
    deactivate_mfa_device(by=principal_of(bob), device=device)
    delete_virtual_mfa_device(by=principal_of(bob), device=device)
    assert not MFADevice.objects.exists()


@pytest.mark.bar(31)
def test_a_device_that_has_become_somebody_elses_meanwhile_stays_on(alice: User, bob: User) -> None:
    device, seed = device_of(bob)
    deactivate_mfa_device(by=principal_of(bob), device=get_mfa_device(ACME, device.serial_number))
    code1, code2 = codes(seed, steps=1)
    anew = get_mfa_device(ACME, device.serial_number)
    enable_mfa_device(by=principal_of(alice), device=anew, code1=code1, code2=code2, tried=unlimited, user=alice)
    with pytest.raises(NoSuchEntity):
        deactivate_mfa_device(by=principal_of(bob), device=device)
    assert has_mfa(ACME, alice)


@pytest.mark.bar(61)
def test_another_accounts_device_is_not_found(bob: User, mallory: User) -> None:
    device, _ = device_of(bob)
    assert get_mfa_device(ACME, device.serial_number) == device
    for serial in (device.serial_number, "arn:aws:iam::444455556666:mfa/phone", "phone", ""):
        with pytest.raises(NoSuchEntity):
            get_mfa_device(mallory.account_id, serial)


@pytest.mark.bar(121, 122)
def test_each_step_is_recorded_without_seed_or_codes(bob: User, noon: Any) -> None:
    """At noon: the microseconds of another time might be the digits of a code."""
    device, seed = device_of(bob)
    remove_mfa_device(by=principal_of(bob), device=device)
    actions = list(Event.objects.order_by("id").values_list("action", flat=True))
    assert actions == [
        "iam:CreateVirtualMFADevice",
        "iam:EnableMFADevice",
        "iam:DeactivateMFADevice",
        "iam:DeleteVirtualMFADevice",
    ]
    texts = str([vars(event) for event in Event.objects.all()])
    assert seed not in texts and all(code not in texts for code in codes(seed, steps=-1))


@pytest.mark.bar(29, 125)
def test_root_is_told_of_each_change(
    bob: User, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        device, seed = device_of(bob)
        code1, code2 = codes(seed, steps=1)
        resync_mfa_device(by=principal_of(bob), device=device, code1=code1, code2=code2, tried=unlimited)
        remove_mfa_device(by=principal_of(bob), device=device)
    told = [mail.subject.partition("phone was ")[2] for mail in mailoutbox]
    assert [line.partition(" for")[0] for line in told] == ["turned on", "synchronised again", "turned off"]
    assert all(seed not in mail.body for mail in mailoutbox)


def remove_page(user: User, device: MFADevice) -> str:
    return reverse("identities:deactivate-mfa-device", args=[user.name, device.name])


def test_an_administrator_removes_a_lost_device(alice: User, bob: User) -> None:
    device, _ = device_of(bob)
    browser = browser_of(alice)
    assert "phone" in browser.get(remove_page(bob, device)).content.decode()
    browser.post(remove_page(bob, device))
    assert not MFADevice.objects.exists()


def test_the_page_requires_permission(alice: User, bob: User) -> None:
    device, _ = device_of(alice)
    allow(bob, "iam:DeactivateMFADevice", alice.arn)
    assert browser_of(bob).post(remove_page(alice, device)).status_code == 403
    allow(bob, ["iam:DeactivateMFADevice", "iam:DeleteVirtualMFADevice"])
    assert browser_of(bob).post(remove_page(alice, device)).status_code == 302


@pytest.mark.bar(31, 61)
def test_the_page_reaches_a_device_only_through_its_owner(alice: User, bob: User, mallory: User) -> None:
    device, _ = device_of(bob)
    assert browser_of(alice).post(remove_page(alice, device)).status_code == 404
    assert browser_of(mallory).post(remove_page(mallory, device)).status_code == 404
    assert has_mfa(ACME, bob)


@pytest.mark.bar(29)
def test_the_page_wants_a_fresh_sign_in(alice: User, bob: User) -> None:
    device, _ = device_of(bob)
    assert "confirm" in browser_of(alice, fresh=False).post(remove_page(bob, device)).headers["Location"]
    assert has_mfa(ACME, bob)
