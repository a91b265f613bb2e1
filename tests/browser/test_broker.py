"""The example broker, run as its README says: a person signs in there and lands in the console as a federated user."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account
from identities.models import User
from identities.services.access_keys import create_access_key
from tests.browser.people import expect_heading, sign_in_as
from tests.cast import allow, root_of
from tests.rig.browser import AxeCheck
from tests.rig.programs import Credentials
from tests.rig.served import free_port

PROGRAM = Path(__file__).resolve().parents[2] / "examples/broker/broker.py"


@pytest.fixture
def page(browser: Browser, base_url: str, browser_context_args: dict[str, Any]) -> Iterator[Page]:
    """Of a browser that may leave the console: the usual one reports every request to another place."""
    context = browser.new_context(**{**browser_context_args, "base_url": base_url})
    # The first page of a run waits for policies to be compiled.
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def broker(acme: Account, bob: User, live_server: LiveServer, tmp_path: Path) -> Iterator[str]:
    """Its address: another site for a browser than the console's, as in life."""
    allow(bob, ["sts:GetFederationToken", "iam:List*"])
    key, secret = create_access_key(by=root_of(acme), user=bob)
    port, here = free_port(), urlsplit(live_server.url).hostname
    there = "127.0.0.1" if here == "localhost" else "localhost"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "BROKER_USERS": str(tmp_path / "users.json"),
        "BROKER_CONSOLE": live_server.url,
        "BROKER_PORT": str(port),
        "BROKER_ADDRESS": f"http://{there}:{port}/",
        "PYTHONUNBUFFERED": "1",
        **Credentials(key.access_key_id, secret).environment(),
    }
    command = [sys.executable, str(PROGRAM)]
    # In a session of its own it has no terminal, and reads the password from here.
    subprocess.run(
        [*command, "add-user", "jane"],
        env=environment,
        input="quince\n",
        text=True,
        start_new_session=True,
        capture_output=True,
        check=True,
    )
    process = subprocess.Popen([*command, "serve"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None and process.stdout.readline()
        yield environment["BROKER_ADDRESS"]
    finally:
        process.terminate()
        process.communicate(timeout=60)


def sign_in_at(page: Page, broker: str, password: str = "quince") -> None:
    page.goto(broker)
    page.get_by_label("Name").fill("jane")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_function(
        "() => !['Sign in at Acme', 'One moment', undefined].includes(document.querySelector('h1')?.textContent)"
    )


@pytest.mark.bar(118)
def test_a_person_signs_in_at_the_broker_and_is_a_federated_user(page: Page, broker: str) -> None:
    sign_in_at(page, broker)
    expect_heading(page, "Dashboard")
    expect(page.locator(".who")).to_contain_text(re.compile(r"Federated user\s+jane"))
    page.goto("/identities/users/")
    expect(page.get_by_role("link", name="bob")).to_be_visible()


@pytest.mark.bar(35, 57, 118)
def test_root_is_asked_before_somebody_else_comes_in(
    page: Page, base_url: str, acme: Account, broker: str, axe_check: AxeCheck
) -> None:
    """The cookie of root as the console writes it: kept back when another site leads here."""
    context = page.context
    sign_in_as(context, base_url, acme)
    context.add_cookies([{**cookie, "sameSite": "Strict"} for cookie in context.cookies()])  # type: ignore[typeddict-item] # what was read can be written
    sign_in_at(page, broker)
    expect_heading(page, "You are signed in as somebody else")
    axe_check(page)
    page.get_by_role("button", name="Sign out and go on").click()
    expect_heading(page, "Dashboard")
    expect(page.locator(".who")).to_contain_text("jane")
    page.go_back()
    page.reload()
    expect_heading(page, "This link doesn't sign you in")
    axe_check(page)
