"""Virtual MFA devices by program, from the picture to the codes."""

import struct
from collections.abc import Iterator

import pytest
import time_machine

from access.models import Throttle
from accounts.models import Account
from audit.models import Event
from identities import totp
from identities.models import MFADevice, User
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused
from tests.cast import allow
from tests.identities.devices import codes

PHONE = "arn:aws:iam::111122223333:mfa/eng/phone"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """By how many steps a clock is off may not change within a test."""
    with time_machine.travel("2026-11-24T12:00:10Z", tick=False):
        yield


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


def refusal(program: Program, operation: str, **inputs: object) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        program.iam(operation, **inputs)
    return refused.value.status, refused.value.code


def made(program: Program, **more: object) -> str:
    """The seed of a new device."""
    device = program.iam("CreateVirtualMFADevice", VirtualMFADeviceName="phone", Path="/eng/", **more)
    seed: bytes = device["VirtualMFADevice"]["Base32StringSeed"]
    return seed.decode()


def enable(program: Program, seed: str, owner: str, steps: int = -1) -> None:
    code1, code2 = codes(seed, steps=steps)
    program.iam(
        "EnableMFADevice", UserName=owner, SerialNumber=PHONE, AuthenticationCode1=code1, AuthenticationCode2=code2
    )


def test_a_device_is_made_with_its_seed_and_a_picture(program: Program) -> None:
    answer = program.iam("CreateVirtualMFADevice", VirtualMFADeviceName="phone", Path="/eng/")["VirtualMFADevice"]
    assert answer["SerialNumber"] == PHONE
    assert len(answer["Base32StringSeed"]) == 32
    picture = answer["QRCodePNG"]
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    assert width == height > 200
    listed = program.iam("ListVirtualMFADevices", AssignmentStatus="Unassigned")["VirtualMFADevices"]
    assert listed == [{"SerialNumber": PHONE}]


def test_two_codes_turn_it_on_for_a_user(program: Program, bob: User) -> None:
    seed = made(program)
    enable(program, seed, "bob")
    device = program.iam("GetMFADevice", SerialNumber=PHONE, UserName="bob")
    assert (device["UserName"], device["SerialNumber"]) == ("bob", PHONE)
    assert [one["SerialNumber"] for one in program.iam("ListMFADevices", UserName="bob")["MFADevices"]] == [PHONE]
    assigned = program.iam("ListVirtualMFADevices", AssignmentStatus="Assigned")["VirtualMFADevices"]
    assert assigned[0]["User"]["Arn"] == bob.arn


def test_wrong_codes_and_codes_in_the_wrong_order_are_refused(program: Program, bob: User) -> None:
    code1, code2 = codes(made(program))
    wrong = {"UserName": "bob", "SerialNumber": PHONE, "AuthenticationCode1": code2, "AuthenticationCode2": code1}
    assert refusal(program, "EnableMFADevice", **wrong) == (403, "InvalidAuthenticationCode")
    assert program.iam("ListMFADevices", UserName="bob")["MFADevices"] == []


def test_a_device_in_use_is_nobody_elses(program: Program, bob: User) -> None:
    seed = made(program)
    enable(program, seed, "bob")
    with pytest.raises(Refused, match="EntityAlreadyExists"):
        enable(program, seed, "alice", steps=1)
    assert refusal(program, "DeleteVirtualMFADevice", SerialNumber=PHONE) == (409, "DeleteConflict")
    assert refusal(program, "GetMFADevice", SerialNumber=PHONE) == (404, "NoSuchEntity")


def test_turned_off_it_is_nobodys_and_can_be_turned_on_for_another(program: Program, alice: User, bob: User) -> None:
    seed = made(program)
    enable(program, seed, "bob")
    program.iam("DeactivateMFADevice", UserName="bob", SerialNumber=PHONE)
    event = Event.objects.get(action="iam:DeactivateMFADevice")
    assert event.resource == bob.arn
    assert program.iam("ListVirtualMFADevices", AssignmentStatus="Assigned")["VirtualMFADevices"] == []
    enable(program, seed, "alice", steps=2)
    assert MFADevice.objects.get().user == alice
    program.iam("DeactivateMFADevice", SerialNumber=PHONE)
    program.iam("DeleteVirtualMFADevice", SerialNumber=PHONE)
    assert refusal(program, "DeleteVirtualMFADevice", SerialNumber=PHONE) == (404, "NoSuchEntity")


