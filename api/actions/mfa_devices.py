import io
from typing import Any

import segno
from django.db.models import Exists, Q

from access import throttle
from api import context, describe
from api.registry import Call, Result, action
from api.targets import exact_tags, found_user, mfa_device, user
from audit.errors import NoSuchEntity
from identities import totp
from identities.models import MFADevice
from identities.services import mfa


@action("iam:ListMFADevices", resource=user)
def list_mfa_devices(call: Call) -> Result:
    owner = None if call.is_about_root else found_user(call)
    rows = MFADevice.objects.filter(account_id=call.account_id, user=owner, enabled_at__isnull=False)
    page = call.page_of(list(rows.select_related("user").order_by("slot")))
    return {"MFADevices": [describe.mfa_device(row) for row in page.items], **page.fields}


@action("iam:ListVirtualMFADevices", resource="*")
def list_virtual_mfa_devices(call: Call) -> Result:
    assigned = {"Assigned": Q(enabled_at__isnull=False), "Unassigned": Q(enabled_at=None)}
    rows = MFADevice.objects.filter(assigned.get(call.get("AssignmentStatus", "Any"), Q()), account_id=call.account_id)
    page = call.page(rows.select_related("user", "account"), "pk")
    return {"VirtualMFADevices": [describe.virtual_mfa_device(row) for row in page.items], **page.fields}


@action("iam:CreateVirtualMFADevice", resource="mfa{Path}{VirtualMFADeviceName}", context=context.request_tags)
def create_virtual_mfa_device(call: Call) -> Result:
    """The device is nobody's until EnableMFADevice. Its seed and picture are told here and never again."""
    row, seed = mfa.create_virtual_mfa_device(
        by=call.principal,
        user=None,
        name=call["VirtualMFADeviceName"],
        path=call.get("Path", "/"),
        tags=context.tags_at_birth(call, "iam:TagMFADevice"),
    )
    made = {
        "SerialNumber": row.serial_number,
        "Base32StringSeed": seed.encode(),
        "QRCodePNG": qr_code(totp.address(seed, row.name, row.account.sign_in_name)),
        "Tags": describe.tags(exact_tags(call).items()) or None,
    }
    return {"VirtualMFADevice": made}


def qr_code(text: str) -> bytes:
    """A picture that a phone's camera reads from a screen."""
    png = io.BytesIO()
    segno.make(text, error="m", micro=False).save(png, kind="png", scale=5, border=4)
    return png.getvalue()


@action("iam:EnableMFADevice", resource=user)
def enable_mfa_device(call: Call) -> None:
    """A serial number that is not there counts as a wrong code does: this is no place to find one out."""
    owner, serial_number = found_user(call), call["SerialNumber"]
    tries = throttle.code_tries(person=throttle.person_key(call.account_id, owner.unique_id))
    device = mfa.devices_named(call.account_id, serial_number).annotate(free=mfa.slot_for(owner)).first()
    if device is None:
        tries(False)
        raise mfa.no_such_device(serial_number)
    mfa.enable_mfa_device(
        by=call.principal,
        device=device,
        user=owner,
        code1=call["AuthenticationCode1"],
        code2=call["AuthenticationCode2"],
        tried=tries,
        slot=device.free,
    )


@action("iam:GetMFADevice", resource=user)
def get_mfa_device(call: Call) -> Result:
    row = found_device(call)
    if row.enabled_at is None:
        raise NoSuchEntity(f"MFA Device invalid for user: {call['SerialNumber']}.")
    return describe.mfa_device(row)


@action("iam:TagMFADevice", resource=mfa_device, context=context.request_tags)
def tag_mfa_device(call: Call) -> None:
    mfa.tag_mfa_device(by=call.principal, device=target_device(call), tags=exact_tags(call))


@action("iam:UntagMFADevice", resource=mfa_device, context=context.removed_tags)
def untag_mfa_device(call: Call) -> None:
    mfa.untag_mfa_device(by=call.principal, device=target_device(call), keys=call["TagKeys"])


@action("iam:ListMFADeviceTags", resource=mfa_device)
def list_mfa_device_tags(call: Call) -> Result:
    target_device(call)
    page = call.page_of(describe.tags(call.target.tags.items()))
    return {"Tags": page.items, **page.fields}


def target_device(call: Call) -> MFADevice:
    """The device that the call is about, whoever has it. Raises NoSuchEntity."""
    if isinstance(call.target.row, MFADevice):
        return call.target.row
    raise NoSuchEntity(f"VirtualMFADevice with serial number {call['SerialNumber']} doesn't exist.")


def found_device(call: Call, **annotations: Any) -> MFADevice:
    """The device that SerialNumber names, if it is the target's own; `looks` as for `get_mfa_device`. Raises
    NoSuchEntity."""
    row = mfa.get_mfa_device(call.account_id, call["SerialNumber"], **annotations)
    owner = None if call.is_about_root else found_user(call)
    if row.user != owner:
        raise NoSuchEntity(f"MFA Device invalid for user: {call['SerialNumber']}.")
    return row


@action("iam:ResyncMFADevice", resource=user)
def resync_mfa_device(call: Call) -> None:
    """Wrong codes count with those of the owner's sign-ins: this is no place to find one out either. A day of codes is
    compared, so it is not begun in vain."""
    owner = None if call.is_about_root else found_user(call).unique_id
    tries = throttle.code_tries(person=throttle.person_key(call.account_id, owner))
    device = found_device(call, is_full=Exists(tries.full()))
    tries.refuse(device.is_full)  # type: ignore[attr-defined] # annotated above
    code1, code2 = call["AuthenticationCode1"], call["AuthenticationCode2"]
    mfa.resync_mfa_device(by=call.principal, device=device, code1=code1, code2=code2, tried=tries)


@action("iam:DeactivateMFADevice", resource=user)
def deactivate_mfa_device(call: Call) -> None:
    mfa.deactivate_mfa_device(by=call.principal, device=found_device(call))


@action("iam:DeleteVirtualMFADevice", resource=mfa_device)
def delete_virtual_mfa_device(call: Call) -> None:
    mfa.delete_virtual_mfa_device(by=call.principal, device=target_device(call))
