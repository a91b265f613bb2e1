"""Creating a user in three steps. Their state stands in the address, so that the back button works and nothing is
lost; it holds names, never secrets. Only the last step writes."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from audit.actions import recently_signed_in, requires
from audit.errors import AccessDenied, ServiceError
from audit.http import ConsoleRequest
from identities.credential_files import password_csv, sign_in_address
from identities.forms.users import Choices, NewUserForm
from identities.models import User
from identities.services import cloning
from identities.services.cloning import READ_ACTIONS
from identities.services.grants import Target, boundary_items, group_items, policy_items
from identities.services.new_users import NewUser, create_user_with_access, merged
from identities.views.choosing import group_choices, item_rows, policy_choices, readable_source, source_choices
from identities.views.clone import GIVE_ACTIONS
from identities.views.permission_holders import require_step
from policies.models import policy_arn

DETAILS = ("name", "path", "tags", "console", "reset", "self_manage")
CHOICES = ("groups", "policies", "boundary", "source", "reviewed", "items")
CARRIED = (*DETAILS, *CHOICES, "way", "administrator")
# The lists of the second step, and which of the choices each of them shows itself.
WAYS = {
    "groups": ("groups",),
    "clone": ("source", "reviewed", "items"),
    "policies": ("policies",),
    "boundary": ("boundary",),
}
SELF_MANAGE = policy_arn(None, "/", "IAMSelfManageCredentials")
ADMINISTRATOR = policy_arn(None, "/", "AdministratorAccess")
STEPS = ("iam:CreateUser", "iam:TagUser", "iam:CreateLoginProfile", *GIVE_ACTIONS)


@requires("iam:CreateUser", creates=True)
@require_safe
def create_user(request: ConsoleRequest) -> HttpResponse:
    query = request.GET
    as_administrator = query.get("administrator") == "1"
    for_console = as_administrator or query.get("console") == "1"
    start = {"path": "/", "console": for_console, "reset": True, "self_manage": True}
    form = NewUserForm(query if "name" in query else None, initial=start)
    if query.get("go") == "permissions" and form.is_valid() and not _name_is_taken(request, form):
        return redirect(_address("identities:create-user-permissions", query, *_administrator_defaults(query)))
    hidden = _carried(query, (*CHOICES, "way", "administrator"))
    context = {"form": form, "hidden": hidden, "as_administrator": as_administrator}
    return render(request, "identities/create_user.html", context)


def _administrator_defaults(query: QueryDict) -> list[tuple[str, str]]:
    """`?administrator=1` ticks the policy once; whoever unticks it later is believed."""
    if query.get("administrator") == "1" and "way" not in query:
        return [("policies", ADMINISTRATOR), ("way", "policies")]
    return []


def _name_is_taken(request: ConsoleRequest, form: NewUserForm) -> bool:
    """Say it early, but only to somebody who would be told in the end as well."""
    data, account_id = form.cleaned_data, request.principal.account_id
    arn = Target(account_id, data["name"], data["path"]).arn
    taken = User.objects.filter(account_id=account_id, name_key=data["name"].lower()).exists()
    if taken and request.gate.may("iam:CreateUser", arn).allowed:
        form.add_error("name", f"User with name {data['name']} already exists.")
        return True
    return False


@requires("iam:CreateUser", creates=True, also=("iam:ListUsers", "iam:ListGroups", "iam:ListPolicies", *READ_ACTIONS))
@require_safe
def create_user_permissions(request: ConsoleRequest) -> HttpResponse:
    query, details = request.GET, NewUserForm(request.GET)
    if not details.is_valid():
        return redirect(_address("identities:create-user", query))
    if query.get("go") == "review":
        return redirect(_address("identities:create-user-review", query))
    way = query.get("way", "")
    way = way if way in WAYS else "groups"
    search = query.get("q", "").strip()[:128] if query.get("shown") == way else ""
    others = [name for name in CHOICES if name not in WAYS[way]]
    hidden = [*_carried(query, (*DETAILS, *others, "administrator")), ("way", way), ("shown", way)]
    choices = Choices.of(query)
    context = {
        "details": details.cleaned_data,
        "choices": choices,
        "way": way,
        "search": search,
        "hidden": hidden,
        "back": _address("identities:create-user", query),
        **_list_of(request, way, choices, search, details.cleaned_data),
    }
    return render(request, "identities/create_user_permissions.html" + ("#choices" if request.htmx else ""), context)


def _list_of(
    request: ConsoleRequest, way: str, choices: Choices, search: str, details: dict[str, Any]
) -> dict[str, Any]:
    if way == "groups":
        return {"list": group_choices(request, choices.groups, search)}
    if way == "policies":
        return {"list": policy_choices(request, choices.policies, search)}
    if way == "boundary":
        return {"list": policy_choices(request, filter(None, [choices.boundary]), search)}
    if not choices.source:
        return {"list": source_choices(request, search)}
    try:
        source = readable_source(request, choices.source)
    except ServiceError as error:
        return {"list": source_choices(request, search), "source_error": error}
    boundary = choices.boundary or (source.boundary.arn if source.boundary else "")
    target = Target(request.principal.account_id, details["name"], details["path"], details["tags"], boundary)
    ticked = choices.items if choices.has_reviewed else None
    return {"source": source, "rows": item_rows(request, source, target, ticked=ticked)}


@requires("iam:CreateUser", creates=True, also=(*STEPS, *READ_ACTIONS))
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def create_user_review(request: ConsoleRequest) -> HttpResponse:
    query, details = request.GET, NewUserForm(request.GET)
    if not details.is_valid():
        return redirect(_address("identities:create-user", query))
    new: NewUser | None = None
    try:
        new = _new_user(request, details.cleaned_data, Choices.of(query))
        if request.method == "POST":
            return _create(request, new)
    except AccessDenied:
        raise
    except ServiceError as error:
        return _review(request, new, error)
    return _review(request, new)


def _new_user(request: ConsoleRequest, details: dict[str, Any], choices: Choices) -> NewUser:
    """What the address asks for. Reading the user to copy from needs the permissions for it, every time."""
    account_id, console = request.principal.account_id, details["console"]
    own = [SELF_MANAGE] if console and details["self_manage"] else []
    items = [
        *boundary_items(account_id, choices.boundary),
        *group_items(account_id, choices.groups),
        *policy_items(account_id, (*own, *choices.policies)),
    ]
    if choices.has_reviewed and choices.items:
        items += cloning.chosen_items(cloning.items_of(readable_source(request, choices.source)), choices.items)
    return NewUser(
        account_id=account_id,
        name=details["name"],
        path=details["path"],
        tags=details["tags"],
        console=console,
        password_reset_required=details["reset"],
        items=merged(items),
    )


def _review(request: ConsoleRequest, new: NewUser | None, refusal: ServiceError | None = None) -> HttpResponse:
    steps = new.steps() if new else []
    rows = [(step, request.gate.may(step.action, step.resource, step.context)) for step in steps]
    refused = any(not decision.allowed for _, decision in rows)
    context = {
        "new": new,
        "rows": rows,
        "refused": refused,
        "missing": new.missing() if new and not refused else [],
        "refusal": refusal,
        "has_permissions": bool(new and new.items),
        "back": _address("identities:create-user-permissions", request.GET),
        "first": _address("identities:create-user", request.GET),
    }
    return render(request, "identities/create_user_review.html", context, status=409 if refusal else 200)


def _create(request: ConsoleRequest, new: NewUser) -> HttpResponse:
    """All of it is asked for at the gate before anything is written; the password is in this one reply and nowhere."""
    for step in new.steps():
        require_step(request, step)
    user, password = create_user_with_access(by=request.principal, new=new)
    context = {
        "user": user,
        "password": password,
        "password_stays": not new.password_reset_required,
        "csv": password_csv(user, password) if password else "",
        "sign_in_address": sign_in_address(user.account.sign_in_name),
        "another": _another(request.GET) if password else "",
    }
    return render(request, "identities/create_user_done.html", context)


def _another(query: QueryDict) -> str:
    """Where the next of several people is made, with the same permissions."""
    state = [
        (name, value) for name in ("groups", "policies", "boundary", "way") for value in _once(query.getlist(name))
    ]
    return f"{reverse('identities:create-user')}?{urlencode([('console', '1'), *state])}"


def _carried(query: QueryDict, names: Iterable[str]) -> list[tuple[str, str]]:
    """The state that a form of this step has no field for, as hidden fields."""
    return [(name, value) for name in names for value in query.getlist(name)]


def _address(url_name: str, query: QueryDict, *more: tuple[str, str]) -> str:
    """Another step with the same state; what is not of the state (a search, a button) falls away."""
    state = [(name, value) for name in CARRIED for value in _once(query.getlist(name))]
    return f"{reverse(url_name)}?{urlencode([*state, *more])}"


def _once(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
