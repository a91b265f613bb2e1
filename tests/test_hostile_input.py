"""Every address, with words that no honest browser sends: an answer of ours, never a fault."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from identities.models import User
from tests import addresses
from tests.addresses import PATTERNS, address
from tests.cast import browser_of

acme, alice = addresses.acme, addresses.alice

HOSTILE = ("a\x00b", "'\";--../..", "\u202e\u0130ﬀ{{7*7}}%s", "-1", "9" * 30, "é" * 300, "\ud800")
# What pages read from their address or a form, and a few that none reads.
FIELDS = (
    *("q", "page", "sort", "name", "new_name", "path", "tags", "groups", "policies", "boundary", "way", "source", "go"),
    *("reviewed", "status", "confirmation", "leave", "join", "user_names", "group_names", "policy_arns", "document"),
    *("account", "user_name", "email", "password", "password_again", "code", "code1", "code2", "next", "alias", "key"),
    *("value", "start", "like", "copy", "older", "newer", "version", "person", "action", "since", "until", "outcome"),
    *("description", "administrator", "console", "minimum_password_length", "max_password_age", "left", "right", "x"),
)
ODD_PATHS = ("%00", "a%00b", "%ff%fe", "..%2f..", "9" * 30, "%E2%80%AE", "x" * 400, "%0d%0aSet-Cookie:%20a=b")


def hostile_address(name: str, word: str) -> str:
    """The address with every one of its words replaced; where its shape forbids that, no address."""
    converters = PATTERNS[name].pattern.converters
    marks = dict.fromkeys(converters, "WORD")
    try:
        return reverse(name, kwargs=marks).replace("WORD", word)
    except NoReverseMatch:
        marks = {key: "WORD" if kind.regex == "[^/]+" else "12" for key, kind in converters.items()}
        try:
            return reverse(name, kwargs=marks).replace("WORD", word).replace("12", "9" * 30)
        except NoReverseMatch:
            return "/nothing/"


def no_fault(client: Client, path: str, form: dict[str, str]) -> None:
    client.raise_request_exception = False
    for reply in (client.get(path), client.post(path, form)):
        assert reply.status_code < 500, f"{reply.status_code} for {path[:200]}"
        assert "\r" not in reply.headers.get("Location", "") and "Set-Cookie" not in reply.headers


@pytest.mark.bar(126, 129)
@pytest.mark.parametrize("name", sorted(name for name in PATTERNS if PATTERNS[name].pattern.converters))
def test_odd_words_in_an_address_are_no_fault(name: str, alice: User, words: dict[str, Any]) -> None:
    browser = browser_of(alice)
    for word in ODD_PATHS:
        no_fault(browser, hostile_address(name, word), {})


@pytest.mark.bar(126, 129)
@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_odd_values_are_no_fault(name: str, alice: User, words: dict[str, Any]) -> None:
    browser = browser_of(alice)
    for value in HOSTILE:
        query = urlencode(dict.fromkeys(FIELDS, value[:60]), errors="surrogatepass", quote_via=quote)
        text = value.encode(errors="replace").decode()
        no_fault(browser, f"{address(name, words)}?{query}", dict.fromkeys(FIELDS, text))
