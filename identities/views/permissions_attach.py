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
from identities.views.permission_holders import Holder, Kind, permitted
from policies.models import ManagedPolicy

# One address holds the choice while somebody searches; the quota of attachments is far below.
MOST = 50
ATTACH: dict[Kind, Callable[..., None]] = {
    "user": attachments.attach_user_policy,
    "group": attachments.attach_group_policy,
    "role": attachments.attach_role_policy,
}
DETACH: dict[Kind, Callable[..., None]] = {
    "user": attachments.detach_user_policy,
    "group": attachments.detach_group_policy,
    "role": attachments.detach_role_policy,
}
Method = require_http_methods(["GET", "HEAD", "POST"])


@requires("iam:AttachUserPolicy", creates=True, also=("iam:ListAttachedUserPolicies", "iam:ListPolicies"))
@Method
def attach_user_policy(request: ConsoleRequest, user_name: str) -> HttpResponse:
    return _attach(request, "user", user_name)


@requires("iam:AttachGroupPolicy", creates=True, also=("iam:ListAttachedGroupPolicies", "iam:ListPolicies"))
@Method
def attach_group_policy(request: ConsoleRequest, group_name: str) -> HttpResponse:
    return _attach(request, "group", group_name)


@requires("iam:AttachRolePolicy", creates=True, also=("iam:ListAttachedRolePolicies", "iam:ListPolicies"))
@Method
def attach_role_policy(request: ConsoleRequest, role_name: str) -> HttpResponse:
    return _attach(request, "role", role_name)


@requires("iam:DetachUserPolicy", creates=True)
@require_POST
def detach_user_policy(request: ConsoleRequest, user_name: str) -> HttpResponse:
    return _detach(request, "user", user_name)


@requires("iam:DetachGroupPolicy", creates=True)
@require_POST
def detach_group_policy(request: ConsoleRequest, group_name: str) -> HttpResponse:
    return _detach(request, "group", group_name)


@requires("iam:DetachRolePolicy", creates=True)
@require_POST
def detach_role_policy(request: ConsoleRequest, role_name: str) -> HttpResponse:
    return _detach(request, "role", role_name)


def _detach(request: ConsoleRequest, kind: Kind, name: str) -> HttpResponse:
    arn = request.POST.get("policy", "")
    holder = permitted(request, kind, name, f"iam:Detach{kind.capitalize()}Policy", {"iam:PolicyARN": arn})
    policy = _policy(request, arn)
    DETACH[kind](by=request.principal, policy=policy, **{kind: holder.row})
    who = holder.name if kind == "user" else f"The {kind} {holder.name}"
    messages.success(request, f"{who} does not have the policy {policy.name} any more.")
    return redirect(holder.page)


def _attach(request: ConsoleRequest, kind: Kind, name: str) -> HttpResponse:
    word = kind.capitalize()
    # Without script, a search sends the form too, so that what is ticked stays ticked.
    data = request.POST if request.method == "POST" else request.GET
    chosen = list(filter(None, data.getlist("policies")))[:MOST]
    refusal = None
    if request.method == "POST" and "search" not in data:
        # Every policy is asked for before the first is attached: one that may not be attached refuses all.
        holders = [permitted(request, kind, name, f"iam:Attach{word}Policy", {"iam:PolicyARN": arn}) for arn in chosen]
        try:
            attached = _attach_all(request, holders, chosen)
        except AccessDenied:
            raise
        except ServiceError as error:
            refusal = error
        else:
            messages.success(request, f"{holders[0].name} now has {_listed(attached)}.")
            return redirect(holders[0].page)
    holder = permitted(request, kind, name, f"iam:ListAttached{word}Policies")
    search = data.get("q", "").strip()[:128]
    context = _page(request, holder, chosen, search) | {"refusal": refusal}
    return render(
        request,
        "identities/permissions_attach.html" + ("#choices" if request.htmx else ""),
        context,
        status=409 if refusal else 200,
    )


@transaction.atomic
def _attach_all(request: ConsoleRequest, holders: list[Holder], arns: list[str]) -> list[str]:
    if not arns:
        raise InvalidInput("Nothing is ticked, so nothing was attached.")
    holder = holders[0]
    # In order of ARN, so that two who attach the same policies never wait for each other in a circle.
    policies = [_policy(request, arn) for arn in sorted(set(arns))]
    for policy in policies:
        try:
            ATTACH[holder.kind](by=request.principal, policy=policy, **{holder.kind: holder.row})
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
