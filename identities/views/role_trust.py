"""The tab “Trust relationships” of a role: its trust policy, and changing it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from audit.actions import recently_signed_in, requires
from audit.errors import ConcurrentModification, ServiceError
from audit.http import ConsoleRequest
from identities.forms.roles import TrustForm
from identities.models import Role
from identities.resource_tags import keys_of
from identities.services import roles
from identities.services.trust import shown_trust
from identities.services.trusted_entities import trusted_entities
from policies.documents import findings_of, readable
from policies.views.editing import VALIDATE, editor, kept, refuse_on_form, typed


@requires("iam:GetRole", "role", also=("iam:UpdateAssumeRolePolicy",))
@require_safe
def get_role_trust(request: ConsoleRequest, role: Role) -> HttpResponse:
    document = readable(shown_trust(role.document))
    context = {
        "role": role,
        "document": document,
        "trusted": trusted_entities(document, role.account_id),
        "findings": findings_of(document, "trust", account_id=role.account_id),
        "may_update": not role.is_service_linked and request.gate.might("iam:UpdateAssumeRolePolicy"),
    }
    return render(request, "identities/role_trust.html", context)


@requires("iam:UpdateAssumeRolePolicy", "role", also=("iam:GetRole", VALIDATE))
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def update_assume_role_policy(request: ConsoleRequest, role: Role) -> HttpResponse:
    """Changing shows the present document, so whoever changes it must be allowed to read it."""
    request.gate.require("iam:GetRole", role.arn, keys_of(role, "iam:GetRole"))
    start = {"document": readable(shown_trust(role.document)), "digest_seen": role.digest}
    form = kept(request, TrustForm(request.POST if request.method == "POST" else None, initial=start))
    findings: Any = None
    stale = False
    if form.is_valid():
        try:
            roles.update_assume_role_policy(by=request.principal, role=role, **form.cleaned_data)
        except ServiceError as error:
            findings = refuse_on_form(form, error)
            stale = isinstance(error, ConcurrentModification)
        else:
            messages.success(request, f"Who may take on {role.name} is changed. Sessions that are under way go on.")
            return redirect("identities:get-role-trust", role.name)
    if stale:
        # The form goes on from what is there now: saving again is then a decision.
        form.data = typed(form) | {"digest_seen": role.digest}
    limit = role.account.quota("trust_policy_characters")
    context = {
        "role": role,
        "form": form,
        "newer": start["document"] if stale else "",
        "editor": editor(request, form, limit, findings=findings, kind="trust"),
    }
    return render(request, "identities/role_trust_change.html", context)
