"""All identity providers of the account on one page; each kind only for those who may list it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from audit import clock
from audit.actions import signed_in
from audit.http import ConsoleRequest
from federation.models import OIDCProvider, SAMLProvider
from identities.panels import Panel, panel

PAGE = 50
WARNED = timedelta(days=30)
LIST_SAML, LIST_OIDC = "iam:ListSAMLProviders", "iam:ListOpenIDConnectProviders"
KINDS = ("all", "saml", "oidc")


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    kind: str
    address: str
    about: str
    created_at: datetime
    ends_at: datetime | None = None
    is_off: bool = False

    @property
    def is_over(self) -> bool:
        return self.ends_at is not None and self.ends_at <= clock.now()

    @property
    def ends_soon(self) -> bool:
        return self.ends_at is not None and not self.is_over and self.ends_at <= clock.now() + WARNED


@signed_in("each kind of provider is listed only to those who may list it", also=(LIST_SAML, LIST_OIDC))
@require_safe
def list_identity_providers(request: ConsoleRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip()[:255]
    kind = request.GET.get("kind", "all")
    kind = kind if kind in KINDS else "all"
    panels = [panel(request.gate, LIST_SAML, "*"), panel(request.gate, LIST_OIDC, "*")]
    rows = _rows(request.principal.account_id, panels, search.lower(), kind)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "search": search,
        "kind": kind,
        "denials": [each for each in panels if not each.allowed],
    }
    template = "federation/list_identity_providers.html" + ("#rows" if request.htmx else "")
    # Somebody who may list neither is refused as on any other page.
    status = 403 if len(context["denials"]) == len(panels) else 200
    return render(request, template, context, status=status)


def _rows(account_id: str, panels: list[Panel], search: str, kind: str) -> list[Row]:
    """There are a few hundred at most (the quotas), so they are put together in memory."""
    saml, oidc = panels
    rows: list[Row] = []
    if saml.allowed and kind != "oidc":
        rows += [_of_saml(row) for row in SAMLProvider.objects.filter(account_id=account_id)]
    if oidc.allowed and kind != "saml":
        rows += [_of_oidc(row) for row in OIDCProvider.objects.filter(account_id=account_id)]
    found = [row for row in rows if search in row.name.lower() or search in row.about.lower()]
    return sorted(found, key=lambda row: (row.name.lower(), row.name))


def _of_saml(row: SAMLProvider) -> Row:
    address = reverse("federation:get-saml-provider", args=[row.name])
    is_off = row.disabled_at is not None
    return Row(row.name, "SAML", address, row.entity_id, row.created_at, row.valid_until, is_off)


def _of_oidc(row: OIDCProvider) -> Row:
    address = reverse("federation:get-open-id-connect-provider", args=[row.url])
    return Row(row.url, "OpenID Connect", address, "", row.created_at)
