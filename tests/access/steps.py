"""The steps of a sign-in, as a browser takes them."""

import re
from typing import Any

from django.test import Client

from access import cookies
from audit.models import Event
from tests.cast import PASSWORD, ROOT_PASSWORD

SIGN_IN, ROOT_EMAIL, ROOT_PASSWORD_PAGE = "/signin/", "/root-signin/", "/root-signin/password/"
CODE, NEW_PASSWORD, DASHBOARD = "/second-factor/", "/new-password/", "/dashboard/"
LONG_PASSWORD = "walnut tractor sunday 5519"


def sign_in(browser: Client, name: str = "alice", password: str = PASSWORD, account: str = "acme", **more: Any) -> Any:
    return browser.post(SIGN_IN, {"account": account, "user_name": name, "password": password}, **more)


def sign_in_root(browser: Client, password: str = ROOT_PASSWORD, email: str = "root@acme.example") -> Any:
    browser.post(ROOT_EMAIL, {"email": email})
    return browser.post(ROOT_PASSWORD_PAGE, {"password": password})


def is_in(browser: Client) -> bool:
    return bool(browser.get(DASHBOARD).status_code == 200)


def cookie(browser: Client, name: str) -> str:
    found = browser.cookies.get(cookies.name(name))
    return found.value if found else ""


def give_cookie(browser: Client, name: str, value: str) -> None:
    browser.cookies[cookies.name(name)] = value


def facts(reply: Any, *typed: tuple[str, str]) -> tuple[object, ...]:
    """All that the other side sees, without what is random or the time: status, headers, cookies and body. What was
    typed, and stands in the page again, is replaced by its name."""
    body = re.sub(r'(csrfmiddlewaretoken" value="|X-CSRFToken": ")[^"]+', r"\1", reply.content.decode())
    for text, name in typed:
        body = body.replace(text, name)
    headers = {name: value for name, value in reply.headers.items() if name not in ("X-Request-Id", "Expires")}
    jar = {name: (morsel["path"], morsel["samesite"], len(morsel.value)) for name, morsel in reply.cookies.items()}
    return reply.status_code, headers, jar, body


def logins() -> list[Event]:
    return list(Event.objects.filter(action="signin:ConsoleLogin").order_by("id"))
