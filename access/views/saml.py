"""Coming into the console from a company's own sign-in (SAML 2.0 Web Browser SSO)."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from access import cookies, saml_sign_in
from access.guard import safe_next
from access.http import AccessRequest
from access.views.federated import choose_or_enter, refused
from audit.actions import public
from audit.errors import ServiceError
from federation.models import SAMLProvider
from federation.saml.response import LONGEST
from federation.start_paths import SAML, is_marked

_LONGEST_RELAY_STATE = 2000


@public("nobody is signed in yet: from here a browser is sent to its company's sign-in")
@never_cache
@require_safe
def saml_start(request: AccessRequest, account: str, mark: str, provider_name: str) -> HttpResponse:
    provider = None
    if is_marked(mark, SAML, account, provider_name):
        rows = SAMLProvider.objects.filter(account_id=account, name=provider_name, disabled_at=None)
        provider = rows.exclude(single_sign_on_url="").first()
    if provider is None:
        return refused(request, "There is no sign-in at this address. Ask whoever gave it to you.", status=404)
    address, sealed = saml_sign_in.begin(provider, safe_next(request.GET.get("next", "")))
    response = redirect(address)
    cookies.write(response, cookies.SAML_ASKED, sealed, lifetime=saml_sign_in.ASKED_FOR)
    return response


@csrf_exempt  # Another site's form comes here, without our cookies; nothing is done before our own form is sent.
@public("a company's sign-in sends its people here; the next page asks them to go on")
@never_cache
@require_POST
def saml(request: AccessRequest) -> HttpResponse:
    """The reply address. The browser sends no cookie of ours along with another site's form, so that who is signed in
    here, and what was asked for, can be known only at the next step, which is a form of our own."""
    response = request.POST.get("SAMLResponse", "")
    if not 4 <= len(response) <= LONGEST:
        return refused(request, "The response is missing or too long.")
    context = {"response": response, "relay_state": request.POST.get("RelayState", "")[:_LONGEST_RELAY_STATE]}
    return render(request, "access/saml_continue.html", context)


@public("nobody is signed in yet: a response is looked at, and opens a role or a choice of roles")
@never_cache
@require_POST
def saml_sign_in_with(request: AccessRequest) -> HttpResponse:
    asked = saml_sign_in.open_request(cookies.read(request, cookies.SAML_ASKED))
    try:
        choices = saml_sign_in.choices_of(request.POST.get("SAMLResponse", ""), asked, request.origin)
    except ServiceError as error:
        return refused(request, error.message)
    next_url = asked.next_url if asked else safe_next(request.POST.get("RelayState", ""))
    return choose_or_enter(request, choices, next_url)
