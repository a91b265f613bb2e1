"""What the pages of both kinds of providers share: the roles that trust one, and its tags."""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse

from accounts import tag_pages
from accounts.tag_pages import TagForm
from audit.errors import ServiceError
from audit.http import ConsoleRequest
from federation.models import OIDCProvider, SAMLProvider
from federation.services.tags import Provider, resource_tags, tags_of
from identities.models import Role
from identities.panels import panel

SHOWN = 50
Found = TypeVar("Found", SAMLProvider, OIDCProvider)
LIST_ROLES = "iam:ListRoles"


def facts(request: ConsoleRequest, provider: Provider, kind: str, form: TagForm | None = None) -> Mapping[str, Any]:
    """For the template: the tags, whether they may be changed, and who trusts the provider."""
    trusting = panel(request.gate, LIST_ROLES, "*")
    return {
        "provider": provider,
        **tag_pages.shown(tags_of(provider), request, limit=provider.account.quota("tags"), form=form),
        "may_tag": request.gate.might(f"iam:Tag{kind}"),
        "may_untag": request.gate.might(f"iam:Untag{kind}"),
        "trusting": trusting,
        "roles": roles_that_trust(provider) if trusting.allowed else [],
        "new_role": _new_role(provider),
    }


def _new_role(provider: Provider) -> str:
    """Where a role for the people of a provider is made, with what is known answered."""
    answers = {"who": "saml" if isinstance(provider, SAMLProvider) else "web", "provider": provider.arn}
    if isinstance(provider, OIDCProvider):
        audience = provider.client_ids.order_by("pk").values_list("client_id", flat=True).first()
        answers |= {"audience": audience} if audience else {}
    return f"{reverse('access:create-role-who')}?{urlencode(answers)}"


def roles_that_trust(provider: Provider) -> list[str]:
    """Roles whose trust policy names the provider."""
    roles = Role.objects.filter(account_id=provider.account_id, document__contains=f'"{provider.arn}"')
    return list(roles.order_by("name_key").values_list("name", flat=True)[:SHOWN])


def require(request: ConsoleRequest, action: str, provider: Provider | None, arn: str, **context: Any) -> None:
    """Ask once more, now that the form was read and it is known which tags are meant."""
    brought = resource_tags(provider) if provider else {}
    request.gate.require(action, arn, {**brought, **context})


def permitted(request: ConsoleRequest, action: str, rows: QuerySet[Found], arn: str, keys: Mapping[str, Any]) -> Found:
    """The provider of an address, once the gate has allowed the action on it; refused before it is called missing."""
    provider = rows.filter(account_id=request.principal.account_id).select_related("account").first()
    require(request, action, provider, arn, **keys)
    if provider is None:
        raise Http404("There is no such provider in this account.")
    return provider


def put_on(form: forms.Form, error: ServiceError) -> None:
    """An expected refusal, at the field that it is about."""
    form.add_error(error.field if error.field in form.fields else None, error.message)
