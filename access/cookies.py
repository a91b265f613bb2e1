"""The cookies of the console. With https they carry the `__Host-` prefix and Secure; on a loopback http address the
browser would not keep such cookies, so there, and only there, they are plain."""

from datetime import timedelta
from typing import Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse

SESSION, ATTEMPT, ACCOUNT, DEVICE = "session", "signing-in", "account", "known-browser"
RESET, MESSAGES = "new-root-password", "messages"
SAML_ASKED, OIDC_ASKED, CHOOSING = "saml-asked", "oidc-asked", "choosing-role"
REMEMBERED = timedelta(days=180)


def name(cookie: str) -> str:
    return f"{'__Host-' if settings.SECURE_COOKIES else ''}iam-{cookie}"


def read(request: HttpRequest, cookie: str) -> str:
    return request.COOKIES.get(name(cookie), "")


def write(
    response: HttpResponse,
    cookie: str,
    value: str,
    *,
    lifetime: timedelta | None = None,
    same_site: Literal["Lax", "Strict"] = "Lax",
) -> None:
    """Never readable by script; gone with the browser unless a lifetime is given."""
    response.set_cookie(
        name(cookie),
        value,
        max_age=lifetime,
        path="/",
        secure=settings.SECURE_COOKIES,
        httponly=True,
        samesite=same_site,
    )


def forget(response: HttpResponse, cookie: str) -> None:
    response.set_cookie(
        name(cookie), "", max_age=0, path="/", secure=settings.SECURE_COOKIES, httponly=True, samesite="Lax"
    )


def session_token(request: HttpRequest) -> str:
    return read(request, SESSION)


def write_session(response: HttpResponse, token: str, *, is_root: bool) -> None:
    """Root's cookie is not even sent along when another site links here."""
    write(response, SESSION, token, same_site="Strict" if is_root else "Lax")
