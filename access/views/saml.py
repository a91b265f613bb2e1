"""Coming into the console from a company's own sign-in (SAML 2.0 Web Browser SSO)."""

import secrets

from django.http import HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from access import cookies, saml_sign_in, sessions
from access.guard import safe_next
from access.http import AccessRequest
from access.saml_sign_in import Choice
from audit.actions import public
from audit.errors import ServiceError
from federation.models import SAMLProvider
from federation.saml.response import LONGEST

_LONGEST_RELAY_STATE = 2000


@public("nobody is signed in yet: from here a browser is sent to its company's sign-in")
@never_cache
@require_safe
def saml_start(request: AccessRequest, account: str, provider_name: str) -> HttpResponse:
    rows = SAMLProvider.objects.filter(account_id=account, name=provider_name, disabled_at=None)
    provider = rows.exclude(single_sign_on_url="").first()
    if provider is None:
        return _refused(request, "There is no sign-in at this address. Ask whoever gave it to you.", status=404)
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
        return _refused(request, "The response is missing or too long.")
    context = {"response": response, "relay_state": request.POST.get("RelayState", "")[:_LONGEST_RELAY_STATE]}
    return render(request, "access/saml_continue.html", context)


@public("nobody is signed in yet: a response is looked at, and opens a role or a choice of roles")
@never_cache
@require_POST
def saml_sign_in_with(request: AccessRequest) -> HttpResponse:
    asked = saml_sign_in.asked_in(cookies.read(request, cookies.SAML_ASKED))
    try:
        choices = saml_sign_in.choices_of(request.POST.get("SAMLResponse", ""), asked, request.origin)
    except ServiceError as error:
        return _refused(request, error.message)
    next_url = asked.next_url if asked else safe_next(request.POST.get("RelayState", ""))
    if len(choices) == 1:
        return _enter(request, choices[0], next_url)
    browser = secrets.token_urlsafe(24)
    sealed = saml_sign_in.sealed(choices, browser)
    response = render(request, "access/saml_choose.html", {"choices": choices, "sealed": sealed, "next": next_url})
    cookies.write(response, cookies.SAML_CHOOSING, browser, lifetime=saml_sign_in.CHOOSE_WITHIN)
    cookies.forget(response, cookies.SAML_ASKED)
    return response


@public("nobody is signed in yet: of several roles one is chosen")
@never_cache
@require_POST
def saml_choose(request: AccessRequest) -> HttpResponse:
    browser = cookies.read(request, cookies.SAML_CHOOSING)
    sealed, role_arn = request.POST.get("choices", ""), request.POST.get("role", "")
    try:
        choice = saml_sign_in.chosen(sealed, browser, role_arn)
    except ServiceError as error:
        return _refused(request, error.message)
    return _enter(request, choice, safe_next(request.POST.get("next", "")))


def _enter(request: AccessRequest, choice: Choice, next_url: str) -> HttpResponse:
    """Whoever was signed in with this browser is signed out by it."""
    try:
        opened = saml_sign_in.enter(choice, request.origin)
    except ServiceError as error:
        return _refused(request, error.message)
    if request.console_session is not None:
        sessions.end_session(request.console_session)
    # A form that was opened as somebody else, or as nobody, is worth nothing from here on.
    rotate_token(request)
    response = redirect(safe_next(next_url))
    cookies.write_session(response, opened.token, is_root=False)
    for each in (cookies.SAML_ASKED, cookies.SAML_CHOOSING, cookies.ATTEMPT):
        cookies.forget(response, each)
    return response


def _refused(request: AccessRequest, message: str, *, status: int = 403) -> HttpResponse:
    response = render(request, "access/saml_refused.html", {"message": message}, status=status)
    for each in (cookies.SAML_ASKED, cookies.SAML_CHOOSING):
        cookies.forget(response, each)
    return response
