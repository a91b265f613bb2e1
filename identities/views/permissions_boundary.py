"""The permissions boundary of a user or a role: set, change, remove."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from audit.actions import requires
from audit.errors import NoSuchEntity, ServiceError
from audit.http import ConsoleRequest
from identities.services import boundaries
from identities.services.grants import policies_by_arn
from identities.views.choosing import policy_choices
from identities.views.permission_holders import Kind, permitted

PUT: dict[Kind, Callable[..., None]] = {
    "user": boundaries.put_user_permissions_boundary,
    "role": boundaries.put_role_permissions_boundary,
}
DELETE: dict[Kind, Callable[..., None]] = {
    "user": boundaries.delete_user_permissions_boundary,
    "role": boundaries.delete_role_permissions_boundary,
}
Method = require_http_methods(["GET", "HEAD", "POST"])


@requires("iam:PutUserPermissionsBoundary", creates=True, also=("iam:GetUser", "iam:ListPolicies"))
@Method
def put_user_permissions_boundary(request: ConsoleRequest, user_name: str) -> HttpResponse:
    return _put(request, "user", user_name)


@requires("iam:PutRolePermissionsBoundary", creates=True, also=("iam:GetRole", "iam:ListPolicies"))
@Method
def put_role_permissions_boundary(request: ConsoleRequest, role_name: str) -> HttpResponse:
    return _put(request, "role", role_name)


@requires("iam:DeleteUserPermissionsBoundary", creates=True)
@Method
def delete_user_permissions_boundary(request: ConsoleRequest, user_name: str) -> HttpResponse:
    return _delete(request, "user", user_name)


@requires("iam:DeleteRolePermissionsBoundary", creates=True)
@Method
def delete_role_permissions_boundary(request: ConsoleRequest, role_name: str) -> HttpResponse:
    return _delete(request, "role", role_name)


def _put(request: ConsoleRequest, kind: Kind, name: str) -> HttpResponse:
    # Without script, a search sends the form too, so that the choice stays.
    data = request.POST if request.method == "POST" else request.GET
    arn, setting = data.get("boundary", ""), request.method == "POST" and "search" not in data
    word, refusal = kind.capitalize(), None
    if setting and arn:
        keys = {"iam:PermissionsBoundary": arn}
        holder = permitted(request, kind, name, f"iam:Put{word}PermissionsBoundary", keys)
        try:
            policy = policies_by_arn(request.principal.account_id, [arn])[arn]
            if policy is None:
                raise NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
            PUT[kind](by=request.principal, policy=policy, **{kind: holder.row})
        except ServiceError as error:
            refusal = error
        else:
            messages.success(request, f"{holder.name} can never be allowed more than {policy.name} allows.")
            return redirect(holder.page)
    # The page shows the present boundary, which GetUser and GetRole tell.
    holder = permitted(request, kind, name, f"iam:Get{word}")
    search = data.get("q", "").strip()[:128]
    present = holder.bounded.boundary if holder.bounded else None
    chosen = arn or (present.arn if present else "")
    context = {
        "holder": holder,
        "list": policy_choices(request, [chosen] if chosen else [], search),
        "search": search,
        "refusal": refusal,
        "nothing": setting and not arn,
    }
    template = "identities/permissions_boundary.html" + ("#choices" if request.htmx else "")
    return render(request, template, context, status=409 if refusal else 200)


def _delete(request: ConsoleRequest, kind: Kind, name: str) -> HttpResponse:
    # The context of the holder has its present boundary, which is what this action's condition key means.
    holder = permitted(request, kind, name, f"iam:Delete{kind.capitalize()}PermissionsBoundary")
    if request.method == "POST":
        DELETE[kind](by=request.principal, **{kind: holder.row})
        messages.success(request, f"{holder.name} has no permissions boundary any more.")
        return redirect(holder.page)
    return render(request, "identities/permissions_boundary_delete.html", {"holder": holder})
