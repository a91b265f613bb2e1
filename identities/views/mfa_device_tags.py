"""Tags of an MFA device, whoever has it: see, set, remove."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import tag_pages
from accounts.tag_pages import TagForm
from accounts.tags import first_with_tags, resource_tag_keys, tags_of
from audit.actions import requires
from audit.http import ConsoleRequest
from identities import resource_tags as of_users
from identities.models import MFADevice
from identities.services import mfa
from identities.views.other_credentials import is_own

LIST, TAG, UNTAG = "iam:ListMFADeviceTags", "iam:TagMFADevice", "iam:UntagMFADevice"
# Whoever may see the devices of a user may learn whose this one is.
OF_USER = "iam:ListMFADevices"


@requires(LIST, "mfa_device", also=(TAG, UNTAG, OF_USER))
@require_safe
def list_mfa_device_tags(request: ConsoleRequest, mfa_device: MFADevice) -> HttpResponse:
    return _page(request, mfa_device)


# The address word comes to these two as it is (`creates`): see `accounts.tag_pages`.
@requires(TAG, creates=True, also=(LIST, OF_USER))
@require_POST
def tag_mfa_device(request: ConsoleRequest, device_name: str) -> HttpResponse:
    def page(device: MFADevice, form: TagForm) -> HttpResponse:
        request.gate.require(LIST, device.serial_number, resource_tag_keys(tags_of(device)))
        return _page(request, device, form)

    return tag_pages.tag(
        request,
        permitted=lambda keys: _permitted(request, TAG, device_name, keys),
        put=lambda device, tags: mfa.tag_mfa_device(by=request.principal, device=device, tags=tags),
        back=_page_of,
        page=page,
    )


@requires(UNTAG, creates=True)
@require_POST
def untag_mfa_device(request: ConsoleRequest, device_name: str) -> HttpResponse:
    return tag_pages.untag(
        request,
        permitted=lambda keys: _permitted(request, UNTAG, device_name, keys),
        drop=lambda device, keys: mfa.untag_mfa_device(by=request.principal, device=device, keys=keys),
        back=_page_of,
    )


def _permitted(request: ConsoleRequest, action: str, name: str, keys: Mapping[str, Any]) -> MFADevice:
    """The device of the address, once the gate has allowed the action on it; refused before it is missing."""
    account_id = request.principal.account_id
    serial_number = mfa.serial_number_of(account_id, name)
    device, tags = first_with_tags(mfa.devices_named(account_id, serial_number).select_related("account", "user"))
    request.gate.require(action, serial_number, {**resource_tag_keys(tags), **keys})
    if device is None:
        raise Http404("There is no MFA device with that name in this account.")
    return device


def _page(request: ConsoleRequest, device: MFADevice, form: TagForm | None = None) -> HttpResponse:
    user, tags = device.user, tags_of(device)
    context = {
        "device": device,
        "own": is_own(request, user) if user else device.enabled_at is not None and request.principal.is_root,
        "user": user if user and _may_see(request, device) else None,
        "may_tag": request.gate.might(TAG),
        "may_untag": request.gate.might(UNTAG),
        **tag_pages.shown(tags, request, limit=device.account.quota("tags"), form=form),
    }
    return render(request, "identities/mfa_device_tags.html", context)


def _may_see(request: ConsoleRequest, device: MFADevice) -> bool:
    user = device.user
    return user is not None and request.gate.may(OF_USER, user.arn, of_users.resource_tags(user)).allowed


def _page_of(device: MFADevice) -> str:
    return reverse("identities:list-mfa-device-tags", args=[device.address])
