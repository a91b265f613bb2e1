from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.confirming import TypedNameOfWhatIsListedForm
from audit.actions import requires
from audit.errors import ServiceError
from audit.http import ConsoleRequest
from identities.models import Role
from identities.resource_tags import keys_of, resource_tags
from identities.services import roles
from identities.services.grants import Step, Target

# A page that lists what goes must be allowed to list it.
READ_ACTIONS = ("iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:ListInstanceProfilesForRole")
REMOVE_ACTIONS = ("iam:RemoveRoleFromInstanceProfile", "iam:DetachRolePolicy", "iam:DeleteRolePolicy")


@requires("iam:DeleteRole", "role", also=(*READ_ACTIONS, *REMOVE_ACTIONS))
@require_http_methods(["GET", "HEAD", "POST"])
def delete_role(request: ConsoleRequest, role: Role) -> HttpResponse:
    for action in READ_ACTIONS:
        request.gate.require(action, role.arn, keys_of(role, action))
    steps = list(_steps(role))
    form = TypedNameOfWhatIsListedForm(
        request.POST if request.method == "POST" else None, name=role.name, seen=seen_now(role)
    )
    refusal = ""
    if form.is_valid():
        for step in steps:
            request.gate.require(step.action, step.resource, step.context)
        try:
            roles.delete_role_with_everything(by=request.principal, role=role, seen=form.cleaned_data["seen"])
        except ServiceError as error:
            refusal = error.message
            form = TypedNameOfWhatIsListedForm(name=role.name, seen=seen_now(role))
        else:
            messages.success(request, f"The role {role.name} is gone, and its sessions have ended.")
            return redirect("identities:list-roles")
    rows = [(step, request.gate.may(step.action, step.resource, step.context)) for step in steps]
    context = {
        "form": form,
        "role": role,
        "rows": rows,
        "refused": any(not decision.allowed for _, decision in rows),
        "refusal": refusal,
    }
    return render(request, "identities/delete_role.html", context, status=409 if refusal else 200)


def seen_now(role: Role) -> str:
    return roles.fingerprint(role)


def _steps(role: Role) -> Iterator[Step]:
    """Everything that goes with the role, each as AWS's own action for it."""
    for profile in role.instance_profiles.prefetch_related("tags").order_by("name_key"):
        text = f"The role leaves the instance profile {profile.name}: machines with it get no credentials any more"
        yield Step("iam:RemoveRoleFromInstanceProfile", profile.arn, resource_tags(profile), text)
    target = Target.of(role)
    for attachment in role.attachments.select_related("policy").order_by("policy__name_key"):
        policy = attachment.policy
        text = f"Attached policy {policy.name} (the policy itself stays)"
        yield Step("iam:DetachRolePolicy", role.arn, target.context(PolicyARN=policy.arn), text)
    for inline in role.inline_policies.order_by("name"):
        yield Step("iam:DeleteRolePolicy", role.arn, target.context(), f"Inline policy {inline.name}")
