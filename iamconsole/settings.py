"""Settings. Everything an operator may change comes from the environment; docs/settings.md lists it."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from iamconsole.env import BASE_DIR, LOOPBACK_HOSTS, data_dir, env, read_keys, read_quotas

DATA_DIR = data_dir()
HOST = env.str("HOST", "127.0.0.1")
PORT = env.int("PORT", 8000)
DEBUG = env.bool("DEBUG", False)
ALLOW_RESET = env.bool("IAMCONSOLE_ALLOW_RESET", False)

# Where people and mails find the console. Never taken from a request's headers.
SITE_URL = env.str("SITE_URL", f"http://{HOST}:{PORT}").rstrip("/")
_site = urlsplit(SITE_URL)
SECURE_COOKIES = _site.scheme == "https"
SITE_IS_LOOPBACK = _site.hostname in ("127.0.0.1", "localhost", "::1")
ALLOWED_HOSTS = list(
    dict.fromkeys(
        [_site.hostname or "localhost", *env.list("ALLOWED_HOSTS", []), *(LOOPBACK_HOSTS if SITE_IS_LOOPBACK else ())]
    )
)

_keys = read_keys()
SECRET_KEY = _keys.secret_key
SECRET_KEY_FALLBACKS = list(_keys.secret_key_fallbacks)
ENCRYPTION_KEYS = _keys.encryption_keys

TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", 0)
# Only when a proxy that always sets or strips this header stands in front (for example "X-Forwarded-Proto").
_proto_header = env.str("TRUSTED_PROTO_HEADER", "")
SECURE_PROXY_SSL_HEADER = (f"HTTP_{_proto_header.upper().replace('-', '_')}", "https") if _proto_header else None
TLS_CERTIFICATE = env.str("TLS_CERTIFICATE", "")
TLS_KEY = env.str("TLS_KEY", "")
WORKERS = env.int("WORKERS", 2)
THREADS = env.int("THREADS", 4)
# Seconds that a client has to send a request, and to take its answer.
CLIENT_TIMEOUT = env.int("CLIENT_TIMEOUT", 60)

ROOT_MFA_REQUIRED = env.bool("ROOT_MFA_REQUIRED", False)
# Whether identity providers may be inside the own network; and, for development, on this machine by plain http.
FEDERATION_ALLOW_PRIVATE_ADDRESSES = env.bool("FEDERATION_ALLOW_PRIVATE_ADDRESSES", False)
FEDERATION_ALLOW_LOOPBACK = env.bool("FEDERATION_ALLOW_LOOPBACK", False)
# How long the credentials last that a machine gets; it asks for new ones when a third of that is left.
MACHINE_CREDENTIALS_SECONDS = env.int("MACHINE_CREDENTIALS_SECONDS", 3600)
COMPILED_DOCUMENTS_BYTES = env.int("COMPILED_DOCUMENTS_BYTES", 64 * 1024 * 1024)
QUOTAS = read_quotas()

INSTALLED_APPS = [
    "audit",
    "accounts",
    "policies",
    "identities",
    "federation",
    "access",
    "api",
    "iamconsole",
    "django.contrib.messages",
    "iamconsole.staticfiles.ConsoleStaticFilesConfig",
    "csp",
    "django_htmx",
    "template_partials",
    "tablericons",
    "django_ace",
]

MIDDLEWARE = [
    "iamconsole.middleware.limits",
    "django.middleware.security.SecurityMiddleware",
    "iamconsole.middleware.programs",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.middleware.common.CommonMiddleware",
    "iamconsole.middleware.same_origin",
    "django.middleware.csrf.CsrfViewMiddleware",
    "iamconsole.middleware.plain_text",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "access.guard.GuardMiddleware",
]

ROOT_URLCONF = "iamconsole.urls"
WSGI_APPLICATION = "iamconsole.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "access.context.console",
            ],
            "builtins": ["tablericons.templatetags.tablericons", "iamconsole.templatetags.console"],
        },
    }
]


def _sqlite() -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "db.sqlite3",
        "OPTIONS": {
            # Writers queue instead of failing: without IMMEDIATE a read-then-write loses to "database is locked".
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        "CONN_MAX_AGE": None,
    }


def _database() -> dict[str, Any]:
    url = env.str("DATABASE_URL", "")
    if not url:
        return _sqlite()
    database: dict[str, Any] = dict(env.dj_db_url("DATABASE_URL", conn_max_age=60, conn_health_checks=True))
    if database["ENGINE"].endswith("sqlite3"):
        return {**_sqlite(), "NAME": database["NAME"]}
    if database["ENGINE"] == "django.db.backends.postgresql":
        database["ENGINE"] = "iamconsole.postgres"
    return database


# Off where connections pass a pooler that hands each transaction to another server process.
DATABASE_PREPARED_STATEMENTS = env.bool("DATABASE_PREPARED_STATEMENTS", True)
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PASSWORD_HASHERS = [
    "accounts.hashers.Argon2idHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

CSRF_COOKIE_NAME = "__Host-iam-csrf" if SECURE_COOKIES else "iam-csrf"
CSRF_COOKIE_SECURE = SECURE_COOKIES
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "iamconsole.views.csrf_failure"
# Only the flash messages' cookie uses these; console sessions are access.sessions.
SESSION_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "access.flash_messages.FlashMessages"

SECURE_SSL_REDIRECT = SECURE_COOKIES
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31536000 if SECURE_COOKIES else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_COOKIES
SECURE_HSTS_PRELOAD = SECURE_COOKIES
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
PERMISSIONS_POLICY: dict[str, str | list[str]] = {
    "camera": [],
    "geolocation": [],
    "microphone": [],
    "payment": [],
    "usb": [],
    "publickey-credentials-get": "self",
    "publickey-credentials-create": "self",
}

# Sizes that are refused before any work is done with them.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4000
# No page takes a file yet: one that is sent is refused before it is looked at.
DATA_UPLOAD_MAX_NUMBER_FILES = 0

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("tabler", BASE_DIR / "node_modules" / "@tabler" / "core" / "dist"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = False

EMAIL_BACKEND = env.str("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = env.str("EMAIL_HOST", "localhost")
EMAIL_PORT = env.int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "IAM Console <console@localhost>")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    # A wrong host name is the caller's mistake, answered with 400; a page of trace for each would drown the rest.
    "loggers": {"django.security.DisallowedHost": {"level": "CRITICAL"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
}
