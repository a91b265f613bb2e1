"""Requests signed by botocore itself, turned into what the server sees on the wire."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.credentials import Credentials

from api.wire import WireRequest

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE+/=="
FORM = "application/x-www-form-urlencoded; charset=utf-8"


def wire(prepared: AWSPreparedRequest) -> WireRequest:
    """The bytes that an HTTP client would send for a prepared request."""
    parts = urlsplit(prepared.url)
    headers = [(name, str(value)) for name, value in prepared.headers.items() if name.lower() != "host"]
    body = prepared.body or b""
    assert isinstance(body, bytes)
    path, query = (parts.path or "/").encode(), parts.query.encode()
    return WireRequest(prepared.method, path, query, (("Host", parts.netloc), *headers), body)


def signed(
    url: str = "http://127.0.0.1:8000/",
    *,
    method: str = "POST",
    body: bytes = b"Action=GetCallerIdentity&Version=2011-06-15",
    headers: dict[str, str] | None = None,
    token: str | None = None,
    region: str = "us-east-1",
    service: str = "sts",
    secret: str = SECRET,
) -> WireRequest:
    """A request with an Authorization header."""
    request = AWSRequest(method=method, url=url, data=body, headers={"Content-Type": FORM, **(headers or {})})
    SigV4Auth(Credentials(KEY_ID, secret, token), service, region).add_auth(request)
    return wire(request.prepare())


def presigned(
    url: str = "http://127.0.0.1:8000/?Action=GetCallerIdentity&Version=2011-06-15",
    *,
    token: str | None = None,
    expires: int = 60,
) -> WireRequest:
    """A GET with the signature in its query string."""
    request = AWSRequest(method="GET", url=url)
    SigV4QueryAuth(Credentials(KEY_ID, SECRET, token), "sts", "eu-west-1", expires).add_auth(request)
    return wire(request.prepare())


def now() -> datetime:
    return datetime.now(UTC)
