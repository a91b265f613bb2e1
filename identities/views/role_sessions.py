"""The tab “Sessions” of a role: ending all that are under way."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from audit.actions import requires
from audit.errors import ServiceError
from audit.http import ConsoleRequest
from identities.services import role_sessions
from identities.views.permission_holders import permitted_role


class RevokeForm(forms.Form):
    sure = forms.BooleanField(
        label="End all sessions of this role that are under way",
        widget=forms.CheckboxInput({"class": "form-check-input"}),
        error_messages={"required": "Tick this to say that you mean it; no session was ended."},
    )


@requires("iam:PutRolePolicy", creates=True)
@require_http_methods(["GET", "HEAD", "POST"])
def put_role_policy_revoke_sessions(request: ConsoleRequest, role_name: str) -> HttpResponse:
    holder = permitted_role(request, role_name, "iam:PutRolePolicy")
    form = RevokeForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and holder.role:
        try:
            role_sessions.revoke_sessions(by=request.principal, role=holder.role)
        except ServiceError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"All sessions of {holder.name} begun until now are ended.")
            return redirect("identities:put-role-policy-revoke-sessions", holder.name)
    may_read = holder.denial(request, "iam:GetRolePolicy") is None
    context = {
        "holder": holder,
        "role": holder.role,
        "form": form,
        "policy_name": role_sessions.REVOKED,
        "revoked_at": role_sessions.revoked_at(holder.role) if may_read and holder.role else None,
    }
    return render(request, "identities/role_sessions.html", context)
