"""The one place that judges where a browser may be sent."""

from urllib.parse import parse_qs

import pytest
from django.test import Client
from django.urls import reverse

from access.guard import safe_next
from identities.models import User
from tests.access.steps import SIGN_IN, sign_in_root
from tests.cast import PASSWORD

OURS = [
    "/",
    "/dashboard/",
    "/identities/users/?q=a&page=2",
    "/identities/user/a%2Fb/",
    "/a//b",
    "/x?next=https://evil.example",
]

OUTSIDE = [
    "",
    " ",
    "https://evil.example",
    "https://evil.example/",
    "http://evil.example/dashboard/",
    "HTTPS://EVIL.EXAMPLE",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http:\\\\evil.example",
    "ftp://evil.example",
    "//evil.example",
    "//evil.example/%2e%2e",
    "///evil.example",
    "////evil.example",
    "/////evil.example/",
    "//evil.example@127.0.0.1",
    "//127.0.0.1@evil.example",
    "//127.0.0.1:8000",
    "//localhost/dashboard/",
    "//[::1]/",
    "//google%E3%80%82com",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\evil.example",
    "/\\/evil.example",
    "/\\\\evil.example",
    "//\\evil.example",
    "\\evil.example",
    "/x\\..\\evil",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    "\n//evil.example",
    " //evil.example",
    "\x00//evil.example",
    "\x08//evil.example",
    "\x1f/evil.example",
    "/\t\\evil.example",
    "/ok\r\nLocation: https://evil.example",
    "/ok\nSet-Cookie: a=b",
    "/ok\x00",
    "/\x7f/evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://evil.example/x",
    "mailto:a@evil.example",
    "evil.example",
    "evil.example/",
    ".evil.example",
    "@evil.example",
    ":80",
    "?next=//evil.example",
    "#//evil.example",
    "dashboard/",
    "../dashboard/",
    "http:127.0.0.1",
    "http://127.0.0.1:8000@evil.example",
    "https://127.0.0.1.evil.example",
    "/\u2028/evil.example",
    "/\ufeff/evil.example",
    "\u3002evil.example",
    "／／evil.example",
    "x" * 20_000,
]


@pytest.mark.bar(51)
@pytest.mark.parametrize("address", OUTSIDE, ids=range(len(OUTSIDE)))
def test_an_address_outside_becomes_the_dashboard(address: str) -> None:
    assert safe_next(address) == "/dashboard/"


def test_there_are_sixty_of_them() -> None:
    assert len(set(OUTSIDE)) >= 60


@pytest.mark.bar(51)
@pytest.mark.parametrize("address", ["http://[", "http://evil.example/users/", "//testserver/users/", "users"])
def test_a_page_elsewhere_is_none_to_come_back_to(client: Client, db: None, address: str) -> None:
    """Whatever the headers say of where somebody comes from, also if it can't be read."""
    users = reverse("identities:list-users")
    of_form = client.post(reverse("identities:delete-user", args=["bob"]), headers={"Referer": address})
    of_part = client.get(users, headers={"HX-Request": "true", "HX-Current-URL": address})
    assert parse_qs(of_form.headers["Location"].partition("?")[2]) == {"next": ["/dashboard/"]}
    assert parse_qs(of_part.headers["HX-Redirect"].partition("?")[2]) == {"next": [users]}


@pytest.mark.parametrize("address", OURS)
def test_a_path_of_this_site_stays(address: str) -> None:
    assert safe_next(address) == address


@pytest.mark.bar(51)
@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_no_sign_in_leads_outside(client: Client, alice: User, address: str) -> None:
    data = {"account": "acme", "user_name": "alice", "password": PASSWORD, "next": address}
    assert client.post(SIGN_IN, data).headers["Location"] == reverse("access:dashboard")
    page = client.get(SIGN_IN, {"next": address}).content.decode()
    assert "evil" not in page and "javascript:" not in page
    client.post("/root-signin/", {"email": "root@acme.example", "next": address})
    assert "evil" not in sign_in_root(client).headers["Location"]
