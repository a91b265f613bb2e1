import base64
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import tag_pages
from accounts.confirming import TypedNameForm
from accounts.tag_pages import TagForm
from audit import clock
from audit.actions import recently_signed_in, requires
from audit.errors import ServiceError
from audit.http import ConsoleRequest
from federation import sp
from federation.forms import NewSAMLProviderForm, SAMLProviderForm
from federation.models import SAMLProvider, saml_provider_arn
from federation.saml.metadata import signing_key
from federation.services import saml_providers
from federation.views.list_providers import WARNED
from federation.views.parts import LIST_ROLES, facts, permitted, put_on, require

KIND = "SAMLProvider"


@requires("iam:CreateSAMLProvider", creates=True)
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def create_saml_provider(request: ConsoleRequest) -> HttpResponse:
    form = NewSAMLProviderForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        data = form.cleaned_data
        request.gate.require("iam:CreateSAMLProvider", saml_provider_arn(request.principal.account_id, data["name"]))
        try:
            provider = saml_providers.create_saml_provider(by=request.principal, **data)
        except ServiceError as error:
            put_on(form, error)
        else:
            messages.success(request, f"The provider {provider.name} is known. Let a role trust it next.")
            return redirect("federation:get-saml-provider", provider.name)
    return render(request, "federation/create_saml_provider.html", {"form": form, "sp": _ours()})


@requires("iam:GetSAMLProvider", "saml_provider", also=("iam:TagSAMLProvider", "iam:UntagSAMLProvider", LIST_ROLES))
@require_safe
def get_saml_provider(request: ConsoleRequest, saml_provider: SAMLProvider) -> HttpResponse:
    return _page(request, saml_provider)


def _page(request: ConsoleRequest, provider: SAMLProvider, tag_form: TagForm | None = None) -> HttpResponse:
    now = clock.now()
    context = {
        **facts(request, provider, KIND, tag_form),
        "keys": [signing_key(base64.b64decode(text)) for text in provider.certificates],
        "private_keys": provider.private_keys.order_by("created_at"),
        "now": now,
        "soon": now + WARNED,
        "sp": _ours(),
    }
    return render(request, "federation/get_saml_provider.html", context)


def _ours() -> dict[str, str]:
    return {"entity_id": sp.entity_id(), "acs_url": sp.acs_url(), "site": settings.SITE_URL}


@requires("iam:UpdateSAMLProvider", "saml_provider")
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def update_saml_provider(request: ConsoleRequest, saml_provider: SAMLProvider) -> HttpResponse:
    form = _form(request, saml_provider)
    if form.is_valid():
        try:
            _change(request, saml_provider, form.cleaned_data)
        except ServiceError as error:
            put_on(form, error)
        else:
            messages.success(request, f"The provider {saml_provider.name} is changed.")
            return redirect("federation:get-saml-provider", saml_provider.name)
    return render(request, "federation/update_saml_provider.html", {"form": form, "provider": saml_provider})


def _form(request: ConsoleRequest, provider: SAMLProvider) -> SAMLProviderForm:
    key_ids = list(provider.private_keys.order_by("created_at").values_list("key_id", flat=True))
    if request.method == "POST":
        return SAMLProviderForm(request.POST, key_ids=key_ids)
    present = {
        "encryption_mode": provider.encryption_mode,
        "enabled": provider.disabled_at is None,
        "starts_sign_in": provider.starts_sign_in,
    }
    return SAMLProviderForm(initial=present, key_ids=key_ids)


def _change(request: ConsoleRequest, provider: SAMLProvider, wanted: dict[str, Any]) -> None:
    """Each only where something changes, so that the trail says what did."""
    enabled, starts = wanted["enabled"], wanted["starts_sign_in"]
    if (enabled, starts) != (provider.disabled_at is None, provider.starts_sign_in):
        saml_providers.set_use(by=request.principal, provider=provider, enabled=enabled, starts_sign_in=starts)
    keys = (wanted["private_key"], wanted["remove_private_key"])
    if wanted["metadata"] or any(keys) or wanted["encryption_mode"] != provider.encryption_mode:
        saml_providers.update_saml_provider(
            by=request.principal,
            provider=provider,
            metadata=wanted["metadata"] or None,
            encryption_mode=wanted["encryption_mode"],
            add_private_key=keys[0],
            remove_private_key=keys[1],
        )


@requires("iam:DeleteSAMLProvider", "saml_provider", also=(LIST_ROLES,))
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete_saml_provider(request: ConsoleRequest, saml_provider: SAMLProvider) -> HttpResponse:
    form = TypedNameForm(request.POST if request.method == "POST" else None, name=saml_provider.name)
    if form.is_valid():
        saml_providers.delete_saml_provider(by=request.principal, provider=saml_provider)
        messages.success(request, f"The provider {saml_provider.name} is gone.")
        return redirect("federation:list-identity-providers")
    context = {
        **facts(request, saml_provider, KIND),
        "form": form,
        "name": saml_provider.name,
        "back": "federation:get-saml-provider",
        "private_keys": saml_provider.private_keys.count(),
    }
    return render(request, "federation/delete_provider.html", context)


# The address word comes to these two as it is (`creates`): see `accounts.tag_pages`.
@requires("iam:TagSAMLProvider", creates=True, also=("iam:GetSAMLProvider",))
@require_POST
def tag_saml_provider(request: ConsoleRequest, provider_name: str) -> HttpResponse:
    def page(provider: SAMLProvider, form: TagForm) -> HttpResponse:
        require(request, "iam:GetSAMLProvider", provider, provider.arn)
        return _page(request, provider, form)

    return tag_pages.tag(
        request,
        permitted=lambda keys: _permitted(request, "iam:TagSAMLProvider", provider_name, keys),
        put=lambda provider, tags: saml_providers.tag_saml_provider(by=request.principal, provider=provider, tags=tags),
        back=_page_of,
        page=page,
    )


@requires("iam:UntagSAMLProvider", creates=True)
@require_POST
def untag_saml_provider(request: ConsoleRequest, provider_name: str) -> HttpResponse:
    return tag_pages.untag(
        request,
        permitted=lambda keys: _permitted(request, "iam:UntagSAMLProvider", provider_name, keys),
        drop=lambda provider, keys: saml_providers.untag_saml_provider(
            by=request.principal, provider=provider, keys=keys
        ),
        back=_page_of,
    )


def _page_of(provider: SAMLProvider) -> str:
    return reverse("federation:get-saml-provider", args=[provider.name])


def _permitted(request: ConsoleRequest, action: str, name: str, keys: Mapping[str, Any]) -> SAMLProvider:
    arn = saml_provider_arn(request.principal.account_id, name)
    return permitted(request, action, SAMLProvider.objects.filter(name=name), arn, keys)
