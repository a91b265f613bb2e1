"""Coming into the console from an OpenID Connect provider's sign-in (authorization code with PKCE)."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from access import cookies, oidc_sign_in, throttle
from access.guard import safe_next
from access.http import AccessRequest
from access.views.federated import choose_or_enter, refused
from audit.actions import public
from audit.errors import ServiceError
from federation.start_paths import OIDC, is_marked


@public("nobody is signed in yet: from here a browser is sent to a provider's sign-in")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def oidc_start(request: AccessRequest, account: str, mark: str, provider_url: str) -> HttpResponse:
    """Only a form of our own begins: with a link alone another site could sign somebody in behind their back."""
    sign_in = oidc_sign_in.sign_in_at(account, provider_url) if is_marked(mark, OIDC, account, provider_url) else None
    if sign_in is None:
        return refused(request, "There is no sign-in at this address. Ask whoever gave it to you.", status=404)
    next_url = safe_next(request.POST.get("next") or request.GET.get("next") or "")
    context = {"provider": sign_in.provider, "next": next_url}
    if request.method != "POST":
        return render(request, "access/oidc_start.html", context)
    throttle.step_try(throttle.STEPS_FROM_ADDRESS, request.origin.address)
    session_id = str(request.console_session.pk) if request.console_session else ""
    try:
        address, sealed = oidc_sign_in.begin(sign_in, next_url, session_id)
    except ServiceError as error:
        return refused(request, error.message, status=503)
    # A redirect would be an answer to a form, which the content policy keeps on this site; so a page leads there.
    response = render(request, "access/oidc_leave.html", {**context, "address": address})
    cookies.write(response, cookies.OIDC_ASKED, sealed, lifetime=oidc_sign_in.ASKED_FOR)
    return response


@public("nobody is signed in yet: a provider's answer is looked at, and opens a role or a choice of roles")
@never_cache
@require_safe
def oidc_callback(request: AccessRequest, key: str) -> HttpResponse:
    asked = oidc_sign_in.open_request(cookies.read(request, cookies.OIDC_ASKED))
    query = request.GET
    code, error = query.get("code", ""), query.get("error", "")
    answer = oidc_sign_in.AuthorizationResponse(key, query.get("state", ""), code, error, query.get("iss"))
    try:
        choices = oidc_sign_in.choices_of(asked, answer, request.origin)
    except throttle.Throttled:
        raise
    except ServiceError as problem:
        return refused(request, problem.message)
    if asked is None:
        return refused(request, "This sign-in was not begun in this browser, or is over. Begin it again.")
    return choose_or_enter(request, choices, asked.next_url, before=asked.session_id)
