"""The permissions tab of users, groups and roles: what is attached, what comes through groups, inline ones, the
boundary."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.actions import requires
from audit.errors import AccessDenied
from audit.http import ConsoleRequest
from identities.models import Group, GroupAttachment, GroupInlinePolicy, Role, User
from identities.models.lockdowns import LOCKDOWN_SLOT
from identities.views.permission_holders import Holder, denial_of, holder_of

GROUP_READS = ("iam:ListAttachedGroupPolicies", "iam:ListGroupPolicies")


@dataclass(frozen=True, slots=True)
class Through:
    """What a user has through one group, as far as the caller may see it."""

    group: Group
    attached_denial: AccessDenied | None
    attached: list[GroupAttachment]
    inline_denial: AccessDenied | None
    inline: list[GroupInlinePolicy]


@requires(
    "iam:ListAttachedUserPolicies",
    "user",
    also=("iam:ListUserPolicies", "iam:ListGroupsForUser", "iam:GetUser", *GROUP_READS),
)
@require_safe
def list_attached_user_policies(request: ConsoleRequest, user: User) -> HttpResponse:
    holder = holder_of(user)
    groups_denial = holder.denial(request, "iam:ListGroupsForUser")
    context = {
        **_common(request, holder),
        "user": user,
        "groups_denial": groups_denial,
        "through": [] if groups_denial else _through(request, user),
        **_boundary(request, holder),
    }
    return render(request, "identities/permissions_user.html", context)


@requires("iam:ListAttachedRolePolicies", "role", also=("iam:ListRolePolicies", "iam:GetRole"))
@require_safe
def list_attached_role_policies(request: ConsoleRequest, role: Role) -> HttpResponse:
    holder = holder_of(role)
    context = {**_common(request, holder), **_boundary(request, holder), "role": role}
    return render(request, "identities/permissions_role.html", context)


@requires("iam:ListAttachedGroupPolicies", "group", also=("iam:ListGroupPolicies",))
@require_safe
def list_attached_group_policies(request: ConsoleRequest, group: Group) -> HttpResponse:
    holder = holder_of(group)
    context = {**_common(request, holder), "group": group}
    return render(request, "identities/permissions_group.html", context)


def _common(request: ConsoleRequest, holder: Holder) -> dict[str, Any]:
    denial = holder.denial(request, f"iam:List{holder.word}Policies")
    rows: Any = holder.row.attachments
    attached = list(rows.select_related("policy").order_by("policy__name_key", "policy__account_id"))
    return {
        "holder": holder,
        "attached": attached,
        # That of a lockdown is beyond the quota.
        "attached_in_slots": sum(attachment.slot != LOCKDOWN_SLOT for attachment in attached),
        "inline_denial": denial,
        "inline": [] if denial else list(holder.row.inline_policies.order_by("name")),
        "may_attach": _might(request, holder, "Attach{}Policy"),
        "may_detach": _might(request, holder, "Detach{}Policy"),
        "may_put": _might(request, holder, "Put{}Policy"),
        "may_delete": _might(request, holder, "Delete{}Policy"),
    }


def _boundary(request: ConsoleRequest, holder: Holder) -> dict[str, Any]:
    return {
        "boundary_denial": holder.denial(request, f"iam:Get{holder.word}"),
        "may_bound": _might(request, holder, "Put{}PermissionsBoundary"),
        "may_unbound": _might(request, holder, "Delete{}PermissionsBoundary"),
    }


def _might(request: ConsoleRequest, holder: Holder, action: str) -> bool:
    return not holder.is_fixed and request.gate.might(f"iam:{action.format(holder.word)}")


def _through(request: ConsoleRequest, user: User) -> list[Through]:
    """Three queries, however many groups."""
    memberships = user.memberships.select_related("group").order_by("group__name_key")
    groups = [membership.group for membership in memberships]
    attached = GroupAttachment.objects.filter(group__in=groups).select_related("policy").order_by("policy__name_key")
    inline = GroupInlinePolicy.objects.filter(group__in=groups).order_by("name").only("name", "group_id")
    by_group: dict[int, tuple[list[GroupAttachment], list[GroupInlinePolicy]]] = {g.pk: ([], []) for g in groups}
    for attachment in attached:
        by_group[attachment.group_id][0].append(attachment)
    for policy in inline:
        by_group[policy.group_id][1].append(policy)
    found = []
    for group in groups:
        no_attached, no_inline = (denial_of(request, action, group.arn) for action in GROUP_READS)
        policies, inlines = by_group[group.pk]
        found.append(
            Through(group, no_attached, [] if no_attached else policies, no_inline, [] if no_inline else inlines)
        )
    return found
