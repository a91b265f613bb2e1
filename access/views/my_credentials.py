from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from access.own_credentials import Own, SignedInRequest, own
from audit.actions import signed_in
from identities.models import SigningCertificate
from identities.resource_tags import resource_tags
from identities.views import other_credentials
from identities.views.other_credentials import Line


@signed_in(
    "everybody may open the page about their own credentials; each part of it asks for its own action",
    also=("iam:ChangePassword", "iam:ListMFADevices", "iam:ListAccessKeys", *other_credentials.ACTIONS),
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
        "others": _others(request, me),
    }
    return render(request, "access/my_credentials.html", context)


def _others(request: SignedInRequest, me: Own) -> list[Line]:
    """Root has no credentials but certificates beside its password, devices and keys, as in AWS."""
    page = reverse("access:my-signing-certificates")
    if me.user is not None:
        return other_credentials.lines(request.gate, me.user, resource_tags(me.user), page)
    rows = SigningCertificate.objects.filter(account=me.account, user=None)
    return [other_credentials.certificates_line(me.panel(other_credentials.LIST_CERTIFICATES), rows, page)]
