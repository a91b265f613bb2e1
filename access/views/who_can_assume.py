"""The tab “Who can assume this” of a role. It stands here, not with the other pages of roles: it asks the engine."""

from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.assumers import ASKED, Proof, Verdict, named_in, verdict_on
from access.forms.roles import CheckForm
from access.http import AccessRequest
from audit.actions import requires
from audit.errors import AccessDenied
from identities.models import Role, User
from identities.resource_tags import resource_tags
from identities.services.trust import shown_trust
from identities.services.trusted_entities import Trusted, trusted_entities
from identities.views.permission_holders import permitted_user

SIMULATE = "iam:SimulatePrincipalPolicy"
# What is decided one by one, not told in a sentence.
ONE_BY_ONE = ("user", "role")


@dataclass(frozen=True, slots=True)
class Line:
    """`verdict` is None where the caller may not ask, or nobody here can: `hidden` tells which."""

    row: User | Role
    is_role: bool
    is_foreign: bool
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Check:
    """One user that was asked about."""

    user: User | None = None
    verdict: Verdict | None = None
    denial: AccessDenied | None = None


@requires("iam:GetRole", "role", also=(SIMULATE,))
@require_safe
def who_can_assume(request: AccessRequest, role: Role) -> HttpResponse:
    named = named_in(role)
    trusted = trusted_entities(shown_trust(role.document), role.account_id)
    form = CheckForm(request.GET if "user" in request.GET else None)
    context = {
        "role": role,
        "lines": [_line(request, role, row) for row in named[:ASKED]],
        "more": max(0, len(named) - ASKED),
        "others": [each for each in trusted if not _is_decided(each)],
        "open_to_account": any(each.kind in ("this account", "everybody") for each in trusted),
        "form": form,
        "check": _check(request, role, form) if form.is_valid() else None,
    }
    return render(request, "access/who_can_assume.html", context)


def _is_decided(each: Trusted) -> bool:
    return each.kind in ONE_BY_ONE


def _line(request: AccessRequest, role: Role, row: User | Role) -> Line:
    """Whoever may not simulate somebody learns nothing of what their policies say; nobody here may of another
    account."""
    is_foreign = row.account_id != role.account_id
    may_ask = not is_foreign and request.gate.may(SIMULATE, row.arn, resource_tags(row)).allowed
    return Line(row, isinstance(row, Role), is_foreign, verdict_on(row, role, by=request) if may_ask else None)


def _check(request: AccessRequest, role: Role, form: CheckForm) -> Check | None:
    data = form.cleaned_data
    try:
        holder = permitted_user(request, data["user"], SIMULATE)
    except AccessDenied as denial:
        return Check(denial=denial)
    except Http404 as missing:
        form.add_error("user", str(missing))
        return None
    user = holder.user
    if user is None:
        return None
    return Check(user, verdict_on(user, role, Proof(data["mfa"], data["external_id"]), by=request))
