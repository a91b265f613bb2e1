"""Who uses a managed policy. It stands here, not with policies, because it looks at users, groups and roles."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.actions import requires
from audit.http import ConsoleRequest
from identities.models import Group, Role, User
from policies.models import ManagedPolicy
from policies.usage import uses

PAGE = 50
KINDS = ("users", "groups", "roles", "boundaries", "role_boundaries")


@requires("iam:ListEntitiesForPolicy", "policy")
@require_safe
def list_entities_for_policy(request: ConsoleRequest, policy: ManagedPolicy) -> HttpResponse:
    counted = uses(policy, request.principal.account_id)
    kind = request.GET.get("kind", "")
    if kind not in KINDS:
        kind = next((each for each in KINDS if getattr(counted, each)), "users")
    search = request.GET.get("q", "").strip()[:128]
    found = _found(policy, request.principal.account_id, kind).filter(name_key__contains=search.lower())
    context = {
        "policy": policy,
        "uses": counted,
        "kind": kind,
        "search": search,
        "page": Paginator(found.order_by("name_key"), PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "identities/permissions_entities.html" + ("#rows" if request.htmx else ""), context)


def _found(policy: ManagedPolicy, account_id: str, kind: str) -> QuerySet[Any]:
    """Only of the caller's account: others may use a built-in policy, too."""
    if kind == "groups":
        return Group.objects.filter(account_id=account_id, attachments__policy=policy)
    if kind == "roles":
        return Role.objects.filter(account_id=account_id, attachments__policy=policy)
    if kind == "role_boundaries":
        return Role.objects.filter(account_id=account_id, boundary=policy)
    if kind == "boundaries":
        return User.objects.filter(account_id=account_id, boundary=policy)
    return User.objects.filter(account_id=account_id, attachments__policy=policy)
