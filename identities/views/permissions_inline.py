"""Inline policies of users and groups: see, write, delete."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from audit.actions import requires
from audit.errors import ConcurrentModification, NoSuchEntity, ServiceError
from audit.http import ConsoleRequest
from identities.forms.permissions import InlinePolicyForm
from identities.models import Group, GroupInlinePolicy, User, UserInlinePolicy
from identities.services import inline_policies
from identities.views.permission_holders import Holder, holder_of, permitted_group, permitted_user
from policies.documents import findings_of, readable
from policies.engine import Finding, size
from policies.starters import STARTERS, starter
from policies.views.editing import VALIDATE, editor, kept, refuse_on_form, typed

Put = Callable[[dict[str, Any]], object]


@requires("iam:GetUserPolicy", "user")
@require_safe
def get_user_policy(request: ConsoleRequest, user: User, policy_name: str) -> HttpResponse:
    return _show(request, holder_of(user), policy_name)


@requires("iam:GetGroupPolicy", "group")
@require_safe
def get_group_policy(request: ConsoleRequest, group: Group, policy_name: str) -> HttpResponse:
    return _show(request, holder_of(group), policy_name)


@requires("iam:PutUserPolicy", creates=True, also=("iam:GetUserPolicy", VALIDATE))
@require_http_methods(["GET", "HEAD", "POST"])
def put_user_policy(request: ConsoleRequest, user_name: str, policy_name: str = "") -> HttpResponse:
    holder = permitted_user(request, user_name, "iam:PutUserPolicy")
    user = holder.user

    def put(data: dict[str, Any]) -> object:
        return user and inline_policies.put_user_policy(by=request.principal, user=user, **data)

    return _put(request, holder, policy_name, put)


@requires("iam:PutGroupPolicy", creates=True, also=("iam:GetGroupPolicy", VALIDATE))
@require_http_methods(["GET", "HEAD", "POST"])
def put_group_policy(request: ConsoleRequest, group_name: str, policy_name: str = "") -> HttpResponse:
    holder = permitted_group(request, group_name, "iam:PutGroupPolicy")
    group = holder.group

    def put(data: dict[str, Any]) -> object:
        return group and inline_policies.put_group_policy(by=request.principal, group=group, **data)

    return _put(request, holder, policy_name, put)


@requires("iam:DeleteUserPolicy", creates=True)
@require_http_methods(["GET", "HEAD", "POST"])
def delete_user_policy(request: ConsoleRequest, user_name: str, policy_name: str) -> HttpResponse:
    holder = permitted_user(request, user_name, "iam:DeleteUserPolicy")
    if request.method == "POST" and holder.user:
        inline_policies.delete_user_policy(by=request.principal, user=holder.user, name=policy_name)
        return _deleted(request, holder, policy_name)
    return _ask(request, holder, policy_name)


@requires("iam:DeleteGroupPolicy", creates=True)
@require_http_methods(["GET", "HEAD", "POST"])
def delete_group_policy(request: ConsoleRequest, group_name: str, policy_name: str) -> HttpResponse:
    holder = permitted_group(request, group_name, "iam:DeleteGroupPolicy")
    if request.method == "POST" and holder.group:
        inline_policies.delete_group_policy(by=request.principal, group=holder.group, name=policy_name)
        return _deleted(request, holder, policy_name)
    return _ask(request, holder, policy_name)


def _found(holder: Holder, name: str) -> UserInlinePolicy | GroupInlinePolicy:
    row = holder.inline(name)
    if row is None:
        raise NoSuchEntity(f"The {holder.kind} policy with name {name} cannot be found.")
    return row


def _show(request: ConsoleRequest, holder: Holder, name: str) -> HttpResponse:
    row = _found(holder, name)
    document = readable(row.document)
    context = {
        "holder": holder,
        "row": row,
        "document": document,
        "findings": findings_of(document, account_id=request.principal.account_id),
    }
    return render(request, "identities/permissions_inline.html", context)


def _put(request: ConsoleRequest, holder: Holder, name: str, put: Put) -> HttpResponse:
    """Changing shows the present document, so whoever changes one must be allowed to read it."""
    present = _readable_row(request, holder, name) if name else None
    given = request.POST.copy()
    if name:
        given["name"] = name
    form = InlinePolicyForm(given if request.method == "POST" else None, initial=_start(request, present))
    form = kept(request, form)
    findings: Any = None
    stale = False
    if form.is_valid():
        try:
            put(form.cleaned_data)
        except ServiceError as error:
            findings = refuse_on_form(form, error)
            stale = isinstance(error, ConcurrentModification)
        else:
            messages.success(request, f"The inline policy {form.cleaned_data['name']} of {holder.name} is saved.")
            return redirect(holder.page)
    return _editor_page(request, holder, name, form, findings, present if stale else None)


def _readable_row(request: ConsoleRequest, holder: Holder, name: str) -> UserInlinePolicy | GroupInlinePolicy | None:
    request.gate.require(f"iam:Get{holder.word}Policy", holder.row.arn, holder.context)
    return _found(holder, name) if request.method != "POST" else holder.inline(name)


def _start(request: ConsoleRequest, present: UserInlinePolicy | GroupInlinePolicy | None) -> dict[str, str]:
    if present is None:
        return {"document": starter(request.GET.get("start", "")), "digest_seen": ""}
    return {"name": present.name, "document": readable(present.document), "digest_seen": present.digest}


def _editor_page(
    request: ConsoleRequest,
    holder: Holder,
    name: str,
    form: InlinePolicyForm,
    findings: tuple[Finding, ...] | None,
    newer: UserInlinePolicy | GroupInlinePolicy | None,
) -> HttpResponse:
    if newer is not None:
        # The form goes on from what is there now: saving again is then a decision.
        form.data = typed(form) | {"digest_seen": newer.digest}
    others = holder.row.inline_policies.exclude(name=name).values_list("document", flat=True)
    context = {
        "holder": holder,
        "form": form,
        "policy_name": name,
        "newer": newer,
        "starters": STARTERS,
        "editor": editor(request, form, holder.inline_quota, used=sum(map(size, others)), findings=findings),
    }
    return render(request, "identities/permissions_inline_edit.html", context)


def _ask(request: ConsoleRequest, holder: Holder, name: str) -> HttpResponse:
    row = _found(holder, name)
    may_read = holder.denial(request, f"iam:Get{holder.word}Policy") is None
    context = {"holder": holder, "row": row, "document": readable(row.document) if may_read else ""}
    return render(request, "identities/permissions_inline_delete.html", context)


def _deleted(request: ConsoleRequest, holder: Holder, name: str) -> HttpResponse:
    messages.success(request, f"The inline policy {name} of {holder.name} is gone.")
    return redirect(holder.page)
