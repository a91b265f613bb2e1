from dataclasses import dataclass
from functools import cached_property

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.actions import recently_signed_in, requires
from audit.errors import ServiceError
from audit.http import ConsoleRequest
from identities.forms.other_credentials import SSHPublicKeyForm
from identities.models import SSHPublicKey, User
from identities.panels import panel
from identities.public_keys import read_ssh_key, sha256_fingerprint
from identities.resource_tags import resource_tags
from identities.services import ssh_public_keys
from identities.views.other_credentials import is_own

PAGE = "identities:list-ssh-public-keys"
DETAILS = "iam:GetSSHPublicKey"


@dataclass(frozen=True)
class ShownKey:
    """A key with what helps to recognise it: the fingerprint that `ssh-keygen -l` tells, and its comment."""

    row: SSHPublicKey

    @cached_property
    def sha256(self) -> str:
        return sha256_fingerprint(read_ssh_key(self.row.body))

    @property
    def comment(self) -> str:
        words = self.row.body.split(maxsplit=2) if self.row.body.startswith("ssh-") else ()
        return words[2] if len(words) == 3 else ""


@requires("iam:ListSSHPublicKeys", "user", also=(DETAILS,))
@require_safe
def list_ssh_public_keys(request: ConsoleRequest, user: User) -> HttpResponse:
    keys, quota = user.ssh_public_keys.order_by("uploaded_at", "slot"), user.account.quota("ssh_public_keys")
    context = {
        "rows": [ShownKey(row) for row in keys],
        "details": panel(request.gate, DETAILS, user.arn, resource_tags(user)),
        "quota": quota,
        "full": len(keys) >= quota,
    }
    return _render(request, user, "list", context)


@requires("iam:UploadSSHPublicKey", "user")
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def upload_ssh_public_key(request: ConsoleRequest, user: User) -> HttpResponse:
    form = SSHPublicKeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            key = ssh_public_keys.upload_ssh_public_key(by=request.principal, user=user, body=form.cleaned_data["body"])
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, f"The SSH public key {key.pk} is there and active.")
            return redirect(PAGE, user.name)
    return _render(request, user, "upload", {"form": form})


@requires("iam:UpdateSSHPublicKey", "user")
@require_POST
@recently_signed_in
def update_ssh_public_key(request: ConsoleRequest, user: User, ssh_public_key_id: str) -> HttpResponse:
    key, status = _key(user, ssh_public_key_id), request.POST.get("status", "")
    ssh_public_keys.update_ssh_public_key(by=request.principal, key=key, status=status)
    messages.success(request, f"The SSH public key {key.pk} is now {key.status.lower()}.")
    return redirect(PAGE, user.name)


@requires("iam:DeleteSSHPublicKey", "user")
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete_ssh_public_key(request: ConsoleRequest, user: User, ssh_public_key_id: str) -> HttpResponse:
    key = _key(user, ssh_public_key_id)
    if request.method == "POST":
        ssh_public_keys.delete_ssh_public_key(by=request.principal, key=key)
        messages.success(request, f"The SSH public key {key.pk} is deleted.")
        return redirect(PAGE, user.name)
    return _render(request, user, "delete", {"key": key})


def _key(user: User, key_id: str) -> SSHPublicKey:
    """Raises NoSuchEntity also for a key of somebody else: a page about one user never acts on another."""
    key: SSHPublicKey | None = user.ssh_public_keys.select_related("user").filter(pk=key_id).first()
    if key is None:
        raise ssh_public_keys.no_such_key(key_id)
    return key


def _render(request: ConsoleRequest, user: User, page: str, context: dict[str, object]) -> HttpResponse:
    context |= {"user": user, "own": is_own(request, user)}
    return render(request, f"identities/ssh_public_keys_{page}.html", context)
