"""Somebody's browser at a provider that runs beside the console: fills its forms in until it is sent back."""

import http.cookiejar
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin

from lxml import html


@dataclass(frozen=True, slots=True)
class SentBack:
    """Where the browser is sent, and the form that it brings along."""

    address: str
    form: dict[str, str] = field(default_factory=dict)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are looked at before they are followed."""

    def redirect_request(self, *facts: Any) -> None:
        return None


def visit(address: str, home: str, typed: Mapping[str, str]) -> SentBack:
    """Go where the pages lead, by redirects and forms, until it is `home`; `typed` goes into fields of these names."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), _Stay)
    body: bytes | None = None
    for _ in range(12):
        try:
            with browser.open(address, data=body, timeout=60) as reply:
                page = html.fromstring(reply.read())
            assert page.forms, f"{address} says: {page.text_content()}"
            form = page.forms[0]
        except HTTPError as redirect:
            address, body = urljoin(address, redirect.headers["Location"]), None
            if address.startswith(home):
                return SentBack(address)
            continue
        fields = {**dict(form.form_values()), **{name: typed[name] for name in typed if name in form.fields}}
        address, body = urljoin(address, form.action), urlencode(fields).encode()
        if address.startswith(home):
            return SentBack(address, fields)
    raise AssertionError(f"The provider goes on asking at {address}.")
