from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from audit.actions import requires
from audit.errors import InvalidInput, ServiceError
from audit.http import ConsoleRequest
from identities.forms.users import Choices
from identities.models import User
from identities.services import cloning
from identities.services.cloning import READ_ACTIONS
from identities.services.grants import Item, Target
from identities.views.choosing import item_rows, readable_source, source_choices

GIVE_ACTIONS = (
    "iam:PutUserPermissionsBoundary",
    "iam:AddUserToGroup",
    "iam:AttachUserPolicy",
    "iam:PutUserPolicy",
)


@requires("iam:GetUser", "user", also=("iam:ListUsers",))
@require_safe
def clone_user(request: ConsoleRequest, user: User) -> HttpResponse:
    search = request.GET.get("q", "").strip()[:128]
    context = {"user": user, "list": source_choices(request, search, but=user), "search": search}
    return render(request, "identities/clone_user.html" + ("#choices" if request.htmx else ""), context)


@requires("iam:GetUser", "user", also=(*READ_ACTIONS, *GIVE_ACTIONS))
@require_http_methods(["GET", "HEAD", "POST"])
def clone_user_review(request: ConsoleRequest, user: User) -> HttpResponse:
    # What the user has already is shown, so it must be readable as the source is.
    source, target = readable_source(request, request.GET.get("source", "")), readable_source(request, user.name)
    refusal = None
    if request.method == "POST":
        try:
            _copy(request, source, target)
        except ServiceError as error:
            if error.code == "AccessDenied":
                raise
            refusal = error
        else:
            messages.success(request, f"The chosen permissions of {source.name} now belong to {target.name} too.")
            return redirect("identities:get-user", target.name)
    ticked = request.POST.getlist("items") if refusal else None
    held = cloning.held_by(target)
    items = cloning.items_of(source)
    rows = item_rows(request, source, _with_boundary(target, items), held=held, ticked=ticked)
    context = {"user": target, "source": source, "rows": rows, "refusal": refusal}
    return render(request, "identities/clone_user_review.html", context, status=409 if refusal else 200)


def _copy(request: ConsoleRequest, source: User, target: User) -> None:
    """Every ticked item is asked for at the gate before the first is given: one that may not be given refuses all."""
    chosen = Choices.of(request.POST).items
    if not chosen:
        raise InvalidInput("Nothing is ticked, so nothing was copied. Tick what the user should get.")
    items = cloning.chosen_items(cloning.items_of(source), chosen)
    limited = _with_boundary(target, items)
    for item in items:
        step = item.step(limited)
        request.gate.require(step.action, step.resource, step.context)
    cloning.clone_user(by=request.principal, source=source, target=target, items=items)


def _with_boundary(user: User, items: list[Item]) -> Target:
    """The user as it is once the copied boundary limits it: it is given before the rest."""
    boundary = next((item.key.removeprefix("boundary:") for item in items if item.kind == "boundary"), "")
    target = Target.of(user)
    return replace(target, boundary_arn=boundary) if boundary else target
