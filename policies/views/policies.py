from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.confirming import TypedNameForm
from accounts.models import Account
from accounts.tags import first_with_tags, resource_tag_keys, tags_of
from audit.actions import requires
from audit.errors import AccessDenied, ServiceError
from audit.http import ConsoleRequest
from policies import services
from policies.documents import findings_of, readable
from policies.forms import PolicyForm
from policies.models import ManagedPolicy, policy_arn
from policies.starters import STARTERS, starter
from policies.usage import uses
from policies.views.editing import VALIDATE, editor, kept, refuse_on_form

SHOWN = 20


def denial_of(request: ConsoleRequest, action: str, policy: ManagedPolicy) -> AccessDenied | None:
    """What `components/not_allowed.html` needs for a part of a page; None for somebody who may see it."""
    keys = resource_tag_keys(tags_of(policy))
    decision = request.gate.may(action, policy.arn, keys)
    if decision.allowed:
        return None
    return AccessDenied(request.principal.arn, action, policy.arn, decision, context=keys)


@requires("iam:GetPolicy", "policy", also=("iam:GetPolicyVersion",))
@require_safe
def get_policy(request: ConsoleRequest, policy: ManagedPolicy) -> HttpResponse:
    denial = denial_of(request, "iam:GetPolicyVersion", policy)
    context = {
        "policy": policy,
        "uses": uses(policy, request.principal.account_id),
        "version": services.default_version(policy),
        "versions": policy.versions.count(),
        "denial": denial,
        **({} if denial else _document(policy, request.principal.account_id)),
    }
    return render(request, "policies/get_policy.html", context)


def _document(policy: ManagedPolicy, account_id: str) -> dict[str, Any]:
    document = readable(services.default_document(policy))
    return {"document": document, "findings": findings_of(document, account_id=account_id)}


@requires("iam:CreatePolicy", creates=True, also=("iam:GetPolicyVersion", VALIDATE))
@require_http_methods(["GET", "HEAD", "POST"])
def create_policy(request: ConsoleRequest) -> HttpResponse:
    form = PolicyForm(request.POST) if request.method == "POST" else PolicyForm(initial=_start(request))
    form = kept(request, form)
    findings = None
    if form.is_valid():
        data = form.cleaned_data
        arn = policy_arn(request.principal.account_id, data["path"], data["name"])
        request.gate.require("iam:CreatePolicy", arn)
        try:
            policy = services.create_policy(by=request.principal, **data)
        except ServiceError as error:
            findings = refuse_on_form(form, error)
        else:
            messages.success(request, f"The policy {policy.name} is created. Nobody has it yet: attach it next.")
            return redirect("policies:get-policy", policy.scope, policy.name)
    limit = Account.objects.get(pk=request.principal.account_id).quota("policy_characters")
    context = {"form": form, "starters": STARTERS, "editor": editor(request, form, limit, findings=findings)}
    return render(request, "policies/create_policy.html", context)


def _start(request: ConsoleRequest) -> dict[str, str]:
    """An empty form: with a template's document, or with that of a policy that the caller may read."""
    if arn := request.GET.get("copy", ""):
        policy = _copied(request, arn)
        name = f"{policy.name}-copy"[: services.NAME_LIMIT]
        document = readable(services.default_document(policy))
        return {"path": "/", "name": name, "description": policy.description, "document": document}
    return {"path": "/", "document": starter(request.GET.get("start", ""))}


def _copied(request: ConsoleRequest, arn: str) -> ManagedPolicy:
    """The policy of an ARN, once the gate has allowed reading it; refused before it is called missing."""
    found = ManagedPolicy.objects.visible_to(request.principal.account_id).with_arn(arn)
    policy, tags = first_with_tags(found)
    request.gate.require("iam:GetPolicyVersion", arn, resource_tag_keys(tags))
    if policy is None:
        raise services.no_such_policy(arn)
    return policy


@requires("iam:DeletePolicy", "policy", also=("iam:ListEntitiesForPolicy", "iam:DeletePolicyVersion"))
@require_http_methods(["GET", "HEAD", "POST"])
def delete_policy(request: ConsoleRequest, policy: ManagedPolicy) -> HttpResponse:
    form = TypedNameForm(request.POST if request.method == "POST" else None, name=policy.name)
    others = policy.versions.filter(is_default=False)
    if form.is_valid():
        if others.exists():
            request.gate.require("iam:DeletePolicyVersion", policy.arn, resource_tag_keys(tags_of(policy)))
        try:
            services.delete_policy_with_versions(by=request.principal, policy=policy)
        except ServiceError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"The policy {policy.name} is gone.")
            return redirect("policies:list-policies")
    denial = denial_of(request, "iam:ListEntitiesForPolicy", policy)
    used = uses(policy, request.principal.account_id)
    context = {
        "form": form,
        "policy": policy,
        "uses": used,
        "others": others.order_by("number"),
        "denial": denial,
        "users": () if denial else _names(policy.user_attachments.order_by("user__name_key"), "user__name"),
        "groups": () if denial else _names(policy.group_attachments.order_by("group__name_key"), "group__name"),
        "roles": () if denial else _names(policy.role_attachments.order_by("role__name_key"), "role__name"),
        "bounded_roles": () if denial else _names(policy.bounded_roles.order_by("name_key"), "name"),
        "bounded": () if denial else _names(policy.bounded_users.order_by("name_key"), "name"),
    }
    return render(request, "policies/delete_policy.html", context)


def _names(rows: QuerySet[Any], column: str) -> list[str]:
    return list(rows.values_list(column, flat=True)[:SHOWN])
