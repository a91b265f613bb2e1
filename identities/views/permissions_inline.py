"""Inline policies of users, groups and roles: see, write, delete."""

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
from identities.models import Group, Role, User
from identities.services import inline_policies
from identities.views.permission_holders import Holder, Inline, Kind, holder_of, permitted
from policies.documents import findings_of, readable
from policies.engine import Finding, size
from policies.starters import STARTERS, starter
from policies.views.editing import VALIDATE, editor, kept, refuse_on_form, typed

PUT: dict[Kind, Callable[..., object]] = {
    "user": inline_policies.put_user_policy,
    "group": inline_policies.put_group_policy,
    "role": inline_policies.put_role_policy,
}
DELETE: dict[Kind, Callable[..., None]] = {
    "user": inline_policies.delete_user_policy,
    "group": inline_policies.delete_group_policy,
    "role": inline_policies.delete_role_policy,
}
Method = require_http_methods(["GET", "HEAD", "POST"])


@requires("iam:GetUserPolicy", "user")
@require_safe
def get_user_policy(request: ConsoleRequest, user: User, policy_name: str) -> HttpResponse:
    return _show(request, holder_of(user), policy_name)


@requires("iam:GetGroupPolicy", "group")
@require_safe
def get_group_policy(request: ConsoleRequest, group: Group, policy_name: str) -> HttpResponse:
    return _show(request, holder_of(group), policy_name)


@requires("iam:GetRolePolicy", "role")
@require_safe
def get_role_policy(request: ConsoleRequest, role: Role, policy_name: str) -> HttpResponse:
    return _show(request, holder_of(role), policy_name)


@requires("iam:PutUserPolicy", creates=True, also=("iam:GetUserPolicy", VALIDATE))
@Method
def put_user_policy(request: ConsoleRequest, user_name: str, policy_name: str = "") -> HttpResponse:
    return _put(request, permitted(request, "user", user_name, "iam:PutUserPolicy"), policy_name)


@requires("iam:PutGroupPolicy", creates=True, also=("iam:GetGroupPolicy", VALIDATE))
@Method
def put_group_policy(request: ConsoleRequest, group_name: str, policy_name: str = "") -> HttpResponse:
    return _put(request, permitted(request, "group", group_name, "iam:PutGroupPolicy"), policy_name)


@requires("iam:PutRolePolicy", creates=True, also=("iam:GetRolePolicy", VALIDATE))
@Method
def put_role_policy(request: ConsoleRequest, role_name: str, policy_name: str = "") -> HttpResponse:
    return _put(request, permitted(request, "role", role_name, "iam:PutRolePolicy"), policy_name)


@requires("iam:DeleteUserPolicy", creates=True)
@Method
def delete_user_policy(request: ConsoleRequest, user_name: str, policy_name: str) -> HttpResponse:
    return _delete(request, permitted(request, "user", user_name, "iam:DeleteUserPolicy"), policy_name)


@requires("iam:DeleteGroupPolicy", creates=True)
@Method
def delete_group_policy(request: ConsoleRequest, group_name: str, policy_name: str) -> HttpResponse:
    return _delete(request, permitted(request, "group", group_name, "iam:DeleteGroupPolicy"), policy_name)


@requires("iam:DeleteRolePolicy", creates=True)
@Method
def delete_role_policy(request: ConsoleRequest, role_name: str, policy_name: str) -> HttpResponse:
    return _delete(request, permitted(request, "role", role_name, "iam:DeleteRolePolicy"), policy_name)


def _found(holder: Holder, name: str) -> Inline:
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


def _put(request: ConsoleRequest, holder: Holder, name: str) -> HttpResponse:
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
            PUT[holder.kind](by=request.principal, **{holder.kind: holder.row}, **form.cleaned_data)
        except ServiceError as error:
            findings = refuse_on_form(form, error)
            stale = isinstance(error, ConcurrentModification)
        else:
            messages.success(request, f"The inline policy {form.cleaned_data['name']} of {holder.name} is saved.")
            return redirect(holder.page)
    return _editor_page(request, holder, name, form, findings, present if stale else None)


def _readable_row(request: ConsoleRequest, holder: Holder, name: str) -> Inline | None:
    reading = f"iam:Get{holder.word}Policy"
    request.gate.require(reading, holder.row.arn, holder.keys(reading))
    return _found(holder, name) if request.method != "POST" else holder.inline(name)


def _start(request: ConsoleRequest, present: Inline | None) -> dict[str, str]:
    if present is None:
        return {"document": starter(request.GET.get("start", "")), "digest_seen": ""}
    return {"name": present.name, "document": readable(present.document), "digest_seen": present.digest}


def _editor_page(
    request: ConsoleRequest,
    holder: Holder,
    name: str,
    form: InlinePolicyForm,
    findings: tuple[Finding, ...] | None,
    newer: Inline | None,
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


def _delete(request: ConsoleRequest, holder: Holder, name: str) -> HttpResponse:
    if request.method == "POST":
        DELETE[holder.kind](by=request.principal, name=name, **{holder.kind: holder.row})
        messages.success(request, f"The inline policy {name} of {holder.name} is gone.")
        return redirect(holder.page)
    row = _found(holder, name)
    may_read = holder.denial(request, f"iam:Get{holder.word}Policy") is None
    context = {"holder": holder, "row": row, "document": readable(row.document) if may_read else ""}
    return render(request, "identities/permissions_inline_delete.html", context)
