"""Virtual MFA devices (TOTP) of users and of root (`user` empty). A seed leaves this module once, when it is made."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Case, Exists, OuterRef, QuerySet

from accounts.models import Account
from accounts.rules import name_problem, path_problem
from accounts.slots import create_in_slot, free_slot
from accounts.tags import check_tags, drop_tags, put_tags
from accounts.taken_names import taken_name_refused
from audit import clock
from audit.errors import (
    ConcurrentModification,
    DeleteConflict,
    EntityAlreadyExists,
    InvalidAuthenticationCode,
    LimitExceeded,
    NoSuchEntity,
    ValidationError,
)
from audit.principal import Principal
from audit.services import record
from identities import totp
from identities.models import MFADevice, MFADeviceTag, User
from identities.sealed import box
from identities.services.locks import missing_reference_refused
from identities.services.notices import notify_change

NAME_LIMIT = 226
# No call could name a device whose serial number is longer.
SERIAL_LIMIT = 256
# Hears whether a proof was right before anybody else does, and raises an error if nobody may: how often is tried is for
# whoever asks to limit.
Tried = Callable[[bool], None]
WRONG_CODES = (
    "These two codes don't fit. Enter two codes that the app shows one after the other; each works once, "
    "so wait for new ones."
)


@missing_reference_refused("The user cannot be found.")
@transaction.atomic
def create_virtual_mfa_device(
    *, by: Principal, user: User | None, name: str, path: str = "/", tags: Mapping[str, str] | None = None
) -> tuple[MFADevice, str]:
    """Make a device that is not on yet. Returns it with its seed, the only time; `enable_mfa_device` proves it.

    Raises ValidationError for a bad name or path, InvalidInput (tags), LimitExceeded, EntityAlreadyExists for a device
    of the account at the same place, NoSuchEntity when the user goes meanwhile.
    """
    tags = tags or {}
    # The lock makes counting safe: of two who take the last place, the second waits and then sees it taken.
    account = Account.objects.select_for_update().get(pk=user.account_id if user else by.account_id)
    check_tags(tags, account.quota("tags"))
    seed = totp.new_seed()
    device = MFADevice(account=account, user=user, name=name, path=path)
    _check_shape(device)
    # As many as there may be users, as AWS counts them; those that are never finished count too.
    if account.mfa_devices.count() >= (quota := account.quota("users")):
        raise LimitExceeded(f"Cannot exceed quota for VirtualMFADevicesPerAccount: {quota}")
    device.seed_encrypted = box().seal(seed, device.sealed_row)
    with taken_name_refused("MFADevice entity at the same path and name already exists."):
        device.save(force_insert=True)
    MFADeviceTag.objects.bulk_create([MFADeviceTag(bearer=device, key=key, value=tags[key]) for key in tags])
    record(by, "iam:CreateVirtualMFADevice", device.serial_number, owner=device.owner_arn, tags=dict(tags))
    return device, seed


def _check_shape(device: MFADevice) -> None:
    if problem := name_problem(device.name, NAME_LIMIT, "device name"):
        raise ValidationError(problem, field="name")
    if problem := path_problem(device.path):
        raise ValidationError(problem, field="path")
    if len(device.serial_number) > SERIAL_LIMIT:
        raise ValidationError(f"Path and name make a serial number of more than {SERIAL_LIMIT} characters.")


def get_mfa_device(account_id: str, serial_number: str, **annotations: Any) -> MFADevice:
    """The account's device, with further annotations of the same query. Raises NoSuchEntity for one that does not exist
    and for one of another account alike."""
    found = devices_named(account_id, serial_number).annotate(**annotations).first()
    if found is None:
        raise no_such_device(serial_number)
    return found


def slot_for(user: User) -> Case:
    """A slot that is free for another device of the user's, as an expression for another query."""
    return free_slot(_slots(user.account_id, user))


def serial_number_of(account_id: str, address: str) -> str:
    """`address` is path and name without the first slash, as pages name a device in their address."""
    return f"arn:aws:iam::{account_id}:mfa/{address}"


def devices_named(account_id: str, serial_number: str) -> QuerySet[MFADevice]:
    """The account's device with that serial number, with its user and the account's owner; none where there is none."""
    prefix = f"arn:aws:iam::{account_id}:mfa"
    if not serial_number.startswith(prefix):
        return MFADevice.objects.none()
    path, _, name = serial_number.removeprefix(prefix).rpartition("/")
    devices = MFADevice.objects.select_related("user", "account__root_user")
    return devices.filter(account_id=account_id, path=f"{path}/", name=name)


