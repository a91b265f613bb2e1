"""A signed request with any one byte changed is another request, and is refused."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from api import sigv4
from api.canonical import query_pairs
from api.wire import WireRequest
from tests.api.signing import SECRET, TOKEN, now, presigned, signed

UNSIGNED = {"content-length", "authorization"}


def holds(request: WireRequest) -> bool:
    try:
        sigv4.verify(sigv4.parse(request), SECRET, now())
    except sigv4.SignatureError:
        return False
    return True


def flipped(data: bytes) -> Iterator[bytes]:
    """Every single byte changed, in two ways: its lowest bit, and the bit that tells capitals from small letters."""
    for place, byte in enumerate(data):
        for bit in (0x01, 0x20):
            yield data[:place] + bytes([byte ^ bit]) + data[place + 1 :]


def shortened(data: bytes) -> Iterator[bytes]:
    for place in range(len(data)):
        yield data[:place] + data[place + 1 :]


def differs(query: bytes, original: bytes) -> bool:
    """%2f is %2F: a change of that letter is no change of what is said."""
    return query_pairs(query) != query_pairs(original)


def with_value(request: WireRequest, name: str, value: bytes) -> WireRequest:
    headers = tuple((key, value.decode("latin-1") if key == name else old) for key, old in request.headers)
    return replace(request, headers=headers)


@pytest.mark.bar(81)
@pytest.mark.parametrize("change", [flipped, shortened])
def test_it_refuses_any_changed_byte_of_method_query_and_body(change: Callable[[bytes], Iterator[bytes]]) -> None:
    request = signed("http://127.0.0.1:8000/?x=1&y=z%2B", token=TOKEN)
    assert holds(request)
    assert not any(holds(replace(request, body=data)) for data in change(request.body))
    assert not any(
        holds(replace(request, query=data)) for data in change(request.query) if differs(data, request.query)
    )
    assert not any(holds(replace(request, method=data.decode("latin-1"))) for data in change(b"POST"))


@pytest.mark.bar(81)
def test_it_refuses_any_changed_byte_of_the_path() -> None:
    request = signed("http://127.0.0.1:8000/a%20b/c")
    assert holds(request)
    assert not any(holds(replace(request, path=data)) for data in flipped(request.path))


@pytest.mark.bar(81)
@pytest.mark.parametrize("token", [None, TOKEN])
def test_it_refuses_any_changed_byte_of_a_signed_header(token: str | None) -> None:
    request = signed(token=token, headers={"X-Amz-Note": "a note"})
    assert holds(request)
    for name, value in request.headers:
        if name.lower() not in UNSIGNED:
            assert not any(holds(with_value(request, name, data)) for data in flipped(value.encode("latin-1"))), name


@pytest.mark.bar(81)
def test_it_refuses_any_changed_byte_of_the_authorization() -> None:
    request = signed(token=TOKEN)
    value = (request.header("authorization") or "").encode()
    assert holds(request)
    changed = [data for data in flipped(value) if key_id(data) == key_id(value)]
    assert not any(holds(with_value(request, "Authorization", data)) for data in changed)


def key_id(authorization: bytes) -> bytes:
    """Another key id is another key: who looks it up finds another secret or none."""
    return authorization.partition(b"Credential=")[2].partition(b"/")[0]


@pytest.mark.bar(81)
@pytest.mark.parametrize("token", [None, TOKEN])
def test_it_refuses_any_changed_byte_of_a_presigned_query(token: str | None) -> None:
    request = presigned(token=token)
    assert holds(request)
    changed = [data for data in flipped(request.query) if b"X-Amz-Credential=AKIAIOSFODNN7EXAMPLE" in data]
    assert not any(holds(replace(request, query=data)) for data in changed if differs(data, request.query))
