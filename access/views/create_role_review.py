"""The end of creating a role: everything that will be done, asked for one by one, then done together; and how to use
the role now."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from access.carried_text import unpacked
from access.forms.new_role import NewRoleForm
from access.role_guides import guides
from access.views.create_role import address
from audit.actions import recently_signed_in, requires
from audit.errors import AccessDenied, ServiceError
from audit.http import ConsoleRequest
from identities.forms.groups import chosen_names
from identities.forms.roles import in_words
from identities.models import Role
from identities.services.grants import boundary_items, policy_items
from identities.services.new_roles import NewRole, create_role_with_access
from identities.services.trust import shown_trust
from identities.services.trusted_entities import trusted_entities
from identities.views.permission_holders import require_step
from policies.documents import readable

STEPS = (
    "iam:TagRole",
    "iam:AttachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:CreateInstanceProfile",
    "iam:AddRoleToInstanceProfile",
    "iam:PassRole",
    "iam:GetRole",
)


@requires("iam:CreateRole", creates=True, also=STEPS)
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def create_role_review(request: ConsoleRequest) -> HttpResponse:
    query, trust = request.GET, unpacked(request.GET.get("trust", ""))
    details = NewRoleForm(query, for_machine=query.get("who") == "machine")
    if not trust or not details.is_valid():
        return redirect(address("access:create-role-details", query))
    new = _new_role(request, trust, details.cleaned_data)
    if request.method != "POST":
        return _review(request, new)
    try:
        return _create(request, new)
    except AccessDenied:
        raise
    except ServiceError as error:
        return _review(request, new, error)


def _new_role(request: ConsoleRequest, trust: str, details: dict[str, Any]) -> NewRole:
    account_id, query = request.principal.account_id, request.GET
    return NewRole(
        account_id=account_id,
        name=details["name"],
        trust=trust,
        path=details["path"],
        description=details["description"],
        max_session_seconds=details["hours"],
        tags=details["tags"],
        items=(
            *boundary_items(account_id, query.get("boundary", "")),
            *policy_items(account_id, chosen_names(query, "policies")),
        ),
        has_profile=details.get("profile", False),
    )


def _review(request: ConsoleRequest, new: NewRole, refusal: ServiceError | None = None) -> HttpResponse:
    rows = [(step, request.gate.may(step.action, step.resource, step.context)) for step in new.steps()]
    refused = any(not decision.allowed for _, decision in rows)
    context = {
        "new": new,
        "document": readable(new.trust),
        "longest": in_words(new.max_session_seconds),
        "rows": rows,
        "refused": refused,
        "missing": new.missing() if not refused and not refusal else [],
        "refusal": refusal,
        "trust_step": address("access:create-role-trust", request.GET),
        "permissions_step": address("access:create-role-permissions", request.GET),
        "back": address("access:create-role-details", request.GET),
    }
    return render(request, "access/create_role_review.html", context, status=409 if refusal else 200)


def _create(request: ConsoleRequest, new: NewRole) -> HttpResponse:
    """All of it is asked for at the gate before anything is written."""
    for step in new.steps():
        require_step(request, step)
    role = create_role_with_access(by=request.principal, new=new)
    # Who may create a role may not be allowed to look at it.
    if request.gate.may("iam:GetRole", role.arn, new.target.context()).allowed:
        query = "?who=broker" if request.GET.get("who") == "broker" else ""
        return redirect(reverse("access:role-created", args=[role.name]) + query)
    messages.success(request, f"The role {role.name} was created.")
    return redirect("identities:list-roles")


@requires("iam:GetRole", "role", also=("iam:GetSAMLProvider", "iam:GetOpenIDConnectProvider"))
@require_safe
def role_created(request: ConsoleRequest, role: Role) -> HttpResponse:
    document, who = shown_trust(role.document), request.GET.get("who", "")
    kinds = {each.kind for each in trusted_entities(document, role.account_id)}
    context = {
        "role": role,
        "guides": guides(role, document, request.gate, who=who),
        "may_be_broker": who != "broker" and bool(kinds & {"user", "this account"}),
        "for_machines": "applications on machines" in kinds,
        "profiles": list(role.instance_profiles.order_by("name_key")),
    }
    return render(request, "access/role_created.html", context)
