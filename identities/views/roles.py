"""The page of a role: what it is, and changing what may be changed of it."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from audit.actions import requires
from audit.errors import ServiceError
from audit.http import ConsoleRequest
from identities.forms.roles import UpdateRoleForm, in_words
from identities.models import Role
from identities.panels import panel
from identities.resource_tags import keys_of
from identities.services import roles
from identities.services.trust import shown_trust
from identities.services.trusted_entities import trusted_entities

# What the summary shows and links to, each with the action that permits it.
PANELS = {
    "update": "iam:UpdateRole",
    "delete": "iam:DeleteRole",
    "profiles": "iam:ListInstanceProfilesForRole",
}


@requires("iam:GetRole", "role", also=tuple(PANELS.values()))
@require_safe
def get_role(request: ConsoleRequest, role: Role) -> HttpResponse:
    panels = {name: panel(request.gate, action, role.arn, keys_of(role, action)) for name, action in PANELS.items()}
    trusted = trusted_entities(shown_trust(role.document), role.account_id)
    context = {
        "role": role,
        "panels": panels,
        "trusted": trusted,
        "for_people": any(each.is_of_an_account for each in trusted),
        "longest": in_words(role.max_session_seconds),
        "switch_link": switch_link(role),
        "profiles": list(role.instance_profiles.order_by("name_key")) if panels["profiles"].allowed else [],
    }
    return render(request, "identities/get_role.html", context)


def switch_link(role: Role) -> str:
    """The address that takes a person of the console straight to the role, as AWS's (id_roles_use_switch-role)."""
    name = f"{role.path}{role.name}".removeprefix("/")
    return "/switchrole?" + urlencode({"account": role.account_id, "roleName": name})


@requires("iam:UpdateRole", "role")
@require_http_methods(["GET", "HEAD", "POST"])
def update_role(request: ConsoleRequest, role: Role) -> HttpResponse:
    opened = {"description": role.description, "hours": role.max_session_seconds}
    form = UpdateRoleForm(request.POST if request.method == "POST" else None, initial=opened, present=role)
    if form.is_valid():
        try:
            roles.update_role(by=request.principal, role=role, **form.changes)
        except ServiceError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"The role {role.name} is changed.")
            return redirect("identities:get-role", role.name)
    return render(request, "identities/update_role.html", {"form": form, "role": role})
