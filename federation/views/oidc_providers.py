from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import tag_pages
from accounts.confirming import TypedNameForm
from accounts.tag_pages import TagForm
from audit.actions import recently_signed_in, requires
from audit.errors import ServiceError
from audit.http import ConsoleRequest
from federation.forms import (
    ClientIdForm,
    ConsoleSignInForm,
    NewOIDCProviderForm,
    ThumbprintsForm,
)
from federation.models import OIDCProvider, oidc_provider_arn
from federation.oidc_client import redirect_uri
from federation.services import oidc_providers, oidc_sign_in
from federation.views.parts import LIST_ROLES, facts, permitted, put_on, require

KIND = "OpenIDConnectProvider"
PAGE = "federation:get-open-id-connect-provider"
ADD, REMOVE = "iam:AddClientIDToOpenIDConnectProvider", "iam:RemoveClientIDFromOpenIDConnectProvider"
THUMBPRINT = "iam:UpdateOpenIDConnectProviderThumbprint"
# AWS has no action for console sign-in: whoever may make the provider says what it is good for.
SIGN_IN = "iam:CreateOpenIDConnectProvider"


@requires("iam:CreateOpenIDConnectProvider", creates=True)
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def create_open_id_connect_provider(request: ConsoleRequest) -> HttpResponse:
    form = NewOIDCProviderForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        data = form.cleaned_data
        arn = oidc_provider_arn(request.principal.account_id, data["url"].partition("://")[2])
        request.gate.require("iam:CreateOpenIDConnectProvider", arn)
        try:
            provider = oidc_providers.create_oidc_provider(by=request.principal, **data)
        except ServiceError as error:
            put_on(form, error)
        else:
            messages.success(request, f"The provider {provider.url} is known. Let a role trust it next.")
            return redirect(PAGE, provider.url)
    return render(request, "federation/create_open_id_connect_provider.html", {"form": form})


_PARTS = (
    ADD,
    REMOVE,
    THUMBPRINT,
    SIGN_IN,
    "iam:TagOpenIDConnectProvider",
    "iam:UntagOpenIDConnectProvider",
    LIST_ROLES,
)


@requires("iam:GetOpenIDConnectProvider", "oidc_provider", also=_PARTS)
@require_safe
def get_open_id_connect_provider(request: ConsoleRequest, oidc_provider: OIDCProvider) -> HttpResponse:
    return _page(request, oidc_provider)


def _page(
    request: ConsoleRequest,
    provider: OIDCProvider,
    *,
    tag_form: TagForm | None = None,
    client_form: forms.Form | None = None,
    thumbprint_form: forms.Form | None = None,
    sign_in_form: forms.Form | None = None,
) -> HttpResponse:
    context = {
        **facts(request, provider, KIND, tag_form),
        **_sign_in_facts(provider, sign_in_form),
        "client_ids": _client_ids(provider),
        "client_form": client_form or ClientIdForm(),
        "client_limit": oidc_providers.CLIENT_IDS,
        "thumbprint_form": thumbprint_form or ThumbprintsForm(initial={"thumbprints": "\n".join(provider.thumbprints)}),
        "may_add": request.gate.might(ADD),
        "may_remove": request.gate.might(REMOVE),
        "may_update": request.gate.might(THUMBPRINT),
        "may_set_sign_in": request.gate.might(SIGN_IN),
    }
    return render(request, "federation/get_open_id_connect_provider.html", context)


def _client_ids(provider: OIDCProvider) -> list[str]:
    return sorted(provider.client_ids.values_list("client_id", flat=True))


def _sign_in_facts(provider: OIDCProvider, form: forms.Form | None) -> dict[str, Any]:
    row = oidc_sign_in.sign_in_of(provider)
    present = {"scopes": oidc_sign_in.USUAL_SCOPES, "enabled": True}
    if row is not None:
        present = {"client": row.client_id, "scopes": row.scopes}
        present |= {"enabled": row.is_enabled, "listed": row.is_listed}
    return {
        "sign_in": row,
        "sign_in_form": form or ConsoleSignInForm(initial=present, client_ids=_client_ids(provider)),
        "redirect_uri": redirect_uri(provider),
        "start": f"{settings.SITE_URL}{provider.start_path}",
    }


@requires(SIGN_IN, "oidc_provider", also=("iam:GetOpenIDConnectProvider",))
@recently_signed_in
@require_POST
def set_console_sign_in(request: ConsoleRequest, oidc_provider: OIDCProvider) -> HttpResponse:
    form = ConsoleSignInForm(request.POST, client_ids=_client_ids(oidc_provider))
    if form.is_valid():
        data = form.cleaned_data
        try:
            row = oidc_sign_in.set_sign_in(
                by=request.principal,
                provider=oidc_provider,
                client_id=data["client"],
                secret="" if data["no_secret"] else data["secret"] or None,
                scopes=data["scopes"],
                enabled=data["enabled"],
                listed=data["listed"],
            )
        except ServiceError as error:
            put_on(form, error)
        else:
            said = "can now sign in to the console" if row.is_enabled else "can't sign in to the console"
            messages.success(request, f"People of this provider {said}.")
            return redirect(PAGE, oidc_provider.url)
    require(request, "iam:GetOpenIDConnectProvider", oidc_provider, oidc_provider.arn)
    return _page(request, oidc_provider, sign_in_form=form)


