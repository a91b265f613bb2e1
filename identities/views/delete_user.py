from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.confirming import TypedNameForm
from accounts.tags import resource_tag_keys
from audit.actions import recently_signed_in, requires
from audit.http import ConsoleRequest
from identities.models import User
from identities.models.lockdowns import LOCKDOWN_SLOT
from identities.resource_tags import service_key
from identities.services import users
from identities.services.grants import Step, Target

# A page that lists what goes must be allowed to list it, and nobody learns from a refusal what somebody has.
READ_ACTIONS = (
    "iam:GetUser",
    "iam:GetLoginProfile",
    "iam:ListAccessKeys",
    "iam:ListMFADevices",
    "iam:ListSSHPublicKeys",
    "iam:ListServiceSpecificCredentials",
    "iam:ListSigningCertificates",
    "iam:ListGroupsForUser",
    "iam:ListAttachedUserPolicies",
    "iam:ListUserPolicies",
)
REMOVE_ACTIONS = (
    "iam:DeleteLoginProfile",
    "iam:DeleteAccessKey",
    "iam:DeleteSSHPublicKey",
    "iam:DeleteServiceSpecificCredential",
    "iam:DeleteSigningCertificate",
    "iam:DeactivateMFADevice",
    "iam:DeleteVirtualMFADevice",
    "iam:RemoveUserFromGroup",
    "iam:DetachUserPolicy",
    "iam:DeleteUserPolicy",
)


@requires("iam:DeleteUser", "user", also=(*READ_ACTIONS, *REMOVE_ACTIONS))
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete_user(request: ConsoleRequest, user: User) -> HttpResponse:
    target = Target.of(user)
    for action in READ_ACTIONS:
        request.gate.require(action, user.arn, target.resource_tags)
    steps = list(_steps(user, target))
    form = TypedNameForm(request.POST if request.method == "POST" else None, name=user.name)
    if form.is_valid():
        for step in steps:
            request.gate.require(step.action, step.resource, step.context)
        users.delete_user_with_everything(by=request.principal, user=user)
        messages.success(request, f"The user {user.name} and everything that belonged to it are gone.")
        return redirect("identities:list-users")
    rows = [(step, request.gate.may(step.action, step.resource, step.context)) for step in steps]
    context = {
        "form": form,
        "user": user,
        "rows": rows,
        "refused": any(not decision.allowed for _, decision in rows),
        "sessions": user.console_sessions.count(),
        "is_self": user.unique_id == request.principal.unique_id,
    }
    return render(request, "identities/delete_user.html", context)


def _steps(user: User, target: Target) -> Iterator[Step]:
    """Everything that goes with the user, each as AWS's own action for it."""
    arn, tags = user.arn, target.resource_tags
    if hasattr(user, "login_profile"):
        yield Step("iam:DeleteLoginProfile", arn, tags, "Console password")
    for key in user.access_keys.order_by("slot"):
        yield Step("iam:DeleteAccessKey", arn, tags, f"Access key {key.access_key_id} ({key.status.lower()})")
    for certificate in user.signing_certificates.order_by("slot"):
        yield Step("iam:DeleteSigningCertificate", arn, tags, f"Signing certificate {certificate.pk}")
    for ssh_key in user.ssh_public_keys.order_by("slot"):
        yield Step("iam:DeleteSSHPublicKey", arn, tags, f"SSH public key {ssh_key.pk}")
    for credential in user.service_specific_credentials.order_by("service", "slot"):
        text = f"Credential {credential.alias} for {credential.service}"
        keys = {**tags, **service_key(credential.service)}
        yield Step("iam:DeleteServiceSpecificCredential", arn, keys, text)
    for device in user.mfa_devices.prefetch_related("tags").order_by("slot"):
        if device.enabled_at is not None:
            yield Step("iam:DeactivateMFADevice", arn, tags, f"MFA device {device.name}, turned off")
        keys = resource_tag_keys({tag.key: tag.value for tag in device.tags.all()})
        yield Step("iam:DeleteVirtualMFADevice", device.serial_number, keys, f"MFA device {device.name}, deleted")
    for membership in user.memberships.select_related("group").order_by("group__name_key"):
        group = membership.group
        yield Step("iam:RemoveUserFromGroup", group.arn, {}, f"Membership in the group {group.name}")
    attachments = user.attachments.exclude(slot=LOCKDOWN_SLOT).select_related("policy")
    for attachment in attachments.order_by("policy__name_key"):
        policy = attachment.policy
        text = f"Attached policy {policy.name} (the policy itself stays)"
        yield Step("iam:DetachUserPolicy", arn, target.context(PolicyARN=policy.arn), text)
    for inline in user.inline_policies.order_by("name"):
        yield Step("iam:DeleteUserPolicy", arn, target.context(), f"Inline policy {inline.name}")
