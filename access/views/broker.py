"""The address for companies' own identity brokers: a sign-in token for their program, and the sign-in of a browser."""

from django.http import HttpResponse, JsonResponse, QueryDict
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from access import broker, cookies, sessions
from access.broker import Refused
from access.http import AccessRequest
from access.temporary_credentials import LONGEST_SESSION, SHORTEST_SESSION
from access.throttle import Throttled
from audit.actions import public
from audit.errors import ServiceError, ValidationError
from audit.principal import Principal

_LONGEST_SHOWN = 200


@csrf_exempt  # A POST reads no cookie and signs nobody in: it shows credentials, or leads to a form of our own.
@public("a company's broker shows temporary credentials here, and sends its people with what it got for them")
@never_cache
@require_http_methods(["GET", "POST"])
def federation(request: AccessRequest) -> HttpResponse:
    words = request.POST if request.method == "POST" else request.GET
    action = words.get("Action", "")
    if action == "getSigninToken":
        return _signin_token(request, words)
    if action == "login":
        return _login(request, words)
    return JsonResponse({"error": "Action must be getSigninToken or login."}, status=400)


def _signin_token(request: AccessRequest, words: QueryDict) -> HttpResponse:
    try:
        token = broker.signin_token(words.get("Session", ""), _seconds(words), request.origin)
    except Throttled as error:
        headers = {"Retry-After": str(error.seconds)}
        return JsonResponse({"error": error.message}, status=429, headers=headers)
    except ServiceError as error:
        return JsonResponse({"error": error.message}, status=400)
    return JsonResponse({"SigninToken": token})


def _seconds(words: QueryDict) -> int | None:
    text = words.get("SessionDuration", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise ValidationError(f"SessionDuration must be between {SHORTEST_SESSION} and {LONGEST_SESSION} seconds.")
    return int(text)


def _login(request: AccessRequest, words: QueryDict) -> HttpResponse:
    """Comes in at once where nobody is signed in, or the same person; else a page asks first."""
    try:
        who = broker.expected(words.get("SigninToken", ""), request.origin)
    except Refused:
        return _refused(request, words)
    # A form of another site's comes without our cookies: who is signed in here is known at the next step only.
    if request.method == "POST" or _would_replace(request, who):
        return _asked(request, words, who)
    if request.console_session is None and request.headers.get("Sec-Fetch-Site") == "cross-site":
        return render(request, "access/broker_coming.html", {"address": request.get_full_path(), "who": who})
    return _enter(request, words)


def _would_replace(request: AccessRequest, who: Principal) -> bool:
    return request.console_session is not None and request.principal.arn != who.arn


def _asked(request: AccessRequest, words: QueryDict, who: Principal) -> HttpResponse:
    context = {
        "who": who,
        "token": words.get("SigninToken", ""),
        "issuer": words.get("Issuer", ""),
        "shown_issuer": words.get("Issuer", "")[:_LONGEST_SHOWN],
        "destination": words.get("Destination", ""),
        "replaced": request.principal if request.console_session is not None else None,
    }
    return render(request, "access/broker_go_on.html", context)


@public("nobody has to be signed in: somebody whom a broker sent agrees to come in")
@never_cache
@require_POST
def go_on(request: AccessRequest) -> HttpResponse:
    return _enter(request, request.POST)


def _enter(request: AccessRequest, words: QueryDict) -> HttpResponse:
    """Whoever was signed in with this browser is signed out by it."""
    came_from = broker.linkable(words.get("Issuer", ""))
    try:
        opened = broker.enter(words.get("SigninToken", ""), came_from, request.origin)
    except Refused:
        return _refused(request, words)
    if request.console_session is not None:
        sessions.end_session(request.console_session)
    # A form that was opened as somebody else, or as nobody, is worth nothing from here on.
    rotate_token(request)
    response = redirect(broker.destination(words.get("Destination", "")))
    cookies.write_session(response, opened.token, is_root=False)
    cookies.forget(response, cookies.ATTEMPT)
    return response


def _refused(request: AccessRequest, words: QueryDict) -> HttpResponse:
    issuer = words.get("Issuer", "")
    context = {"link": broker.linkable(issuer), "issuer": issuer[:_LONGEST_SHOWN]}
    return render(request, "access/broker_refused.html", context, status=400)
