"""docs/services/python.md, run as it stands: a service that asks for itself."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_django.live_server_helper import LiveServer

from identities.models import User
from tests.api.conftest import SECRET, key_of
from tests.api.test_authorize import ORDER, signed
from tests.cast import allow, make_user

GUIDE = Path(__file__).resolve().parents[2] / "docs/services/python.md"


@pytest.fixture
def guide(live_server: LiveServer, alice: User, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the guide's code defines, in a process that has the service's own key in its environment."""
    service = make_user(alice.account, "orders-service", console=False)
    allow(service, "iam:Authorize")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_of(service).access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    code = GUIDE.read_text().split("```python\n", 1)[1].split("```", 1)[0]
    assert "https://console.example.com" in code
    defined: dict[str, Any] = {}
    exec(code.replace("https://console.example.com", live_server.url), defined)  # noqa: S102 - our own guide
    return defined


def flask_request(request: Any) -> SimpleNamespace:
    """The facts that Flask has of a request on the wire."""
    parts = urlsplit(request.url)
    return SimpleNamespace(
        method=request.method,
        environ={"RAW_URI": f"{parts.path}?{parts.query}"},
        query_string=parts.query.encode(),
        headers=request.headers,
        get_data=lambda: request.body or b"",
        remote_addr="192.0.2.7",
    )


@pytest.mark.parametrize(("path", "body"), [("/orders/a%20b?x=%2B&y", b""), ("/orders/7", b'{"paid":true}')])
def test_it_learns_who_it_is_and_whether_they_may(guide: dict[str, Any], bob: User, path: str, body: bytes) -> None:
    allow(bob, "orders:GetOrder", ORDER, Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    request = signed(key_of(bob).access_key_id, f"https://api.example.com{path}", method="PUT", body=body)
    answer = guide["ask"](flask_request(request), "orders:GetOrder", ORDER)
    assert (answer["Decision"], answer["Principal"]["Arn"]) == ("Allow", bob.arn)
    assert guide["ask"](flask_request(request), "orders:GetOrder", f"{ORDER}8")["Decision"] == "Deny"
    request.data = b"other"
    assert guide["ask"](flask_request(request), "orders:GetOrder", ORDER)["Error"]["Code"] == "SignatureDoesNotMatch"
