from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from access.guard import safe_next
from access.http import AccessRequest
from access.recommendations import root_steps
from accounts.models import Account, RootUser
from audit import clock
from audit.actions import open_before_root_mfa, signed_in
from audit.errors import InvalidUserType
from audit.services import record
from identities.services.mfa import has_mfa


@signed_in("shows the root user how to protect itself; sends everybody else to the dashboard")
@open_before_root_mfa
@require_safe
def protect_root(request: AccessRequest) -> HttpResponse:
    if not request.principal.is_root:
        return redirect("access:dashboard")
    account = Account.objects.select_related("root_user").get(pk=request.principal.account_id)
    context = {
        "steps": root_steps(account),
        "has_mfa": has_mfa(account.id, None),
        "next": safe_next(request.GET.get("next") or ""),
        "is_required": settings.ROOT_MFA_REQUIRED,
        "sign_in_url": sign_in_url(account),
    }
    return render(request, "access/protect_root.html", context)


@signed_in("the root user puts the demand for MFA off; nobody else has one")
@open_before_root_mfa
@require_POST
def dismiss_mfa_demand(request: AccessRequest) -> HttpResponse:
    if not request.principal.is_root:
        raise InvalidUserType("Only the root user is asked for this.")
    if settings.ROOT_MFA_REQUIRED:
        return redirect("access:protect-root")
    with transaction.atomic():
        RootUser.objects.filter(pk=request.principal.account_id).update(mfa_demand_dismissed_at=clock.now())
        record(request.principal, "iamconsole:DismissMFADemand", request.principal.arn)
    return redirect(safe_next(request.POST.get("next") or ""))


def sign_in_url(account: Account) -> str:
    """Where the account's IAM users sign in, for telling them."""
    return f"{settings.SITE_URL}/signin/{account.sign_in_name}/"
