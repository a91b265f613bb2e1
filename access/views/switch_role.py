"""Taking on a role in the console, and coming back. Whose session it is authorises every switch."""

from typing import Any

from django.http import HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import cookies, switching
from access.forms.switch_role import SwitchRoleForm, nearest_color
from access.own_credentials import SignedInRequest
from audit.actions import open_when_role_is_over, signed_in
from audit.errors import AccessDenied, ServiceError

_FROM_ADDRESS = {"account": "account", "roleName": "role_name", "displayName": "display_name", "color": "color"}


@signed_in("whether somebody may take on a role is decided by the role's trust policy", also=("sts:AssumeRole",))
@open_when_role_is_over
@require_http_methods(["GET", "HEAD", "POST"])
def switch_role(request: SignedInRequest) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form, denial = SwitchRoleForm(data, initial=_from_address(request)), None
    if form.is_valid():
        try:
            token = switching.switch_role(request.console_session, origin=request.origin, **form.cleaned_data)
        except ServiceError as error:
            denial = error if isinstance(error, AccessDenied) else None
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            return _as_somebody_else(request, token)
    context = {"form": form, "denial": denial, "recent": switching.recent_roles(request.console_session)}
    return render(request, "access/switch_role.html", context)


@signed_in("coming back to oneself needs nobody's permission")
@open_when_role_is_over
@require_POST
def switch_back(request: SignedInRequest) -> HttpResponse:
    return _as_somebody_else(request, switching.switch_back(request.console_session, origin=request.origin))


@signed_in("somebody whose role is over must learn it, and how to go on")
@open_when_role_is_over
@require_safe
def role_over(request: SignedInRequest) -> HttpResponse:
    if not request.is_role_over:
        return redirect("access:dashboard")
    session = request.console_session
    context = {"session": session, "recent": switching.recent_roles(session)[:1], "name": switching.name_of(session)}
    return render(request, "access/role_over.html", context)


def _from_address(request: SignedInRequest) -> dict[str, Any]:
    given = {field: request.GET[word] for word, field in _FROM_ADDRESS.items() if word in request.GET}
    # Most roles that people take on are of their own account.
    given.setdefault("account", request.console_session.account.sign_in_name)
    return {**given, "color": nearest_color(given.get("color", ""))}


def _as_somebody_else(request: SignedInRequest, token: str) -> HttpResponse:
    """A form that was opened under the one identity is worth nothing under the other."""
    rotate_token(request)
    response = redirect("access:dashboard")
    cookies.write_session(response, token, is_root=request.console_session.is_root)
    return response
