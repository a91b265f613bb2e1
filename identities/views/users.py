from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from audit.actions import requires
from audit.errors import ConcurrentModification, ServiceError
from audit.http import ConsoleRequest
from identities.forms.users import UpdateUserForm
from identities.models import User
from identities.models.users import user_arn
from identities.panels import panel
from identities.resource_tags import resource_tags
from identities.services import users

# What the summary shows and links to, each with the action that permits it.
PANELS = {
    "console": "iam:GetLoginProfile",
    "mfa": "iam:ListMFADevices",
    "access_keys": "iam:ListAccessKeys",
    "key_use": "iam:GetAccessKeyLastUsed",
    "rename": "iam:UpdateUser",
    "delete": "iam:DeleteUser",
    "lock": "iam:LockDownUser",
    "lift": "iam:LiftUserLockdown",
}


@requires("iam:GetUser", "user", also=tuple(PANELS.values()))
@require_safe
def get_user(request: ConsoleRequest, user: User) -> HttpResponse:
    tags = resource_tags(user)
    panels = {name: panel(request.gate, action, user.arn, tags) for name, action in PANELS.items()}
    context = {
        "user": user,
        "panels": panels,
        "is_self": user.unique_id == request.principal.unique_id,
        **(_devices(user) if panels["mfa"].allowed else {}),
        **(_keys(user) if panels["access_keys"].allowed else {}),
    }
    return render(request, "identities/get_user.html", context)


def _devices(user: User) -> dict[str, Any]:
    return {"devices": user.mfa_devices.filter(enabled_at__isnull=False).count()}


def _keys(user: User) -> dict[str, Any]:
    keys = list(user.access_keys.order_by("created_at"))
    uses: list[datetime] = [key.last_used_at for key in keys if key.last_used_at]
    last_activity = max([*uses, *([user.password_last_used_at] if user.password_last_used_at else [])], default=None)
    return {"keys": keys, "keys_last_used": max(uses, default=None), "last_activity": last_activity}


@requires("iam:UpdateUser", "user")
@require_http_methods(["GET", "HEAD", "POST"])
def update_user(request: ConsoleRequest, user: User) -> HttpResponse:
    opened = {"name": user.name, "path": user.path, "opened_path": user.path}
    form = UpdateUserForm(request.POST if request.method == "POST" else None, initial=opened)
    if form.is_valid():
        new_name, new_path = form.cleaned_data["name"], form.cleaned_data["path"]
        # AWS asks for both: the user as it is (the guard did), and the user as it would be.
        request.gate.require("iam:UpdateUser", user_arn(user.account_id, new_path, new_name), resource_tags(user))
        try:
            _refuse_stale(form, user)
            changed = users.update_user(by=request.principal, user=user, new_name=new_name, new_path=new_path)
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, f"{user.arn} is now {changed.arn}.")
            return redirect("identities:get-user", changed.name)
    return render(request, "identities/update_user.html", {"form": form, "user": user})


def _refuse_stale(form: UpdateUserForm, user: User) -> None:
    opened = form.cleaned_data["opened_path"]
    if opened and opened != user.path:
        message = f"Somebody moved this user to {user.path} since you opened the page. Look at it again."
        raise ConcurrentModification(message, field="path")