def enable_mfa_device(
    *, by: Principal, device: MFADevice, code1: str, code2: str, tried: Tried, user: User | None = None, slot: int = 0
) -> MFADevice:
    """Turn a device on, proved by two codes that follow one another; it then holds one of its owner's eight slots.

    `user` says whose it becomes; without it the device stays with whom it was made for. `slot` is one that was free a
    moment ago, for who has looked.

    Raises InvalidAuthenticationCode, LimitExceeded, NoSuchEntity for a user who has gone, EntityAlreadyExists when it
    is on already, and what `tried` raises.
    """
    if device.enabled_at is not None:
        tried(False)
        raise EntityAlreadyExists("MFA Device is already in use.")
    device.user = user or device.user
    counter = _proved(device, code1, code2, window=totp.ENROL_WINDOW, tried=tried)
    siblings, quota = _slots(device.account_id, device.user), device.account.quota("mfa_devices")
    with missing_reference_refused("The user whose device it is to be cannot be found."), transaction.atomic():
        create_in_slot(
            siblings, quota, lambda free: _switch_on(device, free, counter), quota_name="MFADevicesPerUser", first=slot
        )
        record(by, "iam:EnableMFADevice", device.owner_arn, serial_number=device.serial_number)
        _notify(by, device, f"The MFA device {device.name} was turned on")
    return device


def resync_mfa_device(*, by: Principal, device: MFADevice, code1: str, code2: str, tried: Tried) -> MFADevice:
    """Learn by two codes how far the device's clock is off. Raises InvalidAuthenticationCode, or what `tried` does."""
    if device.enabled_at is None:
        tried(False)
        raise NoSuchEntity(f"The device {device.serial_number} is not on.")
    counter = _proved(device, code1, code2, window=totp.RESYNC_WINDOW, tried=tried)
    with transaction.atomic():
        _accept(device, counter, drift=counter - totp.present_counter(clock.now()))
        record(by, "iam:ResyncMFADevice", device.owner_arn, serial_number=device.serial_number, drift=device.drift)
        _notify(by, device, f"The MFA device {device.name} was synchronised again")
    return device


@transaction.atomic
def deactivate_mfa_device(*, by: Principal, device: MFADevice) -> None:
    """Turn a device off: its codes count for nothing from now on. It stays, as nobody's, until it is deleted."""
    off = {"enabled_at": None, "slot": None, "user": None}
    # Whose it was when that was asked about: meanwhile it may be somebody else's.
    its_own = MFADevice.objects.filter(pk=device.pk, user=device.user_id, enabled_at__isnull=False)
    if not its_own.update(**off):
        raise NoSuchEntity(f"The device {device.serial_number} is not on.")
    record(by, "iam:DeactivateMFADevice", device.owner_arn, serial_number=device.serial_number)
    _notify(by, device, f"The MFA device {device.name} was turned off")
    device.enabled_at = device.slot = device.user = None


@transaction.atomic
def tag_mfa_device(*, by: Principal, device: MFADevice, tags: Mapping[str, str]) -> None:
    """Add tags or change their values. Raises InvalidInput, LimitExceeded, NoSuchEntity."""
    device = _locked(device)
    quota = device.account.quota("tags")
    before, after = put_tags(device, tags, quota, quota_name="TagsPerMFADevice")
    record(by, "iam:TagMFADevice", device.serial_number, before=before, after=after)


@transaction.atomic
def untag_mfa_device(*, by: Principal, device: MFADevice, keys: Iterable[str]) -> None:
    """Remove tags by key; one that is not there is no error. Raises NoSuchEntity."""
    device = _locked(device)
    before, after = drop_tags(device, keys)
    record(by, "iam:UntagMFADevice", device.serial_number, before=before, after=after)


def _locked(device: MFADevice) -> MFADevice:
    rows = MFADevice.objects.select_for_update(of=("self",)).select_related("account", "user")
    found = rows.filter(pk=device.pk).first()
    if found is None:
        raise no_such_device(device.serial_number)
    return found


def no_such_device(serial_number: str) -> NoSuchEntity:
    return NoSuchEntity(f"VirtualMFADevice with serial number {serial_number} doesn't exist.")


