"""What must be true before the console may start. `serve` and `wsgi` refuse to start while one of these speaks."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

TAG = "iamconsole"
# As AWS's: from what any session lasts at least to what an instance gets.
SHORTEST_CREDENTIALS, LONGEST_CREDENTIALS = 900, 21600


@register(TAG)
def secret_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        key = settings.SECRET_KEY
    except ImproperlyConfigured:
        key = ""
    if len(key) >= 50 and len(set(key)) >= 5 and not key.startswith("django-insecure-"):
        return []
    return [
        Error(
            "SECRET_KEY is missing or weak.",
            hint="Run `make setup`, which makes one, or set SECRET_KEY to 50 random characters or more.",
            id="iamconsole.E001",
        )
    ]


@register(TAG)
def encryption_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    keys = settings.ENCRYPTION_KEYS
    if keys and all(len(key) == 32 and len(set(key)) > 8 for _, key in keys):
        return []
    return [
        Error(
            "There is no encryption key of 32 random bytes: secrets of access keys could not be stored.",
            hint="Run `make setup`, or set ENCRYPTION_KEYS to id:base64.",
            id="iamconsole.E002",
        )
    ]


@register(TAG)
def no_debug_outside(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not settings.DEBUG or settings.SITE_IS_LOOPBACK:
        return []
    return [Error("DEBUG is on for an address that others can reach.", hint="Unset DEBUG.", id="iamconsole.E003")]


@register(TAG)
def https_outside(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    listens_at_home = settings.HOST in ("127.0.0.1", "localhost", "::1")
    if settings.SECURE_COOKIES or (settings.SITE_IS_LOOPBACK and listens_at_home):
        return []
    return [
        Error(
            f"SITE_URL is {settings.SITE_URL} and HOST is {settings.HOST}: passwords would travel without encryption.",
            hint="Set SITE_URL to the https address people use (with TLS_CERTIFICATE and TLS_KEY, or a proxy in "
            "front), or keep HOST on 127.0.0.1.",
            id="iamconsole.E004",
        )
    ]


@register(TAG)
def exact_hosts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    open_hosts = [host for host in settings.ALLOWED_HOSTS if host == "*" or host.startswith(".")]
    if not open_hosts:
        return []
    return [
        Error(
            f"ALLOWED_HOSTS holds {open_hosts[0]!r}, which lets any name in.",
            hint="Name each host exactly.",
            id="iamconsole.E005",
        )
    ]


@register(TAG)
def machine_credentials(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    seconds = settings.MACHINE_CREDENTIALS_SECONDS
    if SHORTEST_CREDENTIALS <= seconds <= LONGEST_CREDENTIALS:
        return []
    return [
        Error(
            f"MACHINE_CREDENTIALS_SECONDS is {seconds}.",
            hint=f"Set it between {SHORTEST_CREDENTIALS} and {LONGEST_CREDENTIALS}.",
            id="iamconsole.E006",
        )
    ]


@register(TAG)
def read_committed(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Locks, constraints and repeated looks are made for it; another level refuses changes that only meet."""
    if settings.DATABASES["default"].get("OPTIONS", {}).get("isolation_level") is None:
        return []
    return [
        Error(
            "DATABASE_URL sets an isolation_level.",
            hint="Take it out: the console needs PostgreSQL's own, read committed.",
            id="iamconsole.E007",
        )
    ]
