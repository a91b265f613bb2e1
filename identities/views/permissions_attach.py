"""Attaching managed policies, several at once, and detaching them. The gate is asked for each with its own ARN."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from audit.actions import requires
from audit.errors import AccessDenied, InvalidInput, NoSuchEntity, ServiceError
from audit.http import ConsoleRequest
from identities.services import attachments
from identities.services.grants import policies_by_arn
from identities.views.choosing import ChoiceList, policy_choices
from identities.views.permission_holders import Holder, permitted_group, permitted_user
from policies.models import ManagedPolicy

# One address holds the choice while somebody searches; the quota of attachments is far below.
MOST = 50
Find = Callable[[str, dict[str, str]], Holder]


@requires("iam:AttachUserPolicy", creates=True, also=("iam:ListAttachedUserPolicies", "iam:ListPolicies"))
@require_http_methods(["GET", "HEAD", "POST"])
def attach_user_policy(request: ConsoleRequest, user_name: str) -> HttpResponse:
    def find(action: str, keys: dict[str, str]) -> Holder:
        return permitted_user(request, user_name, action, keys)

    return _attach(request, "User", find, attach=_attach_to_user)


@requires("iam:AttachGroupPolicy", creates=True, also=("iam:ListAttachedGroupPolicies", "iam:ListPolicies"))
@require_http_methods(["GET", "HEAD", "POST"])
def attach_group_policy(request: ConsoleRequest, group_name: str) -> HttpResponse:
    def find(action: str, keys: dict[str, str]) -> Holder:
        return permitted_group(request, group_name, action, keys)

    return _attach(request, "Group", find, attach=_attach_to_group)


@requires("iam:DetachUserPolicy", creates=True)
@require_POST
def detach_user_policy(request: ConsoleRequest, user_name: str) -> HttpResponse:
    arn = request.POST.get("policy", "")
    holder = permitted_user(request, user_name, "iam:DetachUserPolicy", {"iam:PolicyARN": arn})
    policy = _policy(request, arn)
    if holder.user:
        attachments.detach_user_policy(by=request.principal, user=holder.user, policy=policy)
    messages.success(request, f"{holder.name} does not have the policy {policy.name} any more.")
    return redirect(holder.page)


@requires("iam:DetachGroupPolicy", creates=True)
@require_POST
def detach_group_policy(request: ConsoleRequest, group_name: str) -> HttpResponse:
    arn = request.POST.get("policy", "")
    holder = permitted_group(request, group_name, "iam:DetachGroupPolicy", {"iam:PolicyARN": arn})
    policy = _policy(request, arn)
    if holder.group:
        attachments.detach_group_policy(by=request.principal, group=holder.group, policy=policy)
    messages.success(request, f"The group {holder.name} does not have the policy {policy.name} any more.")
    return redirect(holder.page)


def _attach_to_user(request: ConsoleRequest, holder: Holder, policy: ManagedPolicy) -> None:
    if holder.user:
        attachments.attach_user_policy(by=request.principal, user=holder.user, policy=policy)


def _attach_to_group(request: ConsoleRequest, holder: Holder, policy: ManagedPolicy) -> None:
    if holder.group:
        attachments.attach_group_policy(by=request.principal, group=holder.group, policy=policy)


def _attach(
    request: ConsoleRequest, word: str, find: Find, attach: Callable[[ConsoleRequest, Holder, ManagedPolicy], None]
) -> HttpResponse:
    # Without script, a search sends the form too, so that what is ticked stays ticked.
    data = request.POST if request.method == "POST" else request.GET
    chosen = list(filter(None, data.getlist("policies")))[:MOST]
    refusal = None
    if request.method == "POST" and "search" not in data:
        # Every policy is asked for before the first is attached: one that may not be attached refuses all.
        holders = [find(f"iam:Attach{word}Policy", {"iam:PolicyARN": arn}) for arn in chosen]
        try:
            attached = _attach_all(request, holders, chosen, attach)
        except AccessDenied:
            raise
        except ServiceError as error:
            refusal = error
        else:
            messages.success(request, f"{holders[0].name} now has {_listed(attached)}.")
            return redirect(holders[0].page)
    holder = find(f"iam:ListAttached{word}Policies", {})
    search = data.get("q", "").strip()[:128]
    context = _page(request, holder, chosen, search) | {"refusal": refusal}
    return render(
        request,
        "identities/permissions_attach.html" + ("#choices" if request.htmx else ""),
        context,
        status=409 if refusal else 200,
    )


@transaction.atomic
def _attach_all(
    request: ConsoleRequest,
    holders: list[Holder],
    arns: list[str],
    attach: Callable[[ConsoleRequest, Holder, ManagedPolicy], None],
) -> list[str]:
    if not arns:
        raise InvalidInput("Nothing is ticked, so nothing was attached.")
    # In order of ARN, so that two who attach the same policies never wait for each other in a circle.
    policies = [_policy(request, arn) for arn in sorted(set(arns))]
    for policy in policies:
        try:
            attach(request, holders[0], policy)
        except ServiceError as error:
            raise type(error)(f"“{policy.name}” could not be attached, so none was: {error.message}") from error
    return [policy.name for policy in policies]


def _policy(request: ConsoleRequest, arn: str) -> ManagedPolicy:
    policy = policies_by_arn(request.principal.account_id, [arn])[arn]
    if policy is None:
        raise NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
    return policy


def _listed(names: list[str]) -> str:
    return f"the polic{'y' if len(names) == 1 else 'ies'} {', '.join(names)}"


def _page(request: ConsoleRequest, holder: Holder, chosen: list[str], search: str) -> dict[str, Any]:
    rows: Any = holder.row.attachments
    held = [attachment.policy for attachment in rows.select_related("policy").order_by("policy__name_key")]
    arns = {policy.arn for policy in held}
    found = policy_choices(request, chosen, search)
    open_choices = tuple(choice for choice in found.choices if choice.value not in arns)
    return {
        "holder": holder,
        "list": ChoiceList(open_choices, found.more, found.denial),
        "held": held,
        "search": search,
    }
