from collections.abc import Mapping

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from audit.actions import requires
from audit.errors import ServiceError
from audit.http import ConsoleRequest
from identities.forms.users import TagForm, UntagForm
from identities.models import User
from identities.models.users import user_arn
from identities.resource_tags import resource_tags
from identities.services import users
from identities.services.grants import Context, tag_context
from identities.views.permission_holders import require_hiding


@requires("iam:ListUserTags", "user", also=("iam:TagUser", "iam:UntagUser"))
@require_safe
def list_user_tags(request: ConsoleRequest, user: User) -> HttpResponse:
    key = request.GET.get("key", "")
    present = next((tag.value for tag in user.tags.all() if tag.key == key), "")
    return _page(request, user, TagForm(initial={"key": key, "value": present}))


# The address word comes to these two as it is (`creates`): conditions on request tags make sense only with the tag
# that is meant, so the question can't be asked before the form was read.
@requires("iam:TagUser", creates=True, also=("iam:ListUserTags",))
@require_POST
def tag_user(request: ConsoleRequest, user_name: str) -> HttpResponse:
    form = TagForm(request.POST)
    tags = {form.cleaned_data["key"]: form.cleaned_data["value"]} if form.is_valid() else {}
    user = _permitted(request, user_name, "iam:TagUser", tag_context(tags))
    if tags:
        try:
            users.tag_user(by=request.principal, user=user, tags=tags)
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, f"The tag {form.cleaned_data['key']} is set.")
            return redirect("identities:list-user-tags", user.name)
    request.gate.require("iam:ListUserTags", user.arn, resource_tags(user))
    return _page(request, user, form)


@requires("iam:UntagUser", creates=True)
@require_POST
def untag_user(request: ConsoleRequest, user_name: str) -> HttpResponse:
    form = UntagForm(request.POST)
    keys = (form.cleaned_data["key"],) if form.is_valid() else ()
    user = _permitted(request, user_name, "iam:UntagUser", {"aws:TagKeys": keys} if keys else {})
    if keys:
        users.untag_user(by=request.principal, user=user, keys=keys)
        messages.success(request, f"The tag {keys[0]} is removed.")
    return redirect("identities:list-user-tags", user.name)


def _permitted(request: ConsoleRequest, user_name: str, action: str, context: Context) -> User:
    """The user of the address, once the gate has allowed the action on it; refused before it is said to be missing."""
    account_id = request.principal.account_id
    user = User.objects.filter(account_id=account_id, name_key=user_name.lower()).prefetch_related("tags").first()
    arn, tags = (user.arn, resource_tags(user)) if user else (None, {})
    require_hiding(request, action, arn, user_arn(account_id, "/", user_name), {**tags, **context})
    if user is None:
        raise Http404("There is no user with that name in this account.")
    return user


def _page(request: ConsoleRequest, user: User, form: TagForm) -> HttpResponse:
    context: Mapping[str, object] = {
        "user": user,
        "form": form,
        "tags": sorted(user.tags.all(), key=lambda tag: tag.key_folded),
        "limit": user.account.quota("tags"),
        "may_tag": request.gate.might("iam:TagUser"),
        "may_untag": request.gate.might("iam:UntagUser"),
    }
    return render(request, "identities/list_user_tags.html", context)
