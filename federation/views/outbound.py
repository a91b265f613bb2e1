"""The account as an issuer of tokens for services elsewhere: on or off, and what those services need to know."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit import clock
from audit.actions import recently_signed_in, requires
from audit.http import ConsoleRequest
from federation.models import TokenIssuer
from federation.services import outbound

PAGE = "federation:get-outbound-web-identity-federation-info"
ENABLE, DISABLE = "iam:EnableOutboundWebIdentityFederation", "iam:DisableOutboundWebIdentityFederation"


@requires("iam:GetOutboundWebIdentityFederationInfo", also=(ENABLE, DISABLE))
@require_safe
def get_outbound_web_identity_federation_info(request: ConsoleRequest) -> HttpResponse:
    issuer = TokenIssuer.objects.filter(account_id=request.principal.account_id).first()
    context = {
        "issuer": issuer,
        "is_on": issuer is not None and issuer.is_enabled,
        "endpoint": settings.SITE_URL,
        "may_enable": request.gate.may(ENABLE, "*").allowed,
        "may_disable": request.gate.may(DISABLE, "*").allowed,
        **(_published(issuer, clock.now()) if issuer else {}),
    }
    return render(request, "federation/outbound.html", context)


def _published(issuer: TokenIssuer, now: datetime) -> dict[str, Any]:
    """`keys` are those that others find, with when a new one takes the place of each."""
    keys = [
        {"key": key, "renewed_at": None if key.retired_at else key.created_at + outbound.USED_FOR}
        for key in outbound.keys_published_at(issuer, now)
    ]
    return {
        "issuer_url": outbound.issuer_url(issuer),
        "configuration": outbound.discovery_document(issuer),
        "keys": keys,
    }


@requires(ENABLE)
@require_POST
@recently_signed_in
def enable_outbound_web_identity_federation(request: ConsoleRequest) -> HttpResponse:
    outbound.enable_outbound_web_identity_federation(by=request.principal)
    messages.success(request, "Tokens can be asked for from now on. Tell the other side the issuer URL below.")
    return redirect(PAGE)


@requires(DISABLE)
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def disable_outbound_web_identity_federation(request: ConsoleRequest) -> HttpResponse:
    if request.method == "POST":
        outbound.disable_outbound_web_identity_federation(by=request.principal)
        messages.success(request, "No new tokens are made any more.")
        return redirect(PAGE)
    return render(request, "federation/outbound_disable.html")
