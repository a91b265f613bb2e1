"""The list of groups: as quick with three hundred groups and ten thousand users as with a few."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db import models
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.actions import requires
from audit.http import ConsoleRequest
from identities.models import Group, GroupAttachment, GroupInlinePolicy, Membership

PAGE = 50

# What a column counts, and the actions that permit to see it of one group.
COLUMNS = {
    "users": ("iam:GetGroup",),
    "policies": ("iam:ListAttachedGroupPolicies", "iam:ListGroupPolicies"),
}
ACTIONS = tuple(action for actions in COLUMNS.values() for action in actions)
SORTS = ("name", "users", "policies", "created")


@dataclass(frozen=True, slots=True)
class GroupRow:
    """`shown` are the columns of this group that the caller may see."""

    group: Group
    shown: frozenset[str]
    users: int
    policies: int


@requires("iam:ListGroups", also=ACTIONS)
@require_safe
def list_groups(request: ConsoleRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip()[:128]
    groups = Group.objects.filter(account_id=request.principal.account_id, name_key__contains=search.lower())
    sorts = [key for key in SORTS if _may_sort_by(request, key)]
    sort = request.GET.get("sort", "")
    sort = sort if sort.removeprefix("-") in sorts else "name"
    page = Paginator(_sorted(groups, sort), PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": _rows(request, page), "search": search, "sort": sort, "sorts": sorts}
    return render(request, "identities/list_groups.html" + ("#rows" if request.htmx else ""), context)


def _may_sort_by(request: ConsoleRequest, key: str) -> bool:
    """An order by something hidden would tell it."""
    return all(request.gate.may(action, "*").allowed for action in COLUMNS.get(key, ()))


def _sorted(groups: QuerySet[Group], sort: str) -> QuerySet[Group]:
    columns: dict[str, Any] = {
        "name": F("name_key"),
        "created": F("created_at"),
        "users": _number(Membership),
        "policies": _number(GroupAttachment) + _number(GroupInlinePolicy),
    }
    column = columns[sort.removeprefix("-")]
    # As an annotation: PostgreSQL takes a sum of parts in the order only under a name.
    groups = groups.annotate(sorted_by=column)
    # Equal ones keep one order, or a group could be on two pages or on none.
    return groups.order_by("-sorted_by" if sort.startswith("-") else "sorted_by", "name_key")


def _number(model: type[models.Model]) -> Coalesce:
    rows = model._default_manager.filter(group=OuterRef("pk")).order_by().values("group")
    return Coalesce(Subquery(rows.annotate(number=Count("pk")).values("number")), 0)


def _rows(request: ConsoleRequest, page: Page[Group]) -> list[GroupRow]:
    """Three queries for all rows of the page, whatever their number."""
    ids = [group.pk for group in page]
    users, attached, inline = (counts_of(model, ids) for model in (Membership, GroupAttachment, GroupInlinePolicy))
    return [
        GroupRow(
            group=group,
            shown=_shown(request, group),
            users=users.get(group.pk, 0),
            policies=attached.get(group.pk, 0) + inline.get(group.pk, 0),
        )
        for group in page
    ]


def counts_of(model: type[models.Model], group_ids: Iterable[int]) -> dict[int, int]:
    rows = model._default_manager.filter(group__in=group_ids).order_by().values_list("group_id")
    return dict(rows.annotate(number=Count("pk")))


def _shown(request: ConsoleRequest, group: Group) -> frozenset[str]:
    return frozenset(
        column
        for column, actions in COLUMNS.items()
        if all(request.gate.may(action, group.arn).allowed for action in actions)
    )
