"""What the server itself refuses, told as the endpoint tells everything: in XML, under one of AWS's own codes.

Nobody has read such a request, so nobody knows whether a program or a browser sent it; both can show this.
"""

import ssl
import uuid
from http import HTTPStatus

from gunicorn.http.errors import (
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)

from api import errors, serialize, shapes
from api.dispatch import Reply
from api.errors import Refusal

_SAID: dict[type[Exception], tuple[int, str]] = {
    LimitRequestLine: (414, "The request line is too long."),
    LimitRequestHeaders: (431, "There are too many headers, or one of them is too long."),
    ExpectationFailed: (417, "The only expectation that can be met is 100-continue."),
    UnsupportedTransferCoding: (501, "Send the body with a Content-Length header, in no transfer coding."),
    ssl.SSLError: (400, "This is not TLS."),
    ParseException: (400, "The request is not well-formed HTTP."),
}


def refusal_for(error: Exception, request_id: str) -> Refusal:
    """Nothing of the request is repeated: an address may hold a signature."""
    said = next((said for kind, said in _SAID.items() if isinstance(error, kind)), None)
    return errors.refusal_of(*said) if said else errors.refusal_for(error, request_id)


def written(refusal: Refusal, request_id: str) -> bytes:
    """The whole answer, after which nothing more is read."""
    namespace = shapes.namespace("iam")
    body = serialize.error(refusal.code, refusal.message, request_id, namespace, ours=refusal.ours)
    headers, content = Reply(refusal.status, body, request_id).written()
    lines = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def only_tls() -> bytes:
    """For who speaks plain HTTP where TLS is spoken."""
    return written(errors.refusal_of(400, "Begin the address with https: this port speaks TLS."), str(uuid.uuid4()))
