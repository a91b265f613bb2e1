"""The permissions boundary of a user: set, change, remove."""

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
from identities.views.permission_holders import permitted_user


@requires("iam:PutUserPermissionsBoundary", creates=True, also=("iam:GetUser", "iam:ListPolicies"))
@require_http_methods(["GET", "HEAD", "POST"])
def put_user_permissions_boundary(request: ConsoleRequest, user_name: str) -> HttpResponse:
    # Without script, a search sends the form too, so that the choice stays.
    data = request.POST if request.method == "POST" else request.GET
    arn, setting = data.get("boundary", ""), request.method == "POST" and "search" not in data
    refusal = None
    if setting and arn:
        holder = permitted_user(request, user_name, "iam:PutUserPermissionsBoundary", {"iam:PermissionsBoundary": arn})
        try:
            policy = policies_by_arn(request.principal.account_id, [arn])[arn]
            if policy is None or holder.user is None:
                raise NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
            boundaries.put_user_permissions_boundary(by=request.principal, user=holder.user, policy=policy)
        except ServiceError as error:
            refusal = error
        else:
            messages.success(request, f"{holder.name} can never be allowed more than {policy.name} allows.")
            return redirect(holder.page)
    # The page shows the present boundary, which GetUser tells.
    holder = permitted_user(request, user_name, "iam:GetUser")
    search = data.get("q", "").strip()[:128]
    present = holder.user.boundary if holder.user else None
    chosen = arn or (present.arn if present else "")
    context = {
        "holder": holder,
        "user": holder.user,
        "list": policy_choices(request, [chosen] if chosen else [], search),
        "search": search,
        "refusal": refusal,
        "nothing": setting and not arn,
    }
    template = "identities/permissions_boundary.html" + ("#choices" if request.htmx else "")
    return render(request, template, context, status=409 if refusal else 200)


@requires("iam:DeleteUserPermissionsBoundary", creates=True)
@require_http_methods(["GET", "HEAD", "POST"])
def delete_user_permissions_boundary(request: ConsoleRequest, user_name: str) -> HttpResponse:
    # The context of a user holds its present boundary, which is what this action's condition key means.
    holder = permitted_user(request, user_name, "iam:DeleteUserPermissionsBoundary")
    if request.method == "POST" and holder.user:
        boundaries.delete_user_permissions_boundary(by=request.principal, user=holder.user)
        messages.success(request, f"{holder.name} has no permissions boundary any more.")
        return redirect(holder.page)
    return render(request, "identities/permissions_boundary_delete.html", {"holder": holder, "user": holder.user})
