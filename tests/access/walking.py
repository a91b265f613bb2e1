"""A person who walks through the pages: follows links, fills forms in, and reads what is there to be copied."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urljoin

from django.test import Client
from lxml import html


class Walk:
    """Sees only the page that is open, and can go only where it leads."""

    def __init__(self, browser: Client, address: str) -> None:
        self.browser, self.address = browser, address
        self._opened(browser.get(address, follow=True))

    def _opened(self, reply: Any) -> None:
        assert reply.status_code == 200, (reply.status_code, self.address)
        if reply.redirect_chain:
            self.address = urljoin(self.address, reply.redirect_chain[-1][0])
        self.page = html.fromstring(reply.content.decode())

    @property
    def heading(self) -> str:
        return _text(self.page.xpath("//h1")[0])

    @property
    def text(self) -> str:
        return _text(self.page.xpath("//main")[0])

    def follow(self, words: str, *, under: str = "") -> "Walk":
        """Follow the link with these words; with `under`, the one in the part of the page that has this heading."""
        part = f"//section[.//h2[normalize-space()={under!r}]]" if under else "//main"
        links = [link for link in self.page.xpath(f"{part}//a[@href]") if _text(link) == words]
        assert links, f"No link “{words}” on {self.address}: {self.text[:2000]}"
        self.address = urljoin(self.address, links[0].get("href"))
        self._opened(self.browser.get(self.address, follow=True))
        return self

    def press(self, words: str, **typed: str | Sequence[str]) -> "Walk":
        """Send the form of the button with these words, with some of its fields filled in."""
        buttons = [each for each in self.page.xpath("//main//form//button") if _text(each) == words]
        assert buttons, f"No button “{words}” on {self.address}: {self.text[:2000]}"
        button = buttons[0]
        form = next(button.iterancestors("form"))
        missing = typed.keys() - {each.get("name") for each in form.iter("input", "select", "textarea")}
        assert not missing, f"No field {missing} on {self.address}"
        fields = [(name, value) for name, value in form.form_values() if name not in typed]
        for name, values in typed.items():
            fields += [(name, each) for each in ([values] if isinstance(values, str) else values)]
        fields += [(button.get("name"), button.get("value", ""))] if button.get("name") else []
        here = urljoin(self.address, form.get("action") or self.address)
        if form.method == "GET":
            self.address = f"{here.partition('?')[0]}?{urlencode(fields)}"
            self._opened(self.browser.get(self.address, follow=True))
        else:
            self.address = here
            form_type = "application/x-www-form-urlencoded"
            self._opened(self.browser.post(here, urlencode(fields), content_type=form_type, follow=True))
        return self

    def copied(self, label: str) -> str:
        """What the button “Copy” beside these words copies."""
        (button,) = self.page.xpath(f"//button[@data-copy and contains(@aria-label, {label!r})]")
        found = self.page.get_element_by_id(button.get("data-copy").removeprefix("#"))
        return str(found.get("value") or found.text_content().strip())

    def link(self, label: str) -> str:
        """Where what is there to be copied leads."""
        (button,) = self.page.xpath(f"//button[@data-copy and contains(@aria-label, {label!r})]")
        return str(self.page.get_element_by_id(button.get("data-copy").removeprefix("#")).get("href"))


def _text(element: Any) -> str:
    return " ".join(str(element.text_content()).split())
