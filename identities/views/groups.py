from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from audit.actions import requires
from audit.errors import ConcurrentModification, ServiceError
from audit.http import ConsoleRequest
from identities.forms.groups import UpdateGroupForm
from identities.models import Group
from identities.models.groups import group_arn
from identities.panels import panel
from identities.services import groups

PAGE = 50
SORTS = {"name": "user__name_key", "joined": "joined_at"}

# What the page offers, each with the action that permits it.
PANELS = {
    "add": "iam:AddUserToGroup",
    "remove": "iam:RemoveUserFromGroup",
    "rename": "iam:UpdateGroup",
    "delete": "iam:DeleteGroup",
}


@requires("iam:GetGroup", "group", also=(*PANELS.values(), "iam:CreateUser"))
@require_safe
def get_group(request: ConsoleRequest, group: Group) -> HttpResponse:
    """The tab “Users”: GetGroup is the action that lists who is in a group."""
    search = request.GET.get("q", "").strip()[:64]
    sort = request.GET.get("sort", "")
    sort = sort if sort.removeprefix("-") in SORTS else "name"
    order = SORTS[sort.removeprefix("-")]
    found = group.memberships.filter(user__name_key__contains=search.lower()).select_related("user")
    found = found.order_by(f"-{order}" if sort.startswith("-") else order, "pk")
    context = {
        "group": group,
        "page": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "search": search,
        "sort": sort,
        "panels": {name: panel(request.gate, action, group.arn) for name, action in PANELS.items()},
        "new_member": _new_member(group) if request.gate.might("iam:CreateUser") else "",
    }
    return render(request, "identities/get_group.html" + ("#rows" if request.htmx else ""), context)


def _new_member(group: Group) -> str:
    """Where a user is made who is in the group from the start."""
    return f"{reverse('identities:create-user')}?{urlencode({'console': '1', 'groups': group.name})}"


@requires("iam:UpdateGroup", "group")
@require_http_methods(["GET", "HEAD", "POST"])
def update_group(request: ConsoleRequest, group: Group) -> HttpResponse:
    opened = {"name": group.name, "path": group.path, "opened_path": group.path}
    form = UpdateGroupForm(request.POST if request.method == "POST" else None, initial=opened)
    if form.is_valid():
        new_name, new_path = form.cleaned_data["name"], form.cleaned_data["path"]
        # AWS asks for both: the group as it is (the guard did), and the group as it would be.
        request.gate.require("iam:UpdateGroup", group_arn(group.account_id, new_path, new_name))
        try:
            _refuse_stale(form, group)
            changed = groups.update_group(by=request.principal, group=group, new_name=new_name, new_path=new_path)
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, f"{group.arn} is now {changed.arn}.")
            return redirect("identities:get-group", changed.name)
    return render(request, "identities/update_group.html", {"form": form, "group": group})


def _refuse_stale(form: UpdateGroupForm, group: Group) -> None:
    opened = form.cleaned_data["opened_path"]
    if opened and opened != group.path:
        message = f"Somebody moved this group to {group.path} since you opened the page. Look at it again."
        raise ConcurrentModification(message, field="path")
