"""Machines: the list, and the page of one."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import F, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit import clock
from audit.actions import requires
from audit.http import ConsoleRequest
from identities.models import Machine
from identities.panels import panel
from identities.resource_tags import resource_tags
from identities.services.trusted_entities import trusts_machines
from identities.views.passing_roles import GET_PROFILE

PAGE = 50
SORTS = {"name": "name_key", "seen": "last_seen_at", "created": "created_at"}
ACTIONS = {
    "update": "iamconsole:UpdateMachine",
    "token": "iamconsole:CreateMachineJoinToken",
    "remove": "iamconsole:RemoveMachine",
}


@requires("iamconsole:ListMachines")
@require_safe
def list_machines(request: ConsoleRequest) -> HttpResponse:
    search, sort = request.GET.get("q", "").strip()[:128], request.GET.get("sort", "")
    sort = sort if sort.removeprefix("-") in SORTS else "name"
    page = Paginator(_sorted(_found(request, search), sort), PAGE).get_page(request.GET.get("page"))
    now = clock.now()
    rows = [(machine, machine.can_join(now)) for machine in page]
    context = {"page": page, "rows": rows, "search": search, "sort": sort}
    return render(request, "identities/list_machines.html" + ("#rows" if request.htmx else ""), context)


def _found(request: ConsoleRequest, search: str) -> QuerySet[Machine]:
    wanted = Q(name_key__contains=search.lower()) | Q(machine_id=search) | Q(profile__name_key__contains=search.lower())
    return Machine.objects.filter(wanted, account_id=request.principal.account_id).select_related("profile")


def _sorted(machines: QuerySet[Machine], sort: str) -> QuerySet[Machine]:
    column: Any = F(SORTS[sort.removeprefix("-")])
    order = column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True)
    # Equal ones keep one order, or a machine could be on two pages or on none.
    return machines.order_by(order, "name_key")


@requires("iamconsole:GetMachine", "machine", also=(*ACTIONS.values(), GET_PROFILE))
@require_safe
def get_machine(request: ConsoleRequest, machine: Machine) -> HttpResponse:
    profile = machine.profile
    shown = panel(request.gate, GET_PROFILE, profile.arn, resource_tags(profile)) if profile else None
    role = profile.role if profile and shown and shown.allowed else None
    context = {
        "machine": machine,
        "can_join": machine.can_join(clock.now()),
        "profile_panel": shown,
        "role": role,
        "is_let_in": role is None or trusts_machines(role.document),
        "may": {name: request.gate.may(action, machine.arn).allowed for name, action in ACTIONS.items()},
    }
    return render(request, "identities/get_machine.html", context)
