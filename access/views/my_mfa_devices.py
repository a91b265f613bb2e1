import segno
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from access import cookies, sessions, throttle
from access.forms.credentials import NewDeviceForm, TwoCodesForm
from access.own_credentials import Own, SignedInRequest, own
from accounts.tags import resource_tag_keys, tags_of
from audit.actions import open_before_root_mfa, recently_signed_in, requires
from audit.errors import EntityAlreadyExists, ServiceError
from identities import totp
from identities.models import MFADevice
from identities.services import mfa


@requires("iam:ListMFADevices", "self")
@open_before_root_mfa
@require_safe
def my_mfa_devices(request: SignedInRequest) -> HttpResponse:
    me = own(request)
    devices = list(me.mfa_devices())
    on = [device for device in devices if device.enabled_at]
    context = {
        "devices": on,
        "unfinished": [device for device in devices if not device.enabled_at],
        "full": len(on) >= me.account.quota("mfa_devices"),
        "quota": me.account.quota("mfa_devices"),
    }
    return render(request, "access/my_mfa_devices.html", context)


@requires("iam:CreateVirtualMFADevice", creates=True, also=("iam:EnableMFADevice", "iam:DeleteVirtualMFADevice"))
@open_before_root_mfa
@recently_signed_in
def create_my_mfa_device(request: SignedInRequest) -> HttpResponse:
    me = own(request)
    data = request.POST if request.method == "POST" else None
    form = NewDeviceForm(data, initial={"name": f"{me.name}-phone"})
    if form.is_valid():
        serial_number = f"arn:aws:iam::{me.account.id}:mfa/{form.cleaned_data['name']}"
        request.gate.require("iam:CreateVirtualMFADevice", serial_number)
        me.require("iam:EnableMFADevice")
        try:
            device, seed = _create(me, form.cleaned_data["name"], serial_number)
        except EntityAlreadyExists:
            form.add_error("name", f"This account has a device called “{form.cleaned_data['name']}” already.")
        except throttle.Throttled:
            raise
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            return _show_seed(request, device, seed)
    return render(request, "access/my_mfa_device_create.html", {"form": form})


def _create(me: Own, name: str, serial_number: str) -> tuple[MFADevice, str]:
    """The name of a device of one's own that was never finished is free again: its code can't be shown any more."""
    gate, by = me.request.gate, me.request.principal
    unfinished = me.mfa_devices().filter(path="/", name=name, enabled_at=None).first()
    keys = resource_tag_keys(tags_of(unfinished)) if unfinished else {}
    if unfinished is not None and gate.may("iam:DeleteVirtualMFADevice", serial_number, keys).allowed:
        mfa.delete_virtual_mfa_device(by=by, device=unfinished)
    return mfa.create_virtual_mfa_device(by=by, user=me.user, name=name)


def _show_seed(request: SignedInRequest, device: MFADevice, seed: str) -> HttpResponse:
    address = totp.address(seed, device.name, request.console_session.account.sign_in_name)
    context = {
        "device": device,
        "form": TwoCodesForm(),
        "seed": " ".join(seed[start : start + 4] for start in range(0, len(seed), 4)),
        "picture": segno.make(address, error="m", micro=False).svg_data_uri(scale=5, border=4, light="white"),
    }
    return render(request, "access/my_mfa_device_enable.html", context)


@requires("iam:EnableMFADevice", "self")
@open_before_root_mfa
@recently_signed_in
def enable_my_mfa_device(request: SignedInRequest, device_name: str) -> HttpResponse:
    me = own(request)
    device = me.device(device_name)
    form = TwoCodesForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            tries = throttle.code_tries(person=me.throttle_key)
            mfa.enable_mfa_device(by=request.principal, device=device, tried=tries, **form.cleaned_data)
        except throttle.Throttled:
            raise
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
            me.record_wrong("iam:EnableMFADevice", error)
        else:
            return _proved_anew(request, f"MFA device {device.name} is on. From now on you are asked for its code.")
    return render(request, "access/my_mfa_device_enable.html", {"device": device, "form": form})


@requires("iam:ResyncMFADevice", "self")
@recently_signed_in
def resync_my_mfa_device(request: SignedInRequest, device_name: str) -> HttpResponse:
    me = own(request)
    device = me.device(device_name)
    form = TwoCodesForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            tries = throttle.code_tries(person=me.throttle_key)
            tries.refuse(tries.full().exists())
            mfa.resync_mfa_device(by=request.principal, device=device, tried=tries, **form.cleaned_data)
        except throttle.Throttled:
            raise
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
            me.record_wrong("iam:ResyncMFADevice", error)
        else:
            messages.success(request, f"MFA device {device.name} is synchronised again.")
            return redirect("access:my-mfa-devices")
    return render(request, "access/my_mfa_device_resync.html", {"device": device, "form": form})


@requires("iam:DeactivateMFADevice", "self", also=("iam:DeleteVirtualMFADevice",))
@recently_signed_in
def delete_my_mfa_device(request: SignedInRequest, device_name: str) -> HttpResponse:
    me = own(request)
    device = me.device(device_name)
    if request.method == "POST":
        keys = resource_tag_keys(tags_of(device))
        request.gate.require("iam:DeleteVirtualMFADevice", device.serial_number, keys)
        mfa.remove_mfa_device(by=request.principal, device=device)
        messages.success(request, f"MFA device {device.name} is removed.")
        return redirect("access:my-mfa-devices")
    left = me.mfa_devices().filter(enabled_at__isnull=False).exclude(pk=device.pk).count()
    return render(request, "access/my_mfa_device_delete.html", {"device": device, "left": left})


def _proved_anew(request: SignedInRequest, text: str) -> HttpResponse:
    """Two codes were shown just now: this session has its second factor, and those without one end."""
    session = request.console_session
    sessions.end_other_sessions(session)
    response = redirect("access:my-mfa-devices")
    cookies.write_session(response, sessions.renew(session, mfa=True), is_root=session.is_root)
    messages.success(request, text)
    return response
