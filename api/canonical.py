"""The canonical form of a request in AWS Signature Version 4: one text that client and server must agree on. Pure."""

import hashlib
from posixpath import normpath
from urllib.parse import quote, unquote_to_bytes

from api.wire import WireRequest

_UNRESERVED = "-_.~"


def query_pairs(query: bytes) -> list[tuple[bytes, bytes]]:
    """Names and values of a raw query string, decoded as forms are ('+' is a space)."""
    pairs = [pair for pair in _raw_pairs(query) if pair != (b"", b"")]
    is_plain = b"%" not in query and b"+" not in query
    return pairs if is_plain else [(_decode(name), _decode(value)) for name, value in pairs]


def _raw_pairs(query: bytes) -> list[tuple[bytes, bytes]]:
    if not query:
        return []
    return [(name, value) for name, _, value in (part.partition(b"=") for part in query.split(b"&"))]


def _decode(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))


def canonical_path(path: bytes) -> str:
    """The sent path without dot segments and double slashes, encoded once more, as every service but S3 signs it."""
    if path == b"/":
        return "/"
    plain = normpath(b"/" + path.lstrip(b"/"))
    trailing = b"/" if path.endswith(b"/") and plain != b"/" else b""
    return quote(plain + trailing, safe="/~")


def canonical_query_string(query: bytes) -> str:
    """The pairs as they were sent, in order of name and value: what SDKs sign, since they send what they signed."""
    pairs = sorted(pair for pair in _raw_pairs(query) if pair[0] != b"X-Amz-Signature")
    return "&".join(f"{name.decode('latin-1')}={value.decode('latin-1')}" for name, value in pairs)


def reencoded_query_string(query: bytes) -> str:
    """The pairs decoded and encoded anew as the specification says: what curl signs when it sends '+' or ':' bare."""
    encoded = [(_encode(name), _encode(value)) for name, value in query_pairs(query) if name != b"X-Amz-Signature"]
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def _encode(text: bytes) -> str:
    return quote(text, safe=_UNRESERVED)


def canonical_headers(request: WireRequest, names: tuple[str, ...]) -> bytes:
    """One line per signed header: values trimmed, runs of white space made one space, repetitions joined."""
    lines = []
    for name in names:
        values = (b" ".join(value.encode("latin-1").split()) for value in request.header_values(name))
        lines.append(name.encode() + b":" + b",".join(values) + b"\n")
    return b"".join(lines)


def payload_hash(request: WireRequest) -> str:
    return request.body_hash or hashlib.sha256(request.body).hexdigest()


def canonical_request(request: WireRequest, signed_headers: tuple[str, ...], query_string: str) -> bytes:
    """What was signed, rebuilt from only those headers that the client says it signed."""
    return b"\n".join(
        (
            request.method.encode("latin-1"),
            canonical_path(request.path).encode(),
            query_string.encode("latin-1"),
            canonical_headers(request, signed_headers),
            ";".join(signed_headers).encode(),
            payload_hash(request).encode(),
        )
    )


def canonical_requests(request: WireRequest, signed_headers: tuple[str, ...]) -> list[bytes]:
    """As sent, and as re-encoded where that differs. Both decode to the same parameters, so neither can be misused."""
    query = request.query
    texts = dict.fromkeys((canonical_query_string(query), reencoded_query_string(query))) if query else ("",)
    return [canonical_request(request, signed_headers, text) for text in texts]
