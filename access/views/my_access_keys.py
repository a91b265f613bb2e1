from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from access.own_credentials import SignedInRequest, own
from access.rotation import warning_on_deleting
from audit import clock
from audit.actions import recently_signed_in, requires
from audit.errors import LimitExceeded
from identities.credential_files import access_key_csv, access_key_file_name, access_key_profile
from identities.forms.credentials import DeleteAccessKeyForm, NewAccessKeyForm
from identities.models import AccessKey
from identities.services import access_keys

DONE = "The rotation is finished: {} is deleted, and the newer key has taken its place."


@requires("iam:ListAccessKeys", "self", also=("iam:GetAccessKeyLastUsed",))
@require_safe
def my_access_keys(request: SignedInRequest) -> HttpResponse:
    me = own(request)
    keys = me.access_keys()
    context = {
        "rows": keys,
        "uses": me.panel("iam:GetAccessKeyLastUsed"),
        "full": len(keys) >= me.account.quota("access_keys"),
    }
    return render(request, "access/my_access_keys.html", context)


@requires("iam:CreateAccessKey", "self")
@recently_signed_in
def create_my_access_key(request: SignedInRequest) -> HttpResponse:
    me = own(request)
    keys, status = me.access_keys(), 200
    data = request.POST if request.method == "POST" else None
    form = NewAccessKeyForm(data, keys=keys, for_root=me.user is None)
    if form.is_valid():
        try:
            key, secret = access_keys.create_access_key(by=request.principal, user=me.user)
        except LimitExceeded:
            keys, status = me.access_keys(), 409
        else:
            return _show_secret(request, key, secret)
    full = len(keys) >= me.account.quota("access_keys")
    context = {"form": form, "keys": keys, "full": full, "rotating": _is_rotating(request)}
    return render(request, "access/my_access_key_create.html", context, status=status)


def _show_secret(request: SignedInRequest, key: AccessKey, secret: str) -> HttpResponse:
    context = {
        "key": key,
        "secret": secret,
        "csv": access_key_csv(key, secret),
        "profile": access_key_profile(key, secret),
        "file_name": access_key_file_name(key),
        "rotating": _is_rotating(request),
    }
    return render(request, "access/my_access_key_made.html", context)


@requires("iam:UpdateAccessKey", "self")
@require_POST
@recently_signed_in
def update_my_access_key(request: SignedInRequest, access_key_id: str) -> HttpResponse:
    key = own(request).key(access_key_id)
    access_keys.update_access_key(by=request.principal, key=key, status=request.POST.get("status", ""))
    messages.success(request, f"Access key {key.access_key_id} is now {key.status.lower()}.")
    return _back(request)


@requires("iam:DeleteAccessKey", "self")
@recently_signed_in
def delete_my_access_key(request: SignedInRequest, access_key_id: str) -> HttpResponse:
    me = own(request)
    key = me.key(access_key_id)
    form = DeleteAccessKeyForm(request.POST if request.method == "POST" else None, key=key)
    if form.is_valid():
        access_keys.delete_access_key(by=request.principal, key=key)
        finished = _is_rotating(request) and any(other.is_active for other in me.access_keys())
        messages.success(request, (DONE if finished else "Access key {} is deleted.").format(key.access_key_id))
        return redirect("access:my-access-keys")
    context = {
        "key": key,
        "form": form,
        "own": True,
        "rotating": _is_rotating(request),
        "warning": warning_on_deleting(key, clock.now()),
    }
    return render(request, "access/my_access_key_delete.html", context)


def _is_rotating(request: SignedInRequest) -> bool:
    """Whether the guided page sent this; it only decides where one lands afterwards."""
    return bool((request.POST if request.method == "POST" else request.GET).get("rotating"))


def _back(request: SignedInRequest) -> HttpResponse:
    return redirect("access:rotate-my-access-key" if _is_rotating(request) else "access:my-access-keys")
