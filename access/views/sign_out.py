from django.contrib import messages
from django.http import HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from access import cookies, sessions, sign_in_attempts
from access.http import AccessRequest
from access.own_credentials import session_owner
from access.recommendations import has_administrator
from accounts.models import Account
from audit.actions import public
from audit.principal import Principal
from audit.services import record


@public("signing out must work for everybody, also when the session is over already")
@require_POST
def sign_out(request: AccessRequest) -> HttpResponse:
    session = request.console_session
    if session is not None:
        who = session_owner(request)
        sessions.end_session(session)
        record(who, "signin:ConsoleLogout", who.arn)
    # The message's cookie is signed: no link makes the sign-in page say this.
    messages.success(request, "You are signed out.")
    sign_in_attempts.give_up(cookies.read(request, cookies.ATTEMPT))
    rotate_token(request)
    response = _next_door(request.principal)
    cookies.forget(response, cookies.SESSION)
    cookies.forget(response, cookies.ATTEMPT)
    # What the browser kept of pages goes. Its storage holds nothing but the choice of light or dark.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _next_door(principal: Principal) -> HttpResponse:
    """Who goes on after root's work is done goes on as an IAM user, where there is one who can do the rest."""
    if not principal.is_root:
        return redirect("access:sign-in")
    if not has_administrator(principal.account_id):
        return redirect("access:root-sign-in")
    return redirect("access:sign-in-account", Account.objects.get(pk=principal.account_id).sign_in_name)
