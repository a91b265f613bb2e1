from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.own import SignedInRequest, own
from audit.actions import signed_in


@signed_in(
    "everybody may open the page about their own credentials; each part of it asks for its own action",
    also=("iam:ChangePassword", "iam:ListMFADevices", "iam:ListAccessKeys"),
)
@require_safe
def my_credentials(request: SignedInRequest) -> HttpResponse:
    me = own(request)
    password, devices, keys = (
        me.panel(action) for action in ("iam:ChangePassword", "iam:ListMFADevices", "iam:ListAccessKeys")
    )
    owner = me.account.root_user if me.user is None else me.user.login_profile
    context = {
        "password": password,
        "password_changed_at": owner.password_changed_at,
        "devices": devices,
        "device_rows": me.mfa_devices().filter(enabled_at__isnull=False) if devices.allowed else [],
        "keys": keys,
        "key_rows": me.access_keys() if keys.allowed else [],
    }
    return render(request, "access/my_credentials.html", context)
