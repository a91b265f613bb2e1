"""The last steps of coming in from a company's own sign-in, whichever way it speaks: the choice, and the session."""

import secrets

from django.http import HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from access import cookies, federated_sign_in, sessions
from access.federated_sign_in import Choice
from access.guard import safe_next
from access.http import AccessRequest
from audit.actions import public
from audit.errors import ServiceError

_UNDER_WAY = (cookies.SAML_ASKED, cookies.OIDC_ASKED, cookies.CHOOSING)


def choose_or_enter(request: AccessRequest, choices: list[Choice], next_url: str, *, before: str = "") -> HttpResponse:
    """One role is taken, of several one is chosen."""
    if len(choices) == 1:
        return enter(request, choices[0], next_url, before=before)
    browser = secrets.token_urlsafe(24)
    sealed = federated_sign_in.sealed(choices, browser)
    response = render(request, "access/choose_role.html", {"choices": choices, "sealed": sealed, "next": next_url})
    for each in _UNDER_WAY:
        cookies.forget(response, each)
    cookies.write(response, cookies.CHOOSING, browser, lifetime=federated_sign_in.CHOOSE_WITHIN)
    return response


@public("nobody is signed in yet: of several roles one is chosen")
@never_cache
@require_POST
def choose_role(request: AccessRequest) -> HttpResponse:
    browser = cookies.read(request, cookies.CHOOSING)
    sealed, role_arn = request.POST.get("choices", ""), request.POST.get("role", "")
    try:
        choice = federated_sign_in.chosen(sealed, browser, role_arn)
    except ServiceError as error:
        return refused(request, error.message)
    return enter(request, choice, safe_next(request.POST.get("next", "")))


def enter(request: AccessRequest, choice: Choice, next_url: str, *, before: str = "") -> HttpResponse:
    """Whoever was signed in with this browser is signed out by it; `before` is the id of the session that it had when
    it left, where its cookie can't come along."""
    try:
        opened = federated_sign_in.enter(choice, request.origin)
    except ServiceError as error:
        return refused(request, error.message)
    if request.console_session is not None:
        sessions.end_session(request.console_session)
    if before:
        sessions.end_session_of_id(before)
    # A form that was opened as somebody else, or as nobody, is worth nothing from here on.
    rotate_token(request)
    response = redirect(safe_next(next_url))
    cookies.write_session(response, opened.token, is_root=False)
    for each in (*_UNDER_WAY, cookies.ATTEMPT):
        cookies.forget(response, each)
    return response


def refused(request: AccessRequest, message: str, *, status: int = 403) -> HttpResponse:
    response = render(request, "access/federated_refused.html", {"message": message}, status=status)
    for each in _UNDER_WAY:
        cookies.forget(response, each)
    return response