def test_it_is_synchronised_again(program: Program, bob: User) -> None:
    seed = made(program)
    enable(program, seed, "bob")
    code1, code2 = codes(seed, steps=40)
    program.iam(
        "ResyncMFADevice",
        UserName="bob",
        SerialNumber=PHONE,
        AuthenticationCode1=code1,
        AuthenticationCode2=code2,
    )
    assert MFADevice.objects.get().drift == 40


@pytest.mark.bar(11, 26)
def test_after_five_wrong_codes_none_is_compared(program: Program, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The right ones are not used up by it."""
    seed = made(program)
    enable(program, seed, "bob")
    inputs = {"UserName": "bob", "SerialNumber": PHONE}
    wrong = {**inputs, "AuthenticationCode1": "000000", "AuthenticationCode2": "000000"}
    for _ in range(5):
        assert refusal(program, "ResyncMFADevice", **wrong) == (403, "InvalidAuthenticationCode")
    code1, code2 = codes(seed, steps=40)
    right = {**inputs, "AuthenticationCode1": code1, "AuthenticationCode2": code2}
    with monkeypatch.context() as nobody:
        nobody.setattr(totp, "consecutive_counter", None)
        assert refusal(program, "ResyncMFADevice", **right) == (400, "Throttling")
    Throttle.objects.all().delete()
    program.iam("ResyncMFADevice", **right)


@pytest.mark.bar(11, 26)
def test_a_new_name_brings_no_new_tries(program: Program, bob: User) -> None:
    enable(program, made(program), "bob")
    wrong = {"SerialNumber": PHONE, "AuthenticationCode1": "000000", "AuthenticationCode2": "000000"}
    for _ in range(5):
        assert refusal(program, "ResyncMFADevice", UserName="bob", **wrong) == (403, "InvalidAuthenticationCode")
    program.iam("UpdateUser", UserName="bob", NewUserName="bobby")
    assert refusal(program, "ResyncMFADevice", UserName="bobby", **wrong) == (400, "Throttling")


@pytest.mark.bar(11, 26)
def test_a_serial_number_is_not_found_out_by_turning_on(program: Program, bob: User) -> None:
    code1, code2 = codes(made(program))
    inputs = {"UserName": "bob", "AuthenticationCode1": code1, "AuthenticationCode2": code2}
    for _ in range(5):
        assert refusal(program, "EnableMFADevice", SerialNumber=f"{PHONE}2", **inputs) == (404, "NoSuchEntity")
    assert refusal(program, "EnableMFADevice", SerialNumber=PHONE, **inputs) == (400, "Throttling")
    assert refusal(program, "EnableMFADevice", SerialNumber=f"{PHONE}2", **inputs) == (400, "Throttling")


def test_tags_come_and_go_and_decide(program: Program, program_of: ProgramOf, bob: User) -> None:
    made(program, Tags=[{"Key": "team", "Value": "red"}])
    program.iam("TagMFADevice", SerialNumber=PHONE, Tags=[{"Key": "floor", "Value": "2"}])
    allow(bob, "iam:ListMFADeviceTags", Condition={"StringEquals": {"aws:ResourceTag/floor": "2"}})
    his = program_of(bob)
    listed = his.iam("ListMFADeviceTags", SerialNumber=PHONE)["Tags"]
    assert listed == [{"Key": "floor", "Value": "2"}, {"Key": "team", "Value": "red"}]
    program.iam("UntagMFADevice", SerialNumber=PHONE, TagKeys=["floor"])
    assert refusal(his, "ListMFADeviceTags", SerialNumber=PHONE) == (403, "AccessDenied")
    assert refusal(program, "TagMFADevice", SerialNumber=f"{PHONE}2", Tags=[]) == (404, "NoSuchEntity")


def test_a_taken_name_is_refused(program: Program) -> None:
    made(program)
    again = {"VirtualMFADeviceName": "phone", "Path": "/eng/"}
    assert refusal(program, "CreateVirtualMFADevice", **again) == (409, "EntityAlreadyExists")


def test_there_are_as_many_devices_as_there_may_be_users(program: Program, acme: Account) -> None:
    acme.quota_overrides = {"users": 1}
    acme.save()
    made(program)
    assert refusal(program, "CreateVirtualMFADevice", VirtualMFADeviceName="more") == (409, "LimitExceeded")


def test_the_seed_is_told_once_and_kept_sealed(program: Program) -> None:
    seed = made(program)
    assert seed not in str(program.iam("ListVirtualMFADevices"))
    assert seed not in str(MFADevice.objects.values_list())
    assert seed not in str(list(Event.objects.values_list()))
