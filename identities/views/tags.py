"""Tags of users and roles: see, set, remove."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from audit.actions import requires
from audit.errors import ServiceError
from audit.http import ConsoleRequest
from identities.forms.users import TagForm, UntagForm
from identities.models import Role, User
from identities.services import roles, users
from identities.services.grants import tag_context
from identities.views.permission_holders import Holder, Kind, holder_of, permitted

TAG: dict[Kind, Callable[..., None]] = {"user": users.tag_user, "role": roles.tag_role}
UNTAG: dict[Kind, Callable[..., None]] = {"user": users.untag_user, "role": roles.untag_role}


@requires("iam:ListUserTags", "user", also=("iam:TagUser", "iam:UntagUser"))
@require_safe
def list_user_tags(request: ConsoleRequest, user: User) -> HttpResponse:
    return _list(request, holder_of(user))


@requires("iam:ListRoleTags", "role", also=("iam:TagRole", "iam:UntagRole"))
@require_safe
def list_role_tags(request: ConsoleRequest, role: Role) -> HttpResponse:
    return _list(request, holder_of(role))


# The address word comes to these as it is (`creates`): conditions on request tags make sense only with the tag
# that is meant, so the question can't be asked before the form was read.
@requires("iam:TagUser", creates=True, also=("iam:ListUserTags",))
@require_POST
def tag_user(request: ConsoleRequest, user_name: str) -> HttpResponse:
    return _tag(request, "user", user_name)


@requires("iam:TagRole", creates=True, also=("iam:ListRoleTags",))
@require_POST
def tag_role(request: ConsoleRequest, role_name: str) -> HttpResponse:
    return _tag(request, "role", role_name)


@requires("iam:UntagUser", creates=True)
@require_POST
def untag_user(request: ConsoleRequest, user_name: str) -> HttpResponse:
    return _untag(request, "user", user_name)


@requires("iam:UntagRole", creates=True)
@require_POST
def untag_role(request: ConsoleRequest, role_name: str) -> HttpResponse:
    return _untag(request, "role", role_name)


def _list(request: ConsoleRequest, holder: Holder) -> HttpResponse:
    key = request.GET.get("key", "")
    present = next((tag.value for tag in holder.tags if tag.key == key), "")
    return _page(request, holder, TagForm(initial={"key": key, "value": present}))


def _tag(request: ConsoleRequest, kind: Kind, name: str) -> HttpResponse:
    form = TagForm(request.POST)
    tags = {form.cleaned_data["key"]: form.cleaned_data["value"]} if form.is_valid() else {}
    holder = permitted(request, kind, name, f"iam:Tag{kind.capitalize()}", tag_context(tags))
    if tags:
        try:
            TAG[kind](by=request.principal, tags=tags, **{kind: holder.row})
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, f"The tag {form.cleaned_data['key']} is set.")
            return redirect(holder.tags_page)
    request.gate.require(f"iam:List{kind.capitalize()}Tags", holder.row.arn, holder.context)
    return _page(request, holder, form)


def _untag(request: ConsoleRequest, kind: Kind, name: str) -> HttpResponse:
    form = UntagForm(request.POST)
    keys = (form.cleaned_data["key"],) if form.is_valid() else ()
    asked = {"aws:TagKeys": keys} if keys else {}
    holder = permitted(request, kind, name, f"iam:Untag{kind.capitalize()}", asked)
    if keys:
        UNTAG[kind](by=request.principal, keys=keys, **{kind: holder.row})
        messages.success(request, f"The tag {keys[0]} is removed.")
    return redirect(holder.tags_page)


def _page(request: ConsoleRequest, holder: Holder, form: TagForm) -> HttpResponse:
    context = {
        "holder": holder,
        "form": form,
        "tags": holder.tags,
        "limit": holder.row.account.quota("tags"),
        "may_tag": not holder.is_fixed and request.gate.might(f"iam:Tag{holder.word}"),
        "may_untag": not holder.is_fixed and request.gate.might(f"iam:Untag{holder.word}"),
    }
    return render(request, "identities/list_tags.html", context)
