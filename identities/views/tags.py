"""Tags of users and roles: see, set, remove."""

from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from accounts import tag_pages
from accounts.tag_pages import TagForm
from audit.actions import requires
from audit.http import ConsoleRequest
from identities.models import Role, User
from identities.services import roles, users
from identities.views.permission_holders import Holder, Kind, holder_of, permitted

TAG: dict[Kind, Callable[..., None]] = {"user": users.tag_user, "role": roles.tag_role}
UNTAG: dict[Kind, Callable[..., None]] = {"user": users.untag_user, "role": roles.untag_role}


@requires("iam:ListUserTags", "user", also=("iam:TagUser", "iam:UntagUser"))
@require_safe
def list_user_tags(request: ConsoleRequest, user: User) -> HttpResponse:
    return _page(request, holder_of(user))


@requires("iam:ListRoleTags", "role", also=("iam:TagRole", "iam:UntagRole"))
@require_safe
def list_role_tags(request: ConsoleRequest, role: Role) -> HttpResponse:
    return _page(request, holder_of(role))


# The address word comes to these as it is (`creates`): see `accounts.tag_pages`.
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


def _tag(request: ConsoleRequest, kind: Kind, name: str) -> HttpResponse:
    word = kind.capitalize()

    def page(holder: Holder, form: TagForm) -> HttpResponse:
        listing = f"iam:List{word}Tags"
        request.gate.require(listing, holder.row.arn, holder.keys(listing))
        return _page(request, holder, form)

    return tag_pages.tag(
        request,
        permitted=lambda keys: permitted(request, kind, name, f"iam:Tag{word}", keys),
        put=lambda holder, tags: TAG[kind](by=request.principal, tags=tags, **{kind: holder.row}),
        back=lambda holder: holder.tags_page,
        page=page,
    )


def _untag(request: ConsoleRequest, kind: Kind, name: str) -> HttpResponse:
    return tag_pages.untag(
        request,
        permitted=lambda keys: permitted(request, kind, name, f"iam:Untag{kind.capitalize()}", keys),
        drop=lambda holder, keys: UNTAG[kind](by=request.principal, keys=keys, **{kind: holder.row}),
        back=lambda holder: holder.tags_page,
    )


def _page(request: ConsoleRequest, holder: Holder, form: TagForm | None = None) -> HttpResponse:
    tags, limit = {tag.key: tag.value for tag in holder.tags}, holder.row.account.quota("tags")
    context = {
        "holder": holder,
        "may_tag": not holder.is_fixed and request.gate.might(f"iam:Tag{holder.word}"),
        "may_untag": not holder.is_fixed and request.gate.might(f"iam:Untag{holder.word}"),
        **tag_pages.shown(tags, request, limit=limit, form=form),
    }
    return render(request, "identities/list_tags.html", context)
