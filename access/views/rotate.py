from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.own_credentials import SignedInRequest, own
from access.rotation import advice_on_deactivating, rotation_of, warning_on_deleting
from audit import clock
from audit.actions import requires


@requires("iam:ListAccessKeys", "self", also=("iam:GetAccessKeyLastUsed",))
@require_safe
def rotate_my_access_key(request: SignedInRequest) -> HttpResponse:
    """Shows where the rotation stands. Each step is the same form as on the page of the keys, with its own action."""
    me = own(request)
    rotation, uses, now = rotation_of(me.access_keys()), me.panel("iam:GetAccessKeyLastUsed"), clock.now()
    old, new = rotation.old, rotation.new
    advice = advice_on_deactivating(old, new, now) if uses.allowed and old and new else None
    context = {
        "rotation": rotation,
        "stage": rotation.stage.name,
        "uses": uses,
        "advice": advice,
        "warning": warning_on_deleting(old, now) if uses.allowed and old else "",
    }
    return render(request, "access/rotate.html", context)
