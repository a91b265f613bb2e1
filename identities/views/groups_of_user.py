"""Who is in which group, seen from the user: the tab “Groups”, and leaving and joining groups in one step."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from audit.actions import requires
from audit.errors import AccessDenied, NoSuchEntity, ServiceError
from audit.http import ConsoleRequest
from identities.forms.groups import chosen_names
from identities.models import Group, GroupAttachment, GroupInlinePolicy, User
from identities.panels import panel
from identities.services import groups
from identities.services.grants import GroupItem, Item, MissingItem, Step, Target, group_items
from identities.views.choosing import group_choices
from identities.views.permission_holders import require_step
from policies.models import ManagedPolicy

MOVE_ACTIONS = ("iam:RemoveUserFromGroup", "iam:AddUserToGroup")
POLICY_ACTIONS = ("iam:ListAttachedGroupPolicies", "iam:ListGroupPolicies")


@dataclass(frozen=True, slots=True)
class GroupOfUser:
    """A group with the policies it brings; None where the caller may not list them."""

    group: Group
    attached: list[ManagedPolicy] | None
    inline: list[str] | None

    @property
    def brings_nothing(self) -> bool:
        return self.attached == [] and self.inline == []


@requires("iam:ListGroupsForUser", "user", also=POLICY_ACTIONS)
@require_safe
def list_groups_for_user(request: ConsoleRequest, user: User) -> HttpResponse:
    rows = _groups_with_policies(request, _groups_of(user))
    most = user.account.quota("groups_per_user")
    context = {"user": user, "tab": "groups", "rows": rows, "most": most, "full": len(rows) >= most}
    return render(request, "identities/list_groups_for_user.html", context)


def _groups_of(user: User) -> QuerySet[Group]:
    return Group.objects.filter(memberships__user=user).order_by("name_key")


def _groups_with_policies(request: ConsoleRequest, found: QuerySet[Group]) -> list[GroupOfUser]:
    attachments = GroupAttachment.objects.select_related("policy").order_by("policy__name_key")
    inline_policies = GroupInlinePolicy.objects.defer("document").order_by("name")
    rows = []
    for group in found.prefetch_related(
        Prefetch("attachments", attachments), Prefetch("inline_policies", inline_policies)
    ):
        attached, inline = (panel(request.gate, action, group.arn).allowed for action in POLICY_ACTIONS)
        policies = [attachment.policy for attachment in group.attachments.all()]
        names = [policy.name for policy in group.inline_policies.all()]
        rows.append(GroupOfUser(group, policies if attached else None, names if inline else None))
    return rows


@requires("iam:ListGroupsForUser", "user", also=("iam:ListGroups", *MOVE_ACTIONS))
@require_safe
def move_user(request: ConsoleRequest, user: User) -> HttpResponse:
    """Tick what to leave and what to join. The state stands in the address; the next page is the one that asks."""
    query, present = request.GET, list(_groups_of(user))
    if query.get("go") == "review":
        return redirect(_address("identities:move-user-review", user, query))
    leave, join = chosen_names(query, "leave"), chosen_names(query, "join")
    search = query.get("q", "").strip()[:128]
    context = {
        "user": user,
        "present": [(group, group.name in leave) for group in present],
        "list": group_choices(request, join, search, but=present),
        "way": "join",
        "search": search,
        "most": user.account.quota("groups_per_user"),
    }
    return render(request, "identities/move_user.html" + ("#choices" if request.htmx else ""), context)


@requires("iam:ListGroupsForUser", "user", also=MOVE_ACTIONS)
@require_http_methods(["GET", "HEAD", "POST"])
def move_user_review(request: ConsoleRequest, user: User) -> HttpResponse:
    leave, join = _leaving(user, request.GET), _joining(user, request.GET)
    steps = [step for _, step in leave] + [item.step(Target.of(user)) for item in join]
    refusal: ServiceError | None = None
    if request.method == "POST":
        for step in steps:
            require_step(request, step)
        try:
            return _move(request, user, [group for group, _ in leave], join)
        except AccessDenied:
            raise
        except ServiceError as error:
            refusal = error
    rows = [(step, request.gate.may(step.action, step.resource, step.context)) for step in steps]
    context = {
        "user": user,
        "rows": rows,
        "sentence": _sentence(user, [group.name for group, _ in leave], [item.name for item in join]),
        "refused": any(not decision.allowed for _, decision in rows),
        "refusal": refusal,
        "is_self": user.unique_id == request.principal.unique_id,
        "back": _address("identities:move-user", user, request.GET),
    }
    return render(request, "identities/move_user_review.html", context, status=409 if refusal else 200)


def _move(request: ConsoleRequest, user: User, leave: list[Group], join: list[Item]) -> HttpResponse:
    if missing := next((item for item in join if isinstance(item, MissingItem)), None):
        raise NoSuchEntity(missing.sentence)
    joined = [item.group for item in join if isinstance(item, GroupItem)]
    groups.move_user(by=request.principal, user=user, leave=leave, join=joined)
    messages.success(request, _sentence(user, [group.name for group in leave], [group.name for group in joined]))
    return redirect("identities:list-groups-for-user", user.name)


def _leaving(user: User, query: QueryDict) -> list[tuple[Group, Step]]:
    """Groups that were ticked and that the user is still in."""
    names = {name.lower() for name in chosen_names(query, "leave")}
    return [
        (group, Step("iam:RemoveUserFromGroup", group.arn, {}, f"Take out of the group {group.name}"))
        for group in _groups_of(user)
        if group.name.lower() in names
    ]


def _joining(user: User, query: QueryDict) -> list[Item]:
    """Groups that were ticked and that the user is not in yet. One that is not there is asked for all the same."""
    present = {group.pk for group in _groups_of(user)}
    items = group_items(user.account_id, chosen_names(query, "join"))
    return [item for item in items if not (isinstance(item, GroupItem) and item.group.pk in present)]


def _sentence(user: User, leave: list[str], join: list[str]) -> str:
    parts = [
        f"leaves {_listed(leave)}" if leave else "",
        f"joins {_listed(join)}" if join else "",
    ]
    done = " and ".join(filter(None, parts))
    return f"{user.name} {done}." if done else ""


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _address(url_name: str, user: User, query: QueryDict) -> str:
    state = [(field, name) for field in ("leave", "join") for name in chosen_names(query, field)]
    return f"{reverse(url_name, args=[user.name])}?{urlencode(state)}"
