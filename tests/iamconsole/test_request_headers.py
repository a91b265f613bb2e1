"""Heads are read as gunicorn reads them, whichever of the two does."""

from typing import Any

import pytest
from gunicorn.http import Request
from gunicorn.http.parser import RequestParser
from hypothesis import example, given
from hypothesis import strategies as st

from iamconsole.request_headers import PlainRequest
from tests.iamconsole.test_serve import configured

CLIENT = ("192.0.2.7", 41000)
PLAIN = [
    "Host: iam.example",
    "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20261126",
    "X-Amz-Date: 20261126T120000Z",
]
# Wrong, doubtful, or with a meaning of its own: the fast reader must leave each of them to gunicorn.
ODD = [
    "Host: other.example",
    "content-type: a",
    "Content-Type: b",
    "X-Amz-Date: twice",
    "Expect: 100-continue",
    "Expect: miracles",
    "Content-Length: 3",
    "Content-Length: +3",
    "Transfer-Encoding: chunked",
    "X_Forwarded_For: 1.2.3.4",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Ssl: on",
    "Script_Name: /x",
    "Name:",
    "Name: ",
    "Name:value",
    "Name:\tvalue",
    "Name:  value",
    "Name: value ",
    "Name: value\t",
    "Name: one  two\tthree",
    "Name : value",
    " Name: folded",
    "\tfolded",
    ": no name",
    "no colon",
    "",
    "Näme: value",
    "Name: välue",
    "Name: \x00",
    "Name: \x7f",
    "Name: a\rb",
    "Name: a\nb",
    f"Name: {'a' * 16_380}",
    f"Name: {'a' * 200}",
]
line = st.sampled_from(ODD + PLAIN * 3) | st.text(st.characters(max_codepoint=255), max_size=12)


CONFIG = configured()


def read_by(kind: type[Request], lines: list[str]) -> Any:
    """What the request is, or how it is refused."""
    head = "\r\n".join(["POST / HTTP/1.1", *lines, "", "abc"]).encode("latin-1")
    parser = RequestParser(CONFIG, iter([head]), CLIENT)
    parser.mesg_class = kind
    try:
        request = next(parser)
    except Exception as error:
        return type(error)
    body = type(request.body.reader)
    return request.headers, request.scheme, request._expected_100_continue, request.should_close(), body


@given(st.lists(line, max_size=8))
@example([])
@example(PLAIN)
@example([*PLAIN, "Expect: 100-continue"])
@example([f"X-{number}: value" for number in range(101)])
def test_both_read_the_same(lines: list[str]) -> None:
    assert read_by(PlainRequest, lines) == read_by(Request, lines)


@pytest.mark.parametrize("odd", ODD)
def test_what_is_odd_is_read_as_ever(odd: str) -> None:
    for lines in ([odd, *PLAIN], [*PLAIN, odd], [PLAIN[0], odd, *PLAIN[1:]]):
        assert read_by(PlainRequest, lines) == read_by(Request, lines)


def test_what_is_plain_is_not_left_to_gunicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Request, "parse_headers", None)
    headers, *_ = read_by(PlainRequest, PLAIN)
    assert [name for name, _ in headers] == ["HOST", "AUTHORIZATION", "X-AMZ-DATE"]
    assert headers[0] == ("HOST", "iam.example")
