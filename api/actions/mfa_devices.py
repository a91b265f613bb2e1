from django.db.models import Q

from access import throttle
from api import describe
from api.registry import Call, Result, action
from api.targets import found_user, mfa_device, user
from audit.errors import NoSuchEntity
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


def found_device(call: Call) -> MFADevice:
    """The device that SerialNumber names, if it is the target's own. Raises NoSuchEntity."""
    row = mfa.get_mfa_device(call.account_id, call["SerialNumber"])
    owner = None if call.is_about_root else found_user(call)
    if row.user != owner:
        raise NoSuchEntity(f"MFA Device invalid for user: {call['SerialNumber']}.")
    return row


@action("iam:ResyncMFADevice", resource=user)
def resync_mfa_device(call: Call) -> None:
    """Wrong codes count with those of the owner's sign-ins: this is no place to find one out either."""
    device = found_device(call)
    owner = device.user.name if device.user else None
    counted = throttle.code_try(person=throttle.person_key(call.account_id, owner))
    mfa.resync_mfa_device(
        by=call.principal, device=device, code1=call["AuthenticationCode1"], code2=call["AuthenticationCode2"]
    )
    counted.succeeded()


@action("iam:DeactivateMFADevice", resource=user)
def deactivate_mfa_device(call: Call) -> None:
    mfa.deactivate_mfa_device(by=call.principal, device=found_device(call))


@action("iam:DeleteVirtualMFADevice", resource=mfa_device)
def delete_virtual_mfa_device(call: Call) -> None:
    mfa.delete_virtual_mfa_device(by=call.principal, device=mfa.get_mfa_device(call.account_id, call["SerialNumber"]))
