"""The list of roles: whom each lets in, and when it was last used; as quick with a thousand roles as with ten."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.actions import requires
from audit.http import ConsoleRequest
from identities.models import Role
from identities.resource_tags import keys_of
from identities.services.trust import shown_trusts
from identities.services.trusted_entities import Trusted, trusted_entities

PAGE = 50
# A role can let in hundreds; the list names the first.
NAMED = 4
SORTS = {"name": "name_key", "created": "created_at", "used": "last_used_at"}
USE = "iam:GetRole"
_UNIQUE_ID = re.compile(r"AROA[A-Z2-7]{2,17}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RoleRow:
    """AWS tells the last use of a role by GetRole only: `shows_use` says whether the caller may see it of this one."""

    role: Role
    trusted: list[Trusted]
    more: int
    shows_use: bool
    last_used_at: datetime | None


@requires("iam:ListRoles", also=(USE,))
@require_safe
def list_roles(request: ConsoleRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip()[:128]
    # An order by something hidden would tell it.
    sorts = [key for key in SORTS if key != "used" or request.gate.may(USE, "*").allowed]
    sort = request.GET.get("sort", "")
    sort = sort if sort.removeprefix("-") in sorts else "name"
    page = Paginator(_sorted(_found(request, search), sort), PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": _rows(request, page), "search": search, "sort": sort, "sorts": sorts}
    return render(request, "identities/list_roles.html" + ("#rows" if request.htmx else ""), context)


def _found(request: ConsoleRequest, search: str) -> QuerySet[Role]:
    wanted = Q(name_key__contains=search.lower())
    if _UNIQUE_ID.fullmatch(search):
        wanted |= Q(unique_id__startswith=search.upper())
    return (
        Role.objects.filter(wanted, account_id=request.principal.account_id)
        .select_related("boundary")
        .prefetch_related("tags")
    )


def _sorted(roles: QuerySet[Role], sort: str) -> QuerySet[Role]:
    column: Any = F(SORTS[sort.removeprefix("-")])
    order = column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True)
    # Equal ones keep one order, or a role could be on two pages or on none.
    return roles.order_by(order) if sort in ("name", "-name") else roles.order_by(order, "name_key")


def _rows(request: ConsoleRequest, page: Page[Role]) -> list[RoleRow]:
    roles = list(page)
    documents = shown_trusts(role.document for role in roles)
    return [_row(request, role, document) for role, document in zip(roles, documents, strict=True)]


def _row(request: ConsoleRequest, role: Role, document: str) -> RoleRow:
    trusted = trusted_entities(document, role.account_id)
    shows_use = request.gate.may(USE, role.arn, keys_of(role, USE)).allowed
    used = role.last_used_at if shows_use else None
    return RoleRow(role, trusted[:NAMED], max(0, len(trusted) - NAMED), shows_use, used)