@requires(ADD, "oidc_provider", also=("iam:GetOpenIDConnectProvider",))
@recently_signed_in
@require_POST
def add_client_id(request: ConsoleRequest, oidc_provider: OIDCProvider) -> HttpResponse:
    form = ClientIdForm(request.POST)
    if form.is_valid():
        try:
            client_id = form.cleaned_data["client_id"]
            oidc_providers.add_client_id(by=request.principal, provider=oidc_provider, client_id=client_id)
        except ServiceError as error:
            put_on(form, error)
        else:
            return redirect(PAGE, oidc_provider.url)
    require(request, "iam:GetOpenIDConnectProvider", oidc_provider, oidc_provider.arn)
    return _page(request, oidc_provider, client_form=form)


@requires(REMOVE, "oidc_provider")
@recently_signed_in
@require_POST
def remove_client_id(request: ConsoleRequest, oidc_provider: OIDCProvider) -> HttpResponse:
    form = ClientIdForm(request.POST)
    if form.is_valid():
        client_id = form.cleaned_data["client_id"]
        oidc_providers.remove_client_id(by=request.principal, provider=oidc_provider, client_id=client_id)
        messages.success(request, f"Tokens made for {client_id} are not accepted any more.")
    return redirect(PAGE, oidc_provider.url)


@requires(THUMBPRINT, "oidc_provider", also=("iam:GetOpenIDConnectProvider",))
@recently_signed_in
@require_POST
def update_thumbprints(request: ConsoleRequest, oidc_provider: OIDCProvider) -> HttpResponse:
    form = ThumbprintsForm(request.POST)
    if form.is_valid():
        try:
            prints = form.cleaned_data["thumbprints"]
            oidc_providers.update_thumbprints(by=request.principal, provider=oidc_provider, thumbprints=prints)
        except ServiceError as error:
            put_on(form, error)
        else:
            return redirect(PAGE, oidc_provider.url)
    require(request, "iam:GetOpenIDConnectProvider", oidc_provider, oidc_provider.arn)
    return _page(request, oidc_provider, thumbprint_form=form)


@requires("iam:DeleteOpenIDConnectProvider", "oidc_provider", also=(LIST_ROLES,))
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete_open_id_connect_provider(request: ConsoleRequest, oidc_provider: OIDCProvider) -> HttpResponse:
    form = TypedNameForm(request.POST if request.method == "POST" else None, name=oidc_provider.url)
    if form.is_valid():
        oidc_providers.delete_oidc_provider(by=request.principal, provider=oidc_provider)
        messages.success(request, f"The provider {oidc_provider.url} is gone.")
        return redirect("federation:list-identity-providers")
    context = {
        **facts(request, oidc_provider, KIND),
        "form": form,
        "name": oidc_provider.url,
        "back": PAGE,
        "client_ids": oidc_provider.client_ids.count(),
    }
    return render(request, "federation/delete_provider.html", context)


# The address word comes to these two as it is (`creates`): see `accounts.tag_pages`.
@requires("iam:TagOpenIDConnectProvider", creates=True, also=("iam:GetOpenIDConnectProvider",))
@require_POST
def tag_open_id_connect_provider(request: ConsoleRequest, provider_url: str) -> HttpResponse:
    def page(provider: OIDCProvider, form: TagForm) -> HttpResponse:
        require(request, "iam:GetOpenIDConnectProvider", provider, provider.arn)
        return _page(request, provider, tag_form=form)

    return tag_pages.tag(
        request,
        permitted=lambda keys: _permitted(request, "iam:TagOpenIDConnectProvider", provider_url, keys),
        put=lambda provider, tags: oidc_providers.tag_oidc_provider(by=request.principal, provider=provider, tags=tags),
        back=_page_of,
        page=page,
    )


@requires("iam:UntagOpenIDConnectProvider", creates=True)
@require_POST
def untag_open_id_connect_provider(request: ConsoleRequest, provider_url: str) -> HttpResponse:
    return tag_pages.untag(
        request,
        permitted=lambda keys: _permitted(request, "iam:UntagOpenIDConnectProvider", provider_url, keys),
        drop=lambda provider, keys: oidc_providers.untag_oidc_provider(
            by=request.principal, provider=provider, keys=keys
        ),
        back=_page_of,
    )


def _page_of(provider: OIDCProvider) -> str:
    return reverse(PAGE, args=[provider.url])


def _permitted(request: ConsoleRequest, action: str, url: str, keys: Mapping[str, Any]) -> OIDCProvider:
    arn = oidc_provider_arn(request.principal.account_id, url)
    return permitted(request, action, OIDCProvider.objects.filter(url=url), arn, keys)
