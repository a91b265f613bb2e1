from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from audit.actions import recently_signed_in, requires
from audit.errors import LimitExceeded, NoSuchEntity
from audit.http import ConsoleRequest
from identities.credential_files import access_key_csv, access_key_file_name, access_key_profile, sign_in_address
from identities.forms.credentials import DeleteAccessKeyForm, NewAccessKeyForm
from identities.models import AccessKey, User
from identities.panels import panel
from identities.resource_tags import resource_tags
from identities.services import access_keys
from identities.views import other_credentials

PANELS = ("iam:GetLoginProfile", "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed", "iam:ListMFADevices")


@requires("iam:GetUser", "user", also=(*PANELS, *other_credentials.ACTIONS))
@require_safe
def list_access_keys(request: ConsoleRequest, user: User) -> HttpResponse:
    """The tab “Security credentials”. Its parts have an action each, so that somebody who may only reset
    passwords finds the page, too."""
    password, keys, uses, devices = (panel(request.gate, action, user.arn, resource_tags(user)) for action in PANELS)
    rows = keys_of(user) if keys.allowed else []
    context = {
        "user": user,
        "tab": "credentials",
        "is_self": request.principal.unique_id == user.unique_id,
        "password": password,
        "login_profile": getattr(user, "login_profile", None) if password.allowed else None,
        "keys": keys,
        "rows": rows,
        "full": len(rows) >= user.account.quota("access_keys"),
        "uses": uses,
        "devices": devices,
        "device_rows": user.mfa_devices.order_by("enabled_at", "name") if devices.allowed else [],
        "others": other_credentials.lines(request.gate, user, resource_tags(user)),
        "sign_in_address": sign_in_address(user.account.sign_in_name),
    }
    return render(request, "identities/credentials_list.html", context)


@requires("iam:CreateAccessKey", "user")
@recently_signed_in
def create_access_key(request: ConsoleRequest, user: User) -> HttpResponse:
    keys = keys_of(user)
    form = NewAccessKeyForm(request.POST if request.method == "POST" else None, keys=keys)
    status = 200
    if form.is_valid():
        try:
            key, secret = access_keys.create_access_key(by=request.principal, user=user)
        except LimitExceeded:
            keys, status = keys_of(user), 409
        else:
            return show_secret(request, key, secret)
    full = len(keys) >= user.account.quota("access_keys")
    context = {"user": user, "tab": "credentials", "form": form, "keys": keys, "full": full}
    return render(request, "identities/credentials_create_key.html", context, status=status)


def show_secret(request: ConsoleRequest, key: AccessKey, secret: str) -> HttpResponse:
    context = {
        "user": key.user,
        "tab": "credentials",
        "key": key,
        "secret": secret,
        "csv": access_key_csv(key, secret),
        "profile": access_key_profile(key, secret),
        "file_name": access_key_file_name(key),
    }
    return render(request, "identities/credentials_key_made.html", context)


@requires("iam:UpdateAccessKey", "user")
@require_POST
@recently_signed_in
def update_access_key(request: ConsoleRequest, user: User, access_key_id: str) -> HttpResponse:
    key = key_of(user, access_key_id)
    access_keys.update_access_key(by=request.principal, key=key, status=request.POST.get("status", ""))
    messages.success(request, f"Access key {key.access_key_id} is now {key.status.lower()}.")
    # The page on which a key is looked up has the same form, and what else there is to end.
    if request.POST.get("from") == "looked-up":
        return redirect("access:trace-access-key", key.pk)
    return redirect(credentials_page(user))


@requires("iam:DeleteAccessKey", "user", also=("iam:UpdateAccessKey",))
@recently_signed_in
def delete_access_key(request: ConsoleRequest, user: User, access_key_id: str) -> HttpResponse:
    key = key_of(user, access_key_id)
    form = DeleteAccessKeyForm(request.POST if request.method == "POST" else None, key=key)
    if form.is_valid():
        access_keys.delete_access_key(by=request.principal, key=key)
        messages.success(request, f"Access key {key.access_key_id} was deleted.")
        return redirect(credentials_page(user))
    context = {"user": user, "tab": "credentials", "key": key, "form": form}
    return render(request, "identities/credentials_delete_key.html", context)


def credentials_page(user: User) -> str:
    return reverse("identities:list-access-keys", args=[user.name])


def keys_of(user: User) -> list[AccessKey]:
    return list(user.access_keys.order_by("created_at", "slot"))


def key_of(user: User, access_key_id: str) -> AccessKey:
    """Raises NoSuchEntity also for a key of somebody else: a page about one user never acts on another."""
    key = access_keys.get_access_key(user.account_id, access_key_id)
    if key.user_id != user.pk:
        raise NoSuchEntity(f"The Access Key with id {access_key_id} cannot be found.")
    return key
