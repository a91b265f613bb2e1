"""Debian's Chromium through Playwright: how it starts, what it must never do, and the accessibility check."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, expect

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))

LAUNCH_ARGS = [
    "--no-sandbox",  # the tests may run as root, where the sandbox cannot start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]

# For what comes sooner or later, on a machine that has other work, too; nobody waits longer than it takes.
expect.set_options(timeout=30_000)

# What a person or htmx asks for may be refused, and Chromium notes every refusal in its console.
REFUSABLE = {"document", "xhr", "fetch"}
REFUSAL_NOTE = "Failed to load resource: the server responded with a status of 4"

# Signing out tells the browser to forget the pages it kept, and it says that it did.
SIGN_OUT_NOTE = "Clear-Site-Data header on "

# The rules of axe that look at colours: all that dark can have wrong and light right.
COLOURS = ["color-contrast", "link-in-text-block"]
BACKGROUND = "() => getComputedStyle(document.body).backgroundColor"


def watch(context: BrowserContext, origin: str) -> list[str]:
    """Collect everything that no page may do: log, break the content policy, fail, ask another host."""
    complaints: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if not message.text.startswith((REFUSAL_NOTE, SIGN_OUT_NOTE)):
            complaints.append(f"console {message.type} on {message.page and message.page.url}: {message.text}")

    def on_request(request: Request) -> None:
        if not request.url.startswith((f"{origin}/", "data:")):
            complaints.append(f"request to another place: {request.url}")

    def on_response(response: Response) -> None:
        refusable = response.request.resource_type in REFUSABLE
        if response.status >= (500 if refusable else 400):
            complaints.append(f"{response.status} for {response.url}")

    context.on("console", on_console)
    context.on("weberror", lambda error: complaints.append(f"script error: {error.error}"))
    context.on("request", on_request)
    context.on("response", on_response)
    return complaints


def violations(page: Page, rules: list[str] | None = None) -> str:
    """What axe finds wrong on the page as it is now, by all rules or by some; empty when nothing."""
    options: dict[str, object] = {"resultTypes": ["violations"]}
    found = Axe().run(page, options=options | {"runOnly": rules} if rules else options)
    return found.generate_report() if found.violations_count else ""


def axe_check(page: Page) -> None:
    """Check the page in light, and its colours in dark, without loading it again: what was typed stays."""
    backgrounds: set[str] = set()
    schemes: tuple[tuple[Literal["light", "dark"], list[str] | None], ...] = (("light", None), ("dark", COLOURS))
    for scheme, rules in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
        backgrounds.add(page.evaluate(BACKGROUND))
        assert not (report := violations(page, rules)), f"{page.url} in {scheme}:\n{report}"
    page.emulate_media(color_scheme=None, reduced_motion=None)
    assert len(backgrounds) == len(schemes), f"{page.url} looks the same in light and in dark."


AxeCheck = Callable[[Page], None]
