"""Signatures against what botocore signs and against the published vectors."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api import canonical, sigv4
from api.wire import WireRequest
from tests.api.signing import KEY_ID, SECRET, TOKEN, now, presigned, signed

VECTOR_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
VECTOR_TIME = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
# (method, path, query, extra headers, body, service, signature)
VECTORS = [
    ("GET", "/", "", {}, b"", "service", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    (
        "GET",
        "/",
        "Param2=value2&Param1=value1",
        {},
        b"",
        "service",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    (
        "GET",
        "/",
        "Action=ListUsers&Version=2010-05-08",
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        b"",
        "iam",
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    ),
    (
        "POST",
        "/",
        "",
        {"Content-Type": "application/x-www-form-urlencoded"},
        b"Param1=value1",
        "service",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
]
PATHS = ["/", "/a/b", "/a%20b", "/a//b/", "/a/./b/../c", "/%E1%88%B4", "/~-_.,:;=@", "/a%2Fb", "/..", "/a/."]
QUERIES = [
    "b=2&a=1",
    "a=1&a=0&a=1",
    "a",
    "a=&b=",
    "=x",
    "a=b=c",
    "a=1&&b=2",
    "a=x+y",
    "a=%20%2B%2f",
    "a-=1&a=2&A=3",
    "q=%E2%82%AC",
    "t=a:b/c?d",
]


def proven(request: WireRequest, secret: str | None = SECRET, at: datetime | None = None) -> sigv4.Presented:
    presented = sigv4.parse(request)
    sigv4.verify(presented, secret, at or now())
    return presented


def refused(request: WireRequest, secret: str | None = SECRET, at: datetime | None = None) -> sigv4.SignatureError:
    with pytest.raises(sigv4.SignatureError) as refusal:
        proven(request, secret, at)
    return refusal.value


def with_header(request: WireRequest, name: str, value: str) -> WireRequest:
    return replace(request, headers=(*request.headers, (name, value)))


def without_header(request: WireRequest, name: str) -> WireRequest:
    return replace(request, headers=tuple(pair for pair in request.headers if pair[0].lower() != name))


def with_authorization(request: WireRequest, old: str, new: str) -> WireRequest:
    authorization = request.header("authorization") or ""
    assert old in authorization
    return with_header(without_header(request, "authorization"), "Authorization", authorization.replace(old, new))


@pytest.mark.bar(81)
@pytest.mark.parametrize(("method", "path", "query", "extra", "body", "service", "expected"), VECTORS)
def test_it_agrees_with_the_published_vectors(
    method: str, path: str, query: str, extra: dict[str, str], body: bytes, service: str, expected: str
) -> None:
    host = "iam.amazonaws.com" if service == "iam" else "example.amazonaws.com"
    headers = {**extra, "Host": host, "X-Amz-Date": "20150830T123600Z"}
    names = ";".join(sorted(name.lower() for name in headers))
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{service}/aws4_request, "
        f"SignedHeaders={names}, Signature={expected}"
    )
    request = WireRequest(method, path.encode(), query.encode(), tuple(headers.items()), body)
    sigv4.verify(sigv4.parse(request, {service}), VECTOR_SECRET, VECTOR_TIME)


def test_it_reads_who_is_calling() -> None:
    presented = proven(signed(token=TOKEN, region="eu-central-1", service="iam"))
    assert presented.access_key_id == KEY_ID
    assert presented.session_token == TOKEN
    assert str(presented.scope).endswith("/eu-central-1/iam/aws4_request")


@pytest.mark.parametrize("path", PATHS)
def test_it_agrees_with_botocore_on_awkward_paths(path: str) -> None:
    proven(signed(f"http://127.0.0.1:8000{path}"))


@pytest.mark.parametrize("query", QUERIES)
def test_it_agrees_with_botocore_on_awkward_queries(query: str) -> None:
    proven(signed(f"http://127.0.0.1:8000/?{query}"))


@pytest.mark.parametrize("value", ["  both  ends ", "a   b    c", "tab\there", "comma, and = sign", ""])
def test_it_agrees_with_botocore_on_spaces_in_headers(value: str) -> None:
    proven(signed(headers={"X-Amz-Meta": value, "X-Other": value}))


@pytest.mark.parametrize("body", [b"", b"Action=GetUser", b"\x00\xff\r\n", "a=ü".encode()])
def test_it_agrees_with_botocore_on_bodies(body: bytes) -> None:
    proven(signed(body=body))


def test_it_joins_repeated_headers_as_they_are_signed() -> None:
    request = signed(headers={"X-Note": "one,two"})
    split = with_header(with_header(without_header(request, "x-note"), "X-Note", "one"), "x-note", " two ")
    proven(split)


def test_it_accepts_a_date_header_in_place_of_x_amz_date() -> None:
    request = signed(headers={"Date": "Tue, 24 Nov 2026 00:00:00 GMT"})
    assert request.header("x-amz-date") is None
    proven(request)


@pytest.mark.parametrize("token", [None, TOKEN])
def test_it_accepts_presigned_requests(token: str | None) -> None:
    presented = proven(presigned(token=token))
    assert (presented.expires, presented.session_token) == (60, token)


@pytest.mark.parametrize("query", ["a=x y&b=%2B", "a=&b", "Action=GetCallerIdentity&q=€/:"])
def test_it_agrees_with_botocore_on_presigned_queries(query: str) -> None:
    proven(presigned(f"http://127.0.0.1:8000/?{query}"))


def test_it_accepts_a_query_sent_bare_and_signed_encoded() -> None:
    request = signed("http://127.0.0.1:8000/?a=x%20y&b=c%3Ad")
    proven(replace(request, query=b"a=x+y&b=c:d"))


def test_a_plus_sign_and_an_encoded_plus_sign_are_not_the_same() -> None:
    request = signed("http://127.0.0.1:8000/?a=x%2By")
    assert refused(replace(request, query=b"a=x+y")).code == "SignatureDoesNotMatch"


@pytest.mark.bar(81)
def test_it_wants_a_signature() -> None:
    unsigned = without_header(signed(), "authorization")
    assert refused(unsigned).code == "MissingAuthenticationToken"


@pytest.mark.bar(81)
@pytest.mark.parametrize(
    "scheme", ["AWS4-HMAC-SHA1", "AWS4-ECDSA-P256-SHA256", "AWS", "Bearer", "aws4-hmac-sha256", ""]
)
def test_it_knows_one_algorithm_only(scheme: str) -> None:
    assert refused(with_authorization(signed(), "AWS4-HMAC-SHA256", scheme)).code == "IncompleteSignature"
    query = presigned().query.replace(b"AWS4-HMAC-SHA256", scheme.encode())
    assert refused(replace(presigned(), query=query)).code == "IncompleteSignature"


@pytest.mark.bar(81)
@pytest.mark.parametrize("name", ["Authorization", "Host", "X-Amz-Date", "Content-Type", "X-Amz-Security-Token"])
def test_it_refuses_a_header_sent_twice(name: str) -> None:
    request = signed(token=TOKEN)
    again = with_header(request, name.upper(), request.header(name.lower()) or "")
    assert refused(again).code == "IncompleteSignature"


@pytest.mark.bar(81)
@pytest.mark.parametrize("name", ["X-Amz-Date", "X-Amz-Expires", "x-amz-credential", "X-Amz-Signature"])
def test_it_refuses_a_presigned_parameter_sent_twice(name: str) -> None:
    request = presigned()
    assert refused(replace(request, query=request.query + f"&{name}=1".encode())).code == "IncompleteSignature"


@pytest.mark.bar(81)
def test_it_refuses_two_signatures_in_one_request() -> None:
    both = replace(presigned(), headers=signed().headers)
    assert refused(both).code == "IncompleteSignature"


@pytest.mark.bar(81)
@pytest.mark.parametrize("part", ["Credential", "SignedHeaders", "Signature"])
def test_it_wants_every_part_of_the_authorization(part: str) -> None:
    assert refused(with_authorization(signed(), f"{part}=", "Other=")).code == "IncompleteSignature"


@pytest.mark.bar(81)
def test_it_refuses_an_unsigned_x_amz_header() -> None:
    smuggled = with_header(signed(), "X-Amz-Security-Token", TOKEN)
    assert refused(smuggled).code == "SignatureDoesNotMatch"


@pytest.mark.bar(81)
@pytest.mark.parametrize("name", ["host;", "x-amz-date"])
def test_it_wants_host_and_date_signed(name: str) -> None:
    fewer = with_authorization(signed(), f"{name}" if name == "host;" else f";{name}", "")
    assert refused(fewer).code == "SignatureDoesNotMatch"


@pytest.mark.bar(81)
@pytest.mark.parametrize("names", ["host;host", "x-amz-date;host", "Host;x-amz-date", "host; x-amz-date", ""])
def test_it_wants_signed_headers_in_order_and_once(names: str) -> None:
    odd = with_authorization(signed(), "content-type;host;x-amz-date", names)
    assert refused(odd).code == "IncompleteSignature"


@pytest.mark.bar(81)
def test_it_refuses_a_signed_header_that_was_not_sent() -> None:
    assert refused(without_header(signed(), "content-type")).code == "SignatureDoesNotMatch"


@pytest.mark.bar(81)
@pytest.mark.parametrize("service", ["s3", "ec2", "sts ", ""])
def test_it_refuses_another_services_scope(service: str) -> None:
    refusal = refused(with_authorization(signed(), "/sts/", f"/{service}/"))
    assert refusal.code in ("SignatureDoesNotMatch", "IncompleteSignature")


@pytest.mark.bar(81)
def test_it_refuses_a_scope_of_another_day() -> None:
    day = now().strftime("%Y%m%d")
    refusal = refused(with_authorization(signed(), f"/{day}/", "/20200101/"))
    assert refusal.message.startswith("Date in Credential scope does not match")


@pytest.mark.bar(81)
def test_it_refuses_another_terminator() -> None:
    assert refused(with_authorization(signed(), "aws4_request", "aws4_requesT")).code == "SignatureDoesNotMatch"


@pytest.mark.bar(81)
@pytest.mark.parametrize(("minutes", "word"), [(16, "expired"), (-16, "not yet current")])
def test_it_allows_fifteen_minutes_either_way(minutes: int, word: str) -> None:
    request = signed()
    proven(request, at=now() + timedelta(minutes=14.9))
    proven(request, at=now() - timedelta(minutes=14.9))
    refusal = refused(request, at=now() + timedelta(minutes=minutes))
    assert refusal.code == "SignatureDoesNotMatch"
    assert word in refusal.message


@pytest.mark.bar(81)
def test_a_presigned_request_ends_when_it_says() -> None:
    request = presigned(expires=3600)
    proven(request, at=now() + timedelta(seconds=3590))
    assert "expired" in refused(request, at=now() + timedelta(seconds=3602)).message
    assert "not yet current" in refused(request, at=now() - timedelta(minutes=16)).message


@pytest.mark.bar(81)
@pytest.mark.parametrize("expires", [0, -1, 604_801, 10**9])
def test_a_presigned_request_may_not_last_longer_than_a_week(expires: int) -> None:
    assert refused(presigned(expires=expires)).code == "IncompleteSignature"


@pytest.mark.bar(81)
@pytest.mark.parametrize(
    "declared",
    ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "0" * 64],
)
def test_it_refuses_a_payload_hash_that_is_not_the_bodys(declared: str) -> None:
    request = signed(headers={"X-Amz-Content-SHA256": declared})
    assert refused(request).code == "SignatureDoesNotMatch"


@pytest.mark.bar(81)
def test_it_refuses_a_false_payload_hash_even_when_the_body_itself_is_signed() -> None:
    """An SDK never does this; who forwards the request may believe the header."""
    request = signed(headers={"X-Amz-Content-SHA256": canonical.payload_hash(signed())})
    false = replace(
        request, headers=tuple((name, "0" * 64 if "SHA256" in name else value) for name, value in request.headers)
    )
    presented = replace(sigv4.parse(request), request=false)
    text = canonical.canonical_requests(false, presented.signed_headers)[0]
    proof = sigv4.signature(sigv4.signing_key(SECRET, presented.scope), sigv4.string_to_sign(presented, text))
    resigned = with_authorization(false, presented.signature, proof)
    assert refused(resigned).message.startswith("The value of 'x-amz-content-sha256' is not")


def test_it_accepts_the_right_payload_hash() -> None:
    proven(signed(headers={"X-Amz-Content-SHA256": canonical.payload_hash(signed())}))


@pytest.mark.bar(85)
def test_an_unknown_key_is_told_apart_only_by_its_code() -> None:
    assert refused(signed(), secret=None).code == "InvalidClientTokenId"
    assert refused(signed(), secret="another").code == "SignatureDoesNotMatch"


@pytest.mark.bar(85)
def test_an_unknown_key_is_as_much_work_as_a_wrong_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    work = sigv4.signature

    def counted(key: bytes, text: str) -> str:
        done.append(text)
        return work(key, text)

    monkeypatch.setattr(sigv4, "signature", counted)
    request = signed("http://127.0.0.1:8000/?a=x+y")
    refused(request, secret="another")
    wrong = len(done)
    refused(request, secret=None)
    assert len(done) == 2 * wrong == 4


@pytest.mark.bar(85)
def test_nobody_can_sign_with_the_secret_of_unknown_keys() -> None:
    assert refused(signed(secret="0" * 40), secret=None).code == "InvalidClientTokenId"
