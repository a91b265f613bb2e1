"""The list of managed policies, built-in and own, each with how often this account uses it."""

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.actions import requires
from audit.http import ConsoleRequest
from policies.models import ManagedPolicy, ManagedPolicyQuerySet
from policies.usage import Uses, uses_of

PAGE = 50
KINDS = ("all", "own", "built-in", "used", "unused")
SORTS = {"name": "name_key", "changed": "updated_at"}


@dataclass(frozen=True, slots=True)
class PolicyRow:
    policy: ManagedPolicy
    uses: Uses


@requires("iam:ListPolicies")
@require_safe
def list_policies(request: ConsoleRequest) -> HttpResponse:
    account_id = request.principal.account_id
    search = request.GET.get("q", "").strip()[:128]
    kind = request.GET.get("kind", "all")
    kind = kind if kind in KINDS else "all"
    sort = request.GET.get("sort", "name")
    sort = sort if sort.removeprefix("-") in (*SORTS, "uses") else "name"
    page = Paginator(_found(account_id, search, kind, sort), PAGE).get_page(request.GET.get("page"))
    policies = ManagedPolicy.objects.in_bulk(list(page))
    counted = uses_of({pk: policy.account_id for pk, policy in policies.items()}, account_id)
    rows = [PolicyRow(policies[pk], counted[pk]) for pk in page]
    context = {"page": page, "rows": rows, "search": search, "kind": kind, "kinds": KINDS, "sort": sort}
    return render(request, "policies/list_policies.html" + ("#rows" if request.htmx else ""), context)


def _found(account_id: str, search: str, kind: str, sort: str) -> list[int]:
    """Ids in the order asked for. An account has at most a few thousand policies (its quota), so their ids and counts
    fit in memory, which lets the list be filtered and sorted by use."""
    policies = _of_kind(ManagedPolicy.objects.visible_to(account_id), account_id, kind)
    if search:
        policies = policies.filter(Q(name_key__contains=search.lower()) | Q(description__icontains=search))
    owners = dict(_sorted(policies, sort).values_list("pk", "account_id"))
    if kind not in ("used", "unused") and not sort.endswith("uses"):
        return list(owners)
    counted = uses_of(owners, account_id)
    ids = [pk for pk in owners if kind not in ("used", "unused") or bool(counted[pk].total) == (kind == "used")]
    return sorted(ids, key=lambda pk: counted[pk].total, reverse=sort == "-uses") if sort.endswith("uses") else ids


def _of_kind(policies: ManagedPolicyQuerySet, account_id: str, kind: str) -> ManagedPolicyQuerySet:
    owner = {"own": Q(account_id=account_id), "built-in": Q(account_id=None)}
    return policies.filter(owner.get(kind, Q()))


def _sorted(policies: ManagedPolicyQuerySet, sort: str) -> ManagedPolicyQuerySet:
    column = SORTS.get(sort.removeprefix("-"), "name_key")
    # Equal ones keep one order, or a policy could be on two pages or on none.
    return policies.order_by(f"-{column}" if sort.startswith("-") and sort != "-uses" else column, "name_key", "pk")
