"""Answers in JSON, for services and machines."""

from collections.abc import Mapping

from django.http import HttpResponse, JsonResponse

from audit.principal import Origin


def reply(
    body: Mapping[str, object], origin: Origin, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    response = JsonResponse(body, status=status, headers={**(headers or {}), "Cache-Control": "no-store"})
    response.headers["x-amzn-RequestId"] = origin.request_id
    response.headers["Content-Length"] = str(len(response.content))
    return response


def refused(
    status: int, code: str, message: str, origin: Origin, *, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    error = {"Error": {"Code": code, "Message": message}, "RequestId": origin.request_id}
    return reply(error, origin, status=status, headers=headers)
