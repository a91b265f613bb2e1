"""Creating a group in four steps. Their state stands in the address, so that the back button works and nothing is
lost. Only the last step writes."""

from collections.abc import Iterable
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Account
from audit.actions import requires
from audit.errors import AccessDenied, ServiceError
from audit.http import ConsoleRequest
from identities.forms.groups import GroupChoices, NewGroupForm
from identities.models import Group
from identities.models.groups import group_arn
from identities.services.grants import policies_by_arn
from identities.services.new_groups import NewGroup, create_group_with_members, users_by_name
from identities.views.choosing import policy_choices, user_choices
from identities.views.permission_holders import require_step

DETAILS = ("name", "path")
CARRIED = (*DETAILS, "policies", "users")
STEPS = ("iam:AttachGroupPolicy", "iam:AddUserToGroup")


@requires("iam:CreateGroup", creates=True)
@require_safe
def create_group(request: ConsoleRequest) -> HttpResponse:
    query = request.GET
    form = NewGroupForm(query if "name" in query else None, initial={"path": "/"})
    if query.get("go") == "policies" and form.is_valid() and not _name_is_taken(request, form):
        return redirect(_address("identities:create-group-policies", query))
    context = {"form": form, "hidden": _carried(query, ("policies", "users"))}
    return render(request, "identities/create_group.html", context)


def _name_is_taken(request: ConsoleRequest, form: NewGroupForm) -> bool:
    """Say it early, but only to somebody who would be told in the end as well."""
    account_id, name = request.principal.account_id, form.cleaned_data["name"]
    arn = group_arn(account_id, form.cleaned_data["path"], name)
    taken = Group.objects.filter(account_id=account_id, name_key=name.lower()).exists()
    if taken and request.gate.may("iam:CreateGroup", arn).allowed:
        form.add_error("name", f"Group with name {name} already exists.")
        return True
    return False


@requires("iam:CreateGroup", creates=True, also=("iam:ListPolicies",))
@require_safe
def create_group_policies(request: ConsoleRequest) -> HttpResponse:
    query, details = request.GET, NewGroupForm(request.GET)
    if not details.is_valid():
        return redirect(_address("identities:create-group", query))
    choices, most = GroupChoices.of(query), _account(request).quota("policies_per_group")
    problem = ""
    if len(choices.policies) > most:
        problem = f"A group holds at most {most} policies, and {len(choices.policies)} are chosen: untick some."
    if query.get("go") == "users" and not problem:
        return redirect(_address("identities:create-group-users", query))
    search = query.get("q", "").strip()[:128]
    context = {
        "details": details.cleaned_data,
        "list": policy_choices(request, choices.policies, search),
        "way": "policies",
        "search": search,
        "problem": problem,
        "hidden": _carried(query, (*DETAILS, "users")),
        "back": _address("identities:create-group", query),
    }
    return render(request, "identities/create_group_policies.html" + ("#choices" if request.htmx else ""), context)


@requires("iam:CreateGroup", creates=True, also=("iam:ListUsers",))
@require_safe
def create_group_users(request: ConsoleRequest) -> HttpResponse:
    query, details = request.GET, NewGroupForm(request.GET)
    if not details.is_valid():
        return redirect(_address("identities:create-group", query))
    choices = GroupChoices.of(query)
    if query.get("go") == "review" and not choices.problem:
        return redirect(_address("identities:create-group-review", query))
    search = query.get("q", "").strip()[:128]
    context = {
        "details": details.cleaned_data,
        "list": user_choices(request, choices.users, search),
        "way": "users",
        "search": search,
        "problem": choices.problem,
        "hidden": _carried(query, (*DETAILS, "policies")),
        "back": _address("identities:create-group-policies", query),
    }
    return render(request, "identities/create_group_users.html" + ("#choices" if request.htmx else ""), context)


@requires("iam:CreateGroup", creates=True, also=STEPS)
@require_http_methods(["GET", "HEAD", "POST"])
def create_group_review(request: ConsoleRequest) -> HttpResponse:
    query, details = request.GET, NewGroupForm(request.GET)
    if not details.is_valid():
        return redirect(_address("identities:create-group", query))
    new = _new_group(request, details, GroupChoices.of(query))
    if request.method != "POST":
        return _review(request, new)
    try:
        return _create(request, new)
    except AccessDenied:
        raise
    except ServiceError as error:
        return _review(request, new, error)


def _new_group(request: ConsoleRequest, details: NewGroupForm, choices: GroupChoices) -> NewGroup:
    account_id = request.principal.account_id
    return NewGroup(
        account_id=account_id,
        name=details.cleaned_data["name"],
        path=details.cleaned_data["path"],
        policies=policies_by_arn(account_id, choices.policies),
        users=users_by_name(account_id, choices.users),
    )


def _review(request: ConsoleRequest, new: NewGroup, refusal: ServiceError | None = None) -> HttpResponse:
    rows = [(step, request.gate.may(step.action, step.resource, step.context)) for step in new.steps()]
    refused = any(not decision.allowed for _, decision in rows)
    context = {
        "new": new,
        "rows": rows,
        "refused": refused,
        "missing": new.missing() if not refused and not refusal else [],
        "refusal": refusal,
        "first": _address("identities:create-group", request.GET),
        "second": _address("identities:create-group-policies", request.GET),
        "back": _address("identities:create-group-users", request.GET),
    }
    return render(request, "identities/create_group_review.html", context, status=409 if refusal else 200)


def _create(request: ConsoleRequest, new: NewGroup) -> HttpResponse:
    """All of it is asked for at the gate before anything is written."""
    for step in new.steps():
        require_step(request, step)
    group = create_group_with_members(by=request.principal, new=new)
    messages.success(request, f"The group {group.name} was created.")
    # Who may create a group may not be allowed to look into it.
    if request.gate.may("iam:GetGroup", group.arn).allowed:
        return redirect("identities:get-group", group.name)
    return redirect("identities:list-groups")


def _account(request: ConsoleRequest) -> Account:
    return Account.objects.get(pk=request.principal.account_id)


def _carried(query: QueryDict, names: Iterable[str]) -> list[tuple[str, str]]:
    """The state that a form of this step has no field for, as hidden fields."""
    return [(name, value) for name in names for value in query.getlist(name)]


def _address(url_name: str, query: QueryDict) -> str:
    """Another step with the same state; what is not of the state (a search, a button) falls away."""
    state = [(name, value) for name in CARRIED for value in dict.fromkeys(query.getlist(name))]
    return f"{reverse(url_name)}?{urlencode(state)}"
