from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.confirming import TypedNameOfWhatIsListedForm
from audit.actions import requires
from audit.errors import ConcurrentModification
from audit.http import ConsoleRequest
from identities.models import Group
from identities.services import groups
from identities.services.grants import Step

# A page that lists what goes must be allowed to list it.
READ_ACTIONS = ("iam:GetGroup", "iam:ListAttachedGroupPolicies", "iam:ListGroupPolicies")
REMOVE_ACTIONS = ("iam:RemoveUserFromGroup", "iam:DetachGroupPolicy", "iam:DeleteGroupPolicy")
LISTED = 50


@requires("iam:DeleteGroup", "group", also=(*READ_ACTIONS, *REMOVE_ACTIONS))
@require_http_methods(["GET", "HEAD", "POST"])
def delete_group(request: ConsoleRequest, group: Group) -> HttpResponse:
    for action in READ_ACTIONS:
        request.gate.require(action, group.arn)
    steps = list(_steps(group))
    posted = request.POST if request.method == "POST" else None
    form = TypedNameOfWhatIsListedForm(posted, name=group.name, seen=groups.fingerprint(group))
    refusal = ""
    if form.is_valid():
        for step in steps:
            request.gate.require(step.action, step.resource, step.context)
        try:
            seen = form.cleaned_data["seen"]
            groups.delete_group_with_everything(by=request.principal, group=group, seen=seen)
        except ConcurrentModification as error:
            refusal = error.message
            form = TypedNameOfWhatIsListedForm(name=group.name, seen=groups.fingerprint(group))
        else:
            messages.success(request, f"The group {group.name} is gone. Its users are still there.")
            return redirect("identities:list-groups")
    return _page(request, group, form, steps, refusal)


def _page(
    request: ConsoleRequest, group: Group, form: TypedNameOfWhatIsListedForm, steps: list[Step], refusal: str
) -> HttpResponse:
    rows = [(step, request.gate.may(step.action, step.resource, step.context)) for step in steps]
    members = group.memberships.select_related("user").order_by("user__name_key")
    context = {
        "form": form,
        "group": group,
        "rows": rows,
        "refused": any(not decision.allowed for _, decision in rows),
        "refusal": refusal,
        "members": members[:LISTED],
        "more": max(0, members.count() - LISTED),
    }
    return render(request, "identities/delete_group.html", context, status=409 if refusal else 200)


def _steps(group: Group) -> Iterator[Step]:
    """Everything that goes with the group, each as AWS's own action for it."""
    if members := group.memberships.count():
        text = "1 user leaves the group" if members == 1 else f"{members} users leave the group"
        yield Step("iam:RemoveUserFromGroup", group.arn, {}, text)
    for attachment in group.attachments.select_related("policy").order_by("policy__name_key"):
        policy = attachment.policy
        text = f"Attached policy {policy.name} (the policy itself stays)"
        yield Step("iam:DetachGroupPolicy", group.arn, {"iam:PolicyARN": policy.arn}, text)
    for inline in group.inline_policies.order_by("name"):
        yield Step("iam:DeleteGroupPolicy", group.arn, {}, f"Inline policy {inline.name}")
