"""Finding actions by words, for the editor and the simulator."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.actions import signed_in
from audit.http import ConsoleRequest
from policies.engine.catalog import BUILT_IN, Catalog
from policies.own_services import catalog_of

FOUND = 20
LIST_SERVICES = "iamconsole:ListServices"


def catalog_for(request: ConsoleRequest) -> Catalog:
    """What the caller may know of: all that is public, and the account's own services for those who may list them."""
    allowed = request.gate.may(LIST_SERVICES, "*").allowed
    return catalog_of(request.principal.account_id) if allowed else BUILT_IN


@signed_in("the catalogue is public knowledge; the account's own services are asked for", also=(LIST_SERVICES,))
@require_safe
def search_actions(request: ConsoleRequest) -> HttpResponse:
    text = request.GET.get("find", "").strip()[:128]
    found = catalog_for(request).search_actions(text, FOUND)
    return render(request, "policies/actions_found.html", {"text": text, "found": found})
