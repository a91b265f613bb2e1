"""Access advisor: the services that somebody's policies open, who last tried them, and what could be taken away.

Reading must change nothing, so no report is made as on the API: the page looks itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.access_reports import Entity, GrantingPolicy, opened_by, policies_of, services_of
from audit.actions import requires
from audit.http import ConsoleRequest
from identities.models import Group, Role, User
from identities.panels import Panel, panel
from identities.resource_tags import resource_tags
from policies.models import ManagedPolicy

GENERATE = "iam:GenerateServiceLastAccessedDetails"
READ, GRANTING = "iam:GetServiceLastAccessedDetails", "iam:ListPoliciesGrantingServiceAccess"
ROWS = 50
SHOWN = {"all": "All", "used": "Tried", "unused": "Never tried"}


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """`policies` open the service; it is empty where they may not be told."""

    name: str
    namespace: str
    entities: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    policies: list[GrantingPolicy]

    @property
    def last(self) -> dict[str, Any] | None:
        return max(self.entities, key=lambda one: str(one["at"]), default=None)

    @property
    def last_at(self) -> datetime | None:
        return datetime.fromisoformat(self.last["at"]) if self.last else None

    @property
    def tried(self) -> list[tuple[str, datetime]]:
        """Its actions, the latest first."""
        found = [(action["name"], datetime.fromisoformat(action["at"])) for action in self.actions]
        return sorted(found, key=lambda each: each[1], reverse=True)


@requires(GENERATE, "user", also=(READ, GRANTING))
@require_safe
def user_last_accessed(request: ConsoleRequest, user: User) -> HttpResponse:
    granting = panel(request.gate, GRANTING, user.arn, resource_tags(user))
    return _page(request, user, "user", granting, {"user": user, "tabs": "identities/user_tabs.html"})


@requires(GENERATE, "role", also=(READ, GRANTING))
@require_safe
def role_last_accessed(request: ConsoleRequest, role: Role) -> HttpResponse:
    granting = panel(request.gate, GRANTING, role.arn, resource_tags(role))
    return _page(request, role, "role", granting, {"role": role, "tabs": "identities/role_tabs.html"})


@requires(GENERATE, "group", also=(READ, GRANTING))
@require_safe
def group_last_accessed(request: ConsoleRequest, group: Group) -> HttpResponse:
    granting = panel(request.gate, GRANTING, group.arn)
    return _page(request, group, "group", granting, {"group": group, "tabs": "identities/group_tabs.html"})


@requires(GENERATE, "policy", also=(READ,))
@require_safe
def policy_last_accessed(request: ConsoleRequest, policy: ManagedPolicy) -> HttpResponse:
    return _page(request, policy, "policy", None, {"policy": policy, "tabs": "policies/policy_tabs.html"})


def _page(
    request: ConsoleRequest, entity: Entity, kind: str, granting: Panel | None, frame: Mapping[str, Any]
) -> HttpResponse:
    """`granting` is the part about the policies; None for a policy, which is one itself."""
    request.gate.require(READ, "*")
    services = services_of(request.principal.account_id, entity)
    search, show = request.GET.get("q", "").strip()[:64], request.GET.get("show", "all")
    show = show if show in SHOWN else "all"
    page = Paginator(_found(services, search.lower(), show), ROWS).get_page(request.GET.get("page"))
    context = {
        **frame,
        "entity": entity,
        "kind": kind,
        "page": page,
        "rows": _rows(list(page), policies_of(entity) if granting and granting.allowed else []),
        "granting": granting,
        "total": len(services),
        "used": sum(bool(row["entities"]) for row in services),
        "search": search,
        "show": show,
        "choices": SHOWN.items(),
    }
    return render(request, "access/last_accessed.html" + ("#rows" if request.htmx else ""), context)


def _found(services: list[dict[str, Any]], search: str, show: str) -> list[dict[str, Any]]:
    """What was tried last stands first, then the others by name."""
    wanted = [
        row
        for row in services
        if search in f"{row['name']} {row['namespace']}".lower()
        and show in ("all", "used" if row["entities"] else "unused")
    ]
    wanted.sort(key=lambda row: str(row["name"]).lower())
    return sorted(wanted, key=lambda row: max((str(one["at"]) for one in row["entities"]), default=""), reverse=True)


def _rows(services: list[dict[str, Any]], policies: list[GrantingPolicy]) -> list[ServiceRow]:
    names = [row["namespace"] for row in services]
    opened = [(policy, opened_by(policy, names)) for policy in policies]
    return [
        ServiceRow(
            row["name"],
            row["namespace"],
            row["entities"],
            row["actions"],
            [policy for policy, services in opened if row["namespace"] in services],
        )
        for row in services
    ]
