from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import tag_pages
from accounts.models import Account
from accounts.tag_pages import TagForm
from accounts.tags import first_with_tags, resource_tag_keys, tags_of
from audit.actions import requires
from audit.http import ConsoleRequest, require_hiding
from policies import services
from policies.models import AWS, ManagedPolicy, policy_arn

LIST, TAG, UNTAG = "iam:ListPolicyTags", "iam:TagPolicy", "iam:UntagPolicy"


@requires(LIST, "policy", also=(TAG, UNTAG))
@require_safe
def list_policy_tags(request: ConsoleRequest, policy: ManagedPolicy) -> HttpResponse:
    return _page(request, policy)


# The address words come to these two as they are (`creates`): see `accounts.tag_pages`.
@requires(TAG, creates=True, also=(LIST,))
@require_POST
def tag_policy(request: ConsoleRequest, scope: str, policy_name: str) -> HttpResponse:
    def page(policy: ManagedPolicy, form: TagForm) -> HttpResponse:
        request.gate.require(LIST, policy.arn, resource_tag_keys(tags_of(policy)))
        return _page(request, policy, form)

    return tag_pages.tag(
        request,
        permitted=lambda keys: _permitted(request, TAG, scope, policy_name, **keys),
        put=lambda policy, tags: services.tag_policy(by=request.principal, policy=policy, tags=tags),
        back=_page_of,
        page=page,
    )


@requires(UNTAG, creates=True)
@require_POST
def untag_policy(request: ConsoleRequest, scope: str, policy_name: str) -> HttpResponse:
    return tag_pages.untag(
        request,
        permitted=lambda keys: _permitted(request, UNTAG, scope, policy_name, **keys),
        drop=lambda policy, keys: services.untag_policy(by=request.principal, policy=policy, keys=keys),
        back=_page_of,
    )


def _permitted(request: ConsoleRequest, action: str, scope: str, name: str, **keys: object) -> ManagedPolicy:
    """The policy of the address, once the gate has allowed the action on it; refused before it is called missing."""
    account_id = None if scope == AWS else request.principal.account_id
    policy, tags = first_with_tags(ManagedPolicy.objects.filter(account_id=account_id, name_key=name.lower()))
    asked = policy_arn(account_id, "/", name)
    require_hiding(request, action, policy.arn if policy else None, asked, {**resource_tag_keys(tags), **keys})
    if policy is None:
        raise Http404("There is no policy with that name in this account.")
    return policy


def _page_of(policy: ManagedPolicy) -> str:
    return reverse("policies:list-policy-tags", args=[policy.scope, policy.name])


def _page(request: ConsoleRequest, policy: ManagedPolicy, form: TagForm | None = None) -> HttpResponse:
    limit = Account.objects.get(pk=request.principal.account_id).quota("tags")
    own = not policy.is_built_in
    context = {
        "policy": policy,
        "may_tag": own and request.gate.might(TAG),
        "may_untag": own and request.gate.might(UNTAG),
        **tag_pages.shown(tags_of(policy), request, limit=limit, form=form),
    }
    return render(request, "policies/list_policy_tags.html", context)
