"""What others fetch to get to know this console: as a SAML service provider, and as an issuer of tokens."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from audit.actions import public
from federation import sp
from federation.models import TokenIssuer
from federation.services import outbound

# Verifiers may keep keys for so long; a retired key is published for longer.
_KEPT = "public, max-age=300"


@require_safe
@public("identity providers load it; it names nothing but addresses of this console")
def saml_metadata(request: HttpRequest) -> HttpResponse:
    headers = {"Content-Disposition": 'attachment; filename="saml-metadata.xml"', "Cache-Control": _KEPT}
    return HttpResponse(sp.metadata(), content_type="application/samlmetadata+xml", headers=headers)


@require_safe
@public("services elsewhere verify our tokens with it; the address is random and names no account")
def token_configuration(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return JsonResponse(outbound.discovery_document(_issuer(public_id)), headers={"Cache-Control": _KEPT})


@require_safe
@public("services elsewhere verify our tokens with it; these are public keys")
def token_keys(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return JsonResponse({"keys": outbound.published_keys(_issuer(public_id))}, headers={"Cache-Control": _KEPT})


def _issuer(public_id: uuid.UUID) -> TokenIssuer:
    """Also of an issuer that is switched off: tokens that it made before are good until they end."""
    issuer = TokenIssuer.objects.filter(public_id=public_id).first()
    if issuer is None:
        raise Http404("There is no such issuer.")
    return issuer
