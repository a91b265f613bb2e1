"""The addresses at which people of a company begin to sign in. They hold a mark that nobody can guess: by an address
made of the account and the provider's name alone, anybody could ask whether the account knows a company, and which.

The mark is the same for a provider that is made anew, so that what people have kept goes on to work.
"""

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

SAML, OIDC = "access:saml-start", "access:oidc-start"
_SALT = "federation.start_paths"
# 64 bits.
_MARK = 16


def start_path(page: str, account_id: str, name: str) -> str:
    """`name` is the provider's name, or the URL of one of OpenID Connect."""
    return reverse(page, args=[account_id, _mark(settings.SECRET_KEY, page, account_id, name), name])


def is_marked(mark: str, page: str, account_id: str, name: str) -> bool:
    """Whether an address is one that was given out, also under an earlier secret that still counts."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(mark, _mark(secret, page, account_id, name)) for secret in secrets)


def _mark(secret: str, page: str, account_id: str, name: str) -> str:
    return salted_hmac(_SALT, f"{page}\n{account_id}\n{name}", secret=secret, algorithm="sha256").hexdigest()[:_MARK]