@transaction.atomic
def delete_virtual_mfa_device(*, by: Principal, device: MFADevice) -> None:
    """Delete a device that is off. Raises DeleteConflict for one that is on."""
    if not MFADevice.objects.filter(pk=device.pk, enabled_at=None).delete()[0]:
        raise DeleteConflict("The device is on: turn it off (DeactivateMFADevice) before deleting it.")
    record(by, "iam:DeleteVirtualMFADevice", device.serial_number)


@transaction.atomic
def remove_mfa_device(*, by: Principal, device: MFADevice) -> None:
    """Turn off and delete in one step, as the console's button does."""
    if device.enabled_at is not None:
        deactivate_mfa_device(by=by, device=device)
    delete_virtual_mfa_device(by=by, device=device)


def has_mfa(account_id: str, user: User | None) -> bool:
    return _enabled(account_id, user).exists()


def has_mfa_of(user: str) -> Exists:
    """Whether a user has a device that is on, as an expression for another query; `user` is its column of the user."""
    return Exists(MFADevice.objects.filter(user=OuterRef(user), enabled_at__isnull=False))


def verify_code(*, account_id: str, user: User | None, code: str, tried: Tried) -> MFADevice | None:
    """The owner's device that shows this code now; None when none does, or the code was used already."""
    return accept_code(_enabled(account_id, user).order_by("slot"), code, tried=tried)


def accept_code(devices: Iterable[MFADevice], code: str, *, tried: Tried) -> MFADevice | None:
    """The first device of an owner's that shows this code now; None where none does, or the code was used already, as
    it is from now on. All devices are looked at: a try that comes too late must not tell by its time what it was."""
    shown = [(device, counter) for device in devices if (counter := _counter_of(device, code))]
    device, counter = next(iter(shown), (None, 0))
    tried(device is not None)
    if device is None:
        return None
    # The condition decides between two requests with the same code, and whether the device still is whose it was.
    its_own = MFADevice.objects.filter(pk=device.pk, user=device.user_id, enabled_at__isnull=False)
    unused = its_own.filter(last_counter__lt=counter)
    drift = totp.drift_told(counter, at=clock.now(), drift=device.drift)
    return device if unused.update(last_counter=counter, drift=drift) else None


def _counter_of(device: MFADevice, code: str) -> int | None:
    seed = box().open(device.seed_encrypted, device.sealed_row)
    return totp.matching_counter(seed, code, at=clock.now(), drift=device.drift, after=device.last_counter)


def _enabled(account_id: str, user: User | None) -> QuerySet[MFADevice]:
    return MFADevice.objects.filter(account_id=account_id, user=user, enabled_at__isnull=False)


def _slots(account_id: str, user: User | None) -> QuerySet[MFADevice]:
    """What holds the owner's slots."""
    return MFADevice.objects.filter(account_id=account_id, user=user, slot__isnull=False)


def _proved(device: MFADevice, code1: str, code2: str, *, window: int, tried: Tried) -> int:
    seed = box().open(device.seed_encrypted, device.sealed_row)
    counter = totp.consecutive_counter(seed, code1, code2, at=clock.now(), window=window, after=device.last_counter)
    tried(counter is not None)
    if counter is None:
        raise InvalidAuthenticationCode(WRONG_CODES, field="code2")
    return counter


def _switch_on(device: MFADevice, slot: int, counter: int) -> MFADevice:
    now = clock.now()
    changed: dict[str, Any] = {
        "user": device.user,
        "slot": slot,
        "enabled_at": now,
        "last_counter": counter,
        "drift": counter - totp.present_counter(now),
    }
    if not MFADevice.objects.filter(pk=device.pk, enabled_at=None, last_counter__lt=counter).update(**changed):
        raise ConcurrentModification("The device was turned on or removed just now. Open the page again.")
    for name, value in changed.items():
        setattr(device, name, value)
    return device


def _accept(device: MFADevice, counter: int, *, drift: int) -> None:
    """Take codes for used: the condition decides between two requests with the same ones."""
    waiting = MFADevice.objects.filter(pk=device.pk, enabled_at__isnull=False, last_counter__lt=counter)
    if not waiting.update(last_counter=counter, drift=drift):
        raise InvalidAuthenticationCode(WRONG_CODES, field="code2")
    device.last_counter, device.drift = counter, drift


def _notify(by: Principal, device: MFADevice, what: str) -> None:
    notify_change(
        by=by,
        user=device.user,
        account=device.account,
        what=f"{what} for {f'IAM user {device.user.name}' if device.user else 'the root user'}",
        advice="If you did not expect this, reset the owner's password and look at the audit trail.",
    )
