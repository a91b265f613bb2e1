"""A request that a proxy asks about, rebuilt from what the proxy says of it.

nginx, Caddy and Traefik ask at one address and tell method, host and URI in X-Forwarded-… headers; Envoy asks with the
request's own method, host and path below a prefix. What they say is believed only with a route table's token: anybody
could send such headers. Each address reads one family of headers, or a caller could add those of the other.
"""

import ipaddress
import re
from dataclasses import replace

from api.service_questions import EMPTY_BODY
from api.wire import WireRequest

TOKEN = "x-iam-token"  # noqa: S105 # the name of a header
_METHOD = re.compile(r"[A-Z]{1,20}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,255}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?")
_HASH = re.compile(r"[0-9a-f]{64}")
# What proxies add or change on the way: no part of what the client sent.
_ADDED = ("x-forwarded-", "x-envoy-", "x-iam-")
# Without a body, as long as nobody says that there is one: it would mean nothing in these (RFC 9110, 9.3).
_BODYLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_PORT = re.compile(r":[0-9]+$")
# By these a client tells some servers and frameworks that it means another method or path than it wrote.
_OTHER_METHOD = ("x-http-method-override", "x-http-method", "x-method-override")
_OTHER_PATH = ("x-original-url", "x-rewrite-url")
_CHANGED = frozenset({"host", "content-length", "connection", "transfer-encoding"})


class Unreadable(ValueError):
    """The proxy does not say what was asked, or says it in a way that nobody should believe."""


def from_headers(request: WireRequest) -> WireRequest:
    """The request that X-Forwarded-Method, -Host and -Uri tell of. Raises Unreadable.

    nginx serves the host of the request line when one stands there, whatever the Host header says; in X-Iam-Host it
    says which one it serves."""
    method, host, uri = (_forwarded(request, f"x-forwarded-{name}") for name in ("method", "host", "uri"))
    served = request.header("x-iam-host") or ""
    if served and served.lower() != _PORT.sub("", host.lower()):
        raise Unreadable("The request names two hosts.")
    path, _, query = uri.partition("?")
    return _rebuilt(request, method, host, path.encode("latin-1"), query.encode("latin-1"))


def below_prefix(request: WireRequest, prefix: bytes) -> WireRequest:
    """The request with its own method and host, and with the path after the prefix. Raises Unreadable."""
    if not request.path.startswith(prefix + b"/"):
        raise Unreadable("The address is not below the prefix.")
    return _rebuilt(request, request.method, _forwarded(request, "host"), request.path[len(prefix) :], request.query)


def _forwarded(request: WireRequest, name: str) -> str:
    values = request.header_values(name)
    if len(values) != 1 or not values[0]:
        raise Unreadable(f"The proxy must send the header {name} once.")
    return values[0]


def _rebuilt(request: WireRequest, method: str, host: str, path: bytes, query: bytes) -> WireRequest:
    if not _METHOD.fullmatch(method) or not _HOST.fullmatch(host) or not path.startswith(b"/"):
        raise Unreadable("The proxy sent no usable method, host and path.")
    _refuse_others(request, method, host, (path + (b"?" + query if query else b"")).decode("latin-1"))
    kept = [pair for pair in request.headers if pair[0] not in _CHANGED and not pair[0].startswith(_ADDED)]
    length = request.header("x-forwarded-content-length")
    if length:
        kept.append(("content-length", length))
    headers = (("host", host), *kept)
    return replace(
        request, method=method, path=path, query=query, headers=headers, body=b"", body_hash=_hash(request, method)
    )


def _refuse_others(request: WireRequest, method: str, host: str, uri: str) -> None:
    """What is decided on must be what the service does: it may read such a header, so it must say the same."""
    same = {uri, f"http://{host}{uri}", f"https://{host}{uri}"}
    for names, allowed in ((_OTHER_METHOD, {method}), (_OTHER_PATH, same)):
        if said := [name for name in names if not allowed.issuperset(request.header_values(name))]:
            raise Unreadable(f"The header {said[0]} says something else than the request itself.")


def _hash(request: WireRequest, method: str) -> str:
    """The body is not here. What the client says of it is as good as its signature, which has to cover that header; a
    request with a body and without it can't be proven, nor one that may have a body of a length that nobody told."""
    declared = request.header("x-amz-content-sha256") or ""
    if _HASH.fullmatch(declared):
        return declared
    length = request.header("x-forwarded-content-length") or ("0" if method in _BODYLESS else "")
    return EMPTY_BODY if length == "0" else "unknown"


def client_address(request: WireRequest, proxies: int) -> str:
    """The address that the asking proxy saw: the last one in its X-Forwarded-For, before those that the console's own
    trusted proxies appended. '' when there is none, and then no condition on the address holds."""
    chain = [part.strip() for part in ",".join(request.header_values("x-forwarded-for")).split(",")]
    try:
        return str(ipaddress.ip_address(chain[-1 - proxies]))
    except (IndexError, ValueError):
        return ""
