"""Who is in which group, seen from the group: putting users in and taking them out, several at once."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from audit.actions import requires
from audit.errors import InvalidInput, NoSuchEntity, ServiceError
from audit.http import ConsoleRequest
from identities.forms.groups import MOST_CHOICES, chosen_names
from identities.models import Group, User
from identities.services import groups
from identities.services.new_groups import users_by_name
from identities.views.choosing import user_choices


@requires("iam:AddUserToGroup", "group", also=("iam:ListUsers", "iam:GetGroup"))
@require_http_methods(["GET", "HEAD", "POST"])
def add_user_to_group(request: ConsoleRequest, group: Group) -> HttpResponse:
    refusal: ServiceError | None = None
    if request.method == "POST":
        if request.POST.get("go") == "search":
            return redirect(_searched(request, group))
        try:
            return _add(request, group)
        except ServiceError as error:
            refusal = error
    given = request.POST if request.method == "POST" else request.GET
    search, chosen = given.get("q", "").strip()[:128], chosen_names(given, "users")
    context = {
        "group": group,
        # Who is in the group is told only to those who may see it: others find the members in the list, too.
        "list": user_choices(request, chosen, search, outside=group if _sees_members(request, group) else None),
        "way": "users",
        "chosen": chosen,
        "search": search,
        "refusal": refusal,
        "back": _back(request, group),
    }
    template = "identities/add_user_to_group.html" + ("#choices" if request.htmx else "")
    return render(request, template, context, status=409 if refusal else 200)


def _searched(request: ConsoleRequest, group: Group) -> str:
    """The same page after a search without script: what is ticked goes along, the form's token does not."""
    users = [("users", name) for name in chosen_names(request.POST, "users")]
    query = urlencode([("q", request.POST.get("q", "").strip()[:128]), *users])
    return f"{reverse('identities:add-user-to-group', args=[group.name])}?{query}"


def _add(request: ConsoleRequest, group: Group) -> HttpResponse:
    users = _existing(request, chosen_names(request.POST, "users"))
    groups.add_users_to_group(by=request.principal, group=group, users=users)
    messages.success(request, f"Added to {group.name}: {', '.join(user.name for user in users)}.")
    return redirect(_back(request, group))


@requires("iam:RemoveUserFromGroup", "group", also=("iam:GetGroup",))
@require_http_methods(["GET", "HEAD", "POST"])
def remove_user_from_group(request: ConsoleRequest, group: Group) -> HttpResponse:
    # The page says who is in the group and who is not any more.
    request.gate.require("iam:GetGroup", group.arn)
    names = chosen_names(request.POST if request.method == "POST" else request.GET, "users")
    members = User.objects.filter(memberships__group=group, name_key__in=[name.lower() for name in names])
    users = list(members.order_by("name_key"))
    if request.method == "POST":
        groups.remove_users_from_group(by=request.principal, group=group, users=users)
        gone = ", ".join(user.name for user in users)
        messages.success(request, f"Removed from {group.name}: {gone}." if gone else "Nobody of them was in the group.")
        return redirect("identities:get-group", group.name)
    context = {"group": group, "users": users, "is_self": _is_among(request, users)}
    return render(request, "identities/remove_user_from_group.html", context)


def _existing(request: ConsoleRequest, names: tuple[str, ...]) -> list[User]:
    if not names:
        raise InvalidInput("Tick at least one user.")
    if len(names) > MOST_CHOICES:
        raise InvalidInput(f"Add at most {MOST_CHOICES} users at a time: untick some.")
    found = users_by_name(request.principal.account_id, names)
    if missing := next((name for name, user in found.items() if user is None), None):
        raise NoSuchEntity(f"The user with name {missing} cannot be found.")
    return [user for user in found.values() if user is not None]


def _is_among(request: ConsoleRequest, users: list[User]) -> bool:
    return any(user.unique_id == request.principal.unique_id for user in users)


def _sees_members(request: ConsoleRequest, group: Group) -> bool:
    return request.gate.may("iam:GetGroup", group.arn).allowed


def _back(request: ConsoleRequest, group: Group) -> str:
    if _sees_members(request, group):
        return reverse("identities:get-group", args=[group.name])
    return reverse("identities:list-groups")
