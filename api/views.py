"""The endpoint for programs: POST / and presigned GET /, as `AWS_ENDPOINT_URL` points SDKs to it."""

import uuid
from dataclasses import replace

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from access.origin import origin_of
from api import dispatch
from api.errors import refusal_of
from api.sigv4 import ALGORITHM
from api.wire import WireRequest, from_environ
from audit.actions import public
from audit.principal import Origin

_OF_PROGRAMS = ("application/x-www-form-urlencoded", "application/x-amz-json")


@csrf_exempt  # No cookie is read here: each call is proven by its own signature, which no other site can make.
@public("programs sign each call; the dispatcher verifies the signature and asks the gate")
def endpoint(request: HttpRequest) -> HttpResponse:
    """Programs get their answer; a browser, which only ever GETs this address, goes to the dashboard."""
    if not is_program(request):
        return HttpResponseRedirect(reverse("access:dashboard"))
    return _response(dispatch.answer(wire_request(request), _origin(request)))


def is_program(request: HttpRequest) -> bool:
    """Whether an SDK is asking, which reads errors of the Query protocol only: whatever comes here but a plain GET."""
    said = request.META.get("QUERY_STRING", "")
    asks = "X-Amz-Algorithm=" in said or "Action=" in said or "HTTP_AUTHORIZATION" in request.META
    return request.META.get("PATH_INFO", "/") == "/" and (asks or request.method not in ("GET", "HEAD"))


def is_astray(request: HttpRequest) -> bool:
    """Whether a program asks at an address that is none of its own: signed, or in the form of the Query protocol by
    somebody who does not read pages. People's forms say that they want HTML."""
    meta = request.META
    if meta.get("HTTP_AUTHORIZATION", "").startswith(ALGORITHM) or "X-Amz-Algorithm=" in meta.get("QUERY_STRING", ""):
        return True
    wants_page = "text/html" in meta.get("HTTP_ACCEPT", "") or "HTTP_HX_REQUEST" in meta
    return request.method == "POST" and not wants_page and meta.get("CONTENT_TYPE", "").startswith(_OF_PROGRAMS)


def refuse(request: HttpRequest, status: int, message: str) -> HttpResponse:
    """An error for a program whose request is refused before the endpoint sees it (too large, wrong host)."""
    wire = from_environ(request.META, b"")
    return _response(dispatch.refuse(wire, refusal_of(status, message), _request_id(request)))


def wire_request(request: HttpRequest) -> WireRequest:
    return from_environ(request.META, request.body)


def _origin(request: HttpRequest) -> Origin:
    """With the guard's request id, so that header, body and audit trail agree, if the guard has seen it."""
    origin = origin_of(request, "api")
    return replace(origin, request_id=request.origin.request_id) if hasattr(request, "origin") else origin


def _request_id(request: HttpRequest) -> str:
    """Of what is refused: before the guard it gets one of its own."""
    return str(request.origin.request_id) if hasattr(request, "origin") else str(uuid.uuid4())


def _response(reply: dispatch.Reply) -> HttpResponse:
    headers, body = reply.written()
    return HttpResponse(body, status=reply.status, headers=headers)
