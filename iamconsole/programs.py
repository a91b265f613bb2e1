"""Programs' calls on their way past Django, which takes as long again to make objects of a request and of its answer,
and to show them to what is there for browsers, as the endpoint takes for the call itself.

Only what is plainly a call goes this way. Whatever is unusual (a presigned address, a foreign host, a body too large,
no https where it is asked for) goes through Django as everything else does, and is answered or refused there.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware

from access.origin import origin_of
from api import dispatch
from api.wire import from_environ
from iamconsole.middleware import MAX_HEADERS

MANY_HOSTS = 100

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Addressed(HttpRequest):
    """As much of a request as tells to which host it was sent, from where, and whether over TLS."""

    def __init__(self, environ: Environ) -> None:
        self.META = environ

    def _get_scheme(self) -> str | None:
        return self.META.get("wsgi.url_scheme")


class ProgramsFirst:
    """A WSGI application in front of Django's."""

    def __init__(self, pages: Application) -> None:
        self._pages = pages
        self._known_hosts: set[str] = set()
        self._security = {secure: _security_headers(secure=secure) for secure in (False, True)}

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not is_plain_call(environ):
            return self._pages(environ, start_response)
        request = Addressed(environ)
        try:
            self._check_host(request)
            origin = origin_of(request, "api")
        except SuspiciousOperation:
            return self._pages(environ, start_response)
        if settings.SECURE_SSL_REDIRECT and not origin.secure:
            return self._pages(environ, start_response)
        close_old_connections()
        wire = from_environ(environ, environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        reply = dispatch.answer(wire, origin)
        headers, body = reply.written()
        status = HTTPStatus(reply.status)
        start_response(f"{status.value} {status.phrase}", [*headers.items(), *self._security[origin.secure]])
        return [body]

    def _check_host(self, request: Addressed) -> None:
        """Raises DisallowedHost. Almost all come under the same few names, which are looked at once."""
        host = request.META.get("HTTP_HOST", "")
        if host not in self._known_hosts:
            request.get_host()
            if len(self._known_hosts) < MANY_HOSTS:
                self._known_hosts.add(host)


def is_plain_call(environ: Environ) -> bool:
    """Signed in a header, with everything that is said in a body of a size that is read."""
    length = environ.get("CONTENT_LENGTH", "")
    return (
        environ["REQUEST_METHOD"] == "POST"
        and "HTTP_AUTHORIZATION" in environ
        and environ.get("PATH_INFO") == "/"
        and not environ.get("SCRIPT_NAME")
        and not environ.get("QUERY_STRING")
        and "HTTP_TRANSFER_ENCODING" not in environ
        and length.isascii()
        and length.isdigit()
        and int(length) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        and len(environ) <= MAX_HEADERS
    )


def _security_headers(*, secure: bool) -> list[tuple[str, str]]:
    """What Django adds to every answer, asked for once."""
    request = Addressed({"wsgi.url_scheme": "https" if secure else "http"})
    middleware = SecurityMiddleware(lambda request: HttpResponse())
    answer = middleware.process_response(request, HttpResponse())
    return [(name, value) for name, value in answer.items() if name != "Content-Type"]
