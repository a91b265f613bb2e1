"""Which route a request fits: one reading of every path, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.routes import AmbiguousPath, RoutedAction, RouteProblem, match, parse_routes, path_segments

TABLE = """
# Orders
GET,HEAD api.example.com /orders orders:ListOrders *
GET api.example.com /orders/{order} orders:GetOrder arn:aws:orders::{account}:order/{order}  # one
* *.files.example /{bucket}/{name...} files:Use arn:aws:files:::{bucket}/{name}
GET * /wide/ wide:Look *
"""


def asked(path: str, method: str = "GET", host: str = "api.example.com", table: str = TABLE) -> RoutedAction | None:
    return match(parse_routes(table), method=method, host=host, path=path, account_id="111122223333")


@pytest.mark.parametrize(
    ("path", "action", "resource"),
    [
        ("/orders", "orders:ListOrders", "*"),
        ("/orders/7", "orders:GetOrder", "arn:aws:orders::111122223333:order/7"),
        ("/orders/a%20b", "orders:GetOrder", "arn:aws:orders::111122223333:order/a b"),
        ("/orders/%C3%A9%23", "orders:GetOrder", "arn:aws:orders::111122223333:order/é#"),
        ("/orders/%7Baccount%7D", "orders:GetOrder", "arn:aws:orders::111122223333:order/{account}"),
        ("/orders/*", "orders:GetOrder", "arn:aws:orders::111122223333:order/*"),
        ("/wide/", "wide:Look", "*"),
    ],
)
def test_it_says_what_is_asked(path: str, action: str, resource: str) -> None:
    found = asked(path)
    assert found and (found.action, found.resource) == (action, resource)


@pytest.mark.parametrize("host", ["api.example.com.", "API.example.com.:443"])
def test_a_host_with_a_last_dot_is_the_same_host(host: str) -> None:
    assert asked("/orders", host=host) == asked("/orders")


def test_a_value_can_not_shift_the_fields_of_an_arn() -> None:
    table = "GET * /{region}/{order} orders:GetOrder arn:aws:orders:{region}:{account}:order/{order}"
    found = asked("/eu/a:b", table=table)
    assert found and found.resource == "arn:aws:orders:eu:111122223333:order/a:b"
    with pytest.raises(AmbiguousPath, match="colon"):
        asked("/eu:111122223333:order/7", table=table)


def test_the_rest_of_a_path_is_one_name() -> None:
    found = asked("/pictures/2026/a.png", "DELETE", "eu.files.example:8443")
    assert found and found.resource == "arn:aws:files:::pictures/2026/a.png"
    assert asked("/pictures/", host="eu.files.example")
    assert asked("/pictures", host="eu.files.example") is None


@pytest.mark.parametrize(
    ("method", "host", "path"),
    [
        ("POST", "api.example.com", "/orders"),
        ("GET", "api.example.org", "/orders"),
        ("GET", "files.example", "/a/b"),
        ("GET", "evilfiles.example", "/a/b"),
        ("GET", "api.example.com", "/Orders"),
        ("GET", "api.example.com", "/orders/"),
        ("GET", "api.example.com", "/orders/7/8"),
        ("GET", "api.example.com", "/wide"),
        ("GET", "api.example.com", "/"),
    ],
)
def test_what_fits_no_route_is_nobodys(method: str, host: str, path: str) -> None:
    assert asked(path, method, host) is None


@pytest.mark.parametrize(
    "path",
    [
        "/orders/..",
        "/orders/%2e%2e",
        "/orders/.",
        "//orders",
        "/orders//7",
        "/orders/a%2Fb",
        "/orders/a%5Cb",
        "/orders/a\\b",
        "/orders/a;b",
        "/orders/%252e%252e",
        "/orders/%00",
        "/orders/%0a",
        "/orders/%zz",
        "/orders/%",
        "/orders/%ff",
        "/orders/7#",
        "/secret/key#/readme",
        "/orders/7 8",
        "/orders/\xc3\xa9",
        "orders",
        "",
    ],
)
def test_a_path_that_can_be_read_in_two_ways_is_refused(path: str) -> None:
    with pytest.raises(AmbiguousPath):
        asked(path)


@given(st.text(min_size=1, max_size=40))
def test_what_is_read_from_a_path_has_no_other_reading(text: str) -> None:
    try:
        segments = path_segments("/" + text.encode().decode("latin-1"))
    except AmbiguousPath:
        return
    assert not any(part in (".", "..") or set(part) & set("/\\;\x00") for part in segments)
    assert "" not in segments[:-1]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("GET api.example.com /a a:B", "Line 1: write methods"),
        ("get api.example.com /a a:B *", "are no methods"),
        ("GET api.example.com:8000 /a a:B *", "no host name"),
        ("GET api.*.com /a a:B *", "no host name"),
        ("GET * a a:B *", "must begin with a slash"),
        ("GET * /a/*/b a:B *", "can't stand in a path"),
        ("GET * /a/../b a:B *", "can't stand in a path"),
        ("GET * /a%2Fb a:B *", "can't stand in a path"),
        ("GET * /{a}x a:B *", "a name in braces is a whole part"),
        ("GET * /{a...}/b a:B *", "a name in braces is a whole part"),
        ("GET * /{a}/{a} a:B *", "must differ"),
        ("GET * /{account} a:B *", "must differ"),
        ("GET * /a a:* *", "is no action"),
        ("GET * /a a:B order/7", "is no ARN"),
        ("GET * /a a:B arn:aws:a:::{b}", "is no name of the path"),
        ("GET * /a a:B arn:aws:a:::b/*", "no wildcards"),
    ],
)
def test_a_line_that_is_no_route_is_named(line: str, problem: str) -> None:
    with pytest.raises(RouteProblem, match="Line 1") as found:
        parse_routes(line)
    assert problem in str(found.value)


def test_a_table_has_an_end() -> None:
    with pytest.raises(RouteProblem, match="at most 200 routes"):
        parse_routes("GET * /a a:B *\n" * 201)
    with pytest.raises(RouteProblem, match="characters"):
        parse_routes("#" * 40_000)
