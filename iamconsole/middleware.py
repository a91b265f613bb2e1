"""What is refused before anything looks at a request: sizes, and writes that come from another site."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve

from api.views import endpoint, is_program, refuse

MAX_HEADERS = 100
# A little less than the longest request line that the server reads, so that this page is what people see.
MAX_ADDRESS = 8000
NO_TEXT = ("That is no text", "The request holds a zero byte, which no name and no text has.")
SERVICES = "/authorize"
# Companies' sign-ins and brokers send forms here. As POST these read no cookie and sign nobody in.
FROM_OUTSIDE = ("/saml", "/federation")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")

Handler = Callable[[HttpRequest], HttpResponse]


def limits(get_response: Handler) -> Handler:
    """Body, address and number of headers are capped by what the client announces, before a byte is read."""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdigit()) or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return plain_page(request, 413, "That was too much", "The request's body is larger than 1 MiB.")
        if "HTTP_TRANSFER_ENCODING" in request.META and "CONTENT_LENGTH" not in request.META:
            return plain_page(request, 411, "Length missing", "Send the body with a Content-Length header.")
        if len(request.get_full_path()) > MAX_ADDRESS:
            return plain_page(request, 414, "That address is too long", "Shorten what is asked for.")
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return plain_page(request, 400, *NO_TEXT)
        if sum(name.startswith("HTTP_") for name in request.META) > MAX_HEADERS:
            return plain_page(request, 431, "Too many headers", f"At most {MAX_HEADERS} headers are read.")
        response = get_response(request)
        if response.status_code == 405 and not response.content:
            return plain_page(request, 405, "This address takes no visits", "Use the button on the page it belongs to.")
        return response

    return middleware


def programs(get_response: Handler) -> Handler:
    """A program's call goes straight to the endpoint. What is passed over is for browsers: cookies, CSRF, content
    policy, sessions; a call carries none of them, and its signature covers the host that is looked at here."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(SERVICES):
            return _of_service(request)
        if not is_program(request):
            return get_response(request)
        request.get_host()  # raises DisallowedHost
        return endpoint(request)

    return middleware


def _of_service(request: HttpRequest) -> HttpResponse:
    """A question of somebody's own service or its proxy. Envoy asks under the host that its client named, so none is
    looked for here: no answer depends on it, and no link is made from it."""
    try:
        view, words, named = resolve(request.path_info)
    except Resolver404:
        return plain_page(request, 404, "There is nothing here", "Services ask at /authorize.")
    response: HttpResponse = view(request, *words, **named)
    return response


def same_origin(get_response: Handler) -> Handler:
    """A write must come from this site: Sec-Fetch-Site says so, or else Origin, beside Django's CSRF token.

    Requests signed by a program carry an Authorization header, which no other site can make a browser add.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method in SAFE_METHODS or "Authorization" in request.headers or _is_ours(request):
            return get_response(request)
        if request.path in FROM_OUTSIDE:
            return get_response(request)
        return plain_page(request, 403, "That came from another site", "Open the page here and send the form again.")

    return middleware


def plain_text(get_response: Handler) -> Handler:
    """A form holds no zero byte: PostgreSQL stores none, and could not even be asked for one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        fields = request.POST.lists() if request.method == "POST" and not is_program(request) else ()
        if any("\x00" in text for name, values in fields for text in (name, *values)):
            return plain_page(request, 400, *NO_TEXT)
        return get_response(request)

    return middleware


def _is_ours(request: HttpRequest) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == request.get_host()


def plain_page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    """A page that needs nobody to be signed in and shows nothing of the request; a program gets it as its XML."""
    if is_program(request):
        return refuse(request, status, f"{title}. {text}")
    return render(request, "plain.html", {"title": title, "text": text, "status": status}, status=status)
