from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.tags import resource_tag_keys, tags_of
from audit.actions import recently_signed_in, requires
from audit.errors import NoSuchEntity
from audit.http import ConsoleRequest
from identities.models import MFADevice, User
from identities.services import mfa
from identities.views.access_keys import credentials_page


@requires("iam:DeactivateMFADevice", "user", also=("iam:DeleteVirtualMFADevice",))
@recently_signed_in
def deactivate_mfa_device(request: ConsoleRequest, user: User, device_name: str) -> HttpResponse:
    device = device_of(user, device_name)
    if request.method == "POST":
        keys = resource_tag_keys(tags_of(device))
        request.gate.require("iam:DeleteVirtualMFADevice", device.serial_number, keys)
        mfa.remove_mfa_device(by=request.principal, device=device)
        messages.success(request, f"MFA device {device.name} was removed.")
        return redirect(credentials_page(user))
    left = user.mfa_devices.filter(enabled_at__isnull=False).exclude(pk=device.pk).count()
    context = {"user": user, "tab": "credentials", "device": device, "left": left}
    return render(request, "identities/credentials_remove_device.html", context)


def device_of(user: User, device_name: str) -> MFADevice:
    """`device_name` is path and name without the first slash. Raises NoSuchEntity also for somebody else's device."""
    device = mfa.get_mfa_device(user.account_id, mfa.serial_number_of(user.account_id, device_name))
    if device.user_id != user.pk:
        raise NoSuchEntity(f"VirtualMFADevice with serial number {device.serial_number} doesn't exist.")
    return device
