"""Letting people of an OpenID Connect provider into the console. Ours, not AWS's."""

import re

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.errors import InvalidInput
from audit.principal import Principal
from audit.services import record
from federation.models import OIDCClientId, OIDCProvider
from federation.services.oidc_providers import locked, recorded_facts
from identities.sealed import box

USUAL_SCOPES = "openid profile email"
SCOPES_LIMIT = 255
SECRET_LIMIT = 1000
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
# As many as one sign-in page shows.
SHOWN = 20


def sign_in_of(provider: OIDCProvider) -> OIDCClientId | None:
    """The client that the console signs in with, where that was ever set up."""
    return provider.client_ids.exclude(scopes="").first()


def secret_of(sign_in: OIDCClientId) -> str:
    """'' for a client without one. Raises SecretUnreadable."""
    return box().open(sign_in.secret_encrypted, sign_in.sealed_row)


def enabled_sign_ins() -> QuerySet[OIDCClientId]:
    return OIDCClientId.objects.filter(is_enabled=True).exclude(scopes="").select_related("provider")


def listed_sign_ins(account_name: str) -> list[OIDCClientId]:
    """What the sign-in page of an account, by alias or id, offers; nothing for one that is not there."""
    name = account_name.strip().lower()
    rows = enabled_sign_ins().filter(Q(provider__account_id=name) | Q(provider__account__alias=name), is_listed=True)
    return list(rows.order_by("provider__url")[:SHOWN])


@transaction.atomic
def set_sign_in(
    *,
    by: Principal,
    provider: OIDCProvider,
    client_id: str,
    secret: str | None,
    scopes: str = USUAL_SCOPES,
    enabled: bool = True,
    listed: bool = False,
) -> OIDCClientId:
    """Without a new secret (None) the present one stays, as long as the client does; '' is a client without one.

    Raises InvalidInput, NoSuchEntity.
    """
    provider = locked(provider)
    before = recorded_facts(provider)
    client = provider.client_ids.filter(client_id=client_id).first()
    if client is None:
        raise InvalidInput("The client ID must be one of the provider's audiences.", field="client")
    kept = _checked_secret(secret) if secret is not None else _present_secret(client)
    others = provider.client_ids.exclude(pk=client.pk).exclude(scopes="")
    others.update(secret_encrypted="", scopes="", is_enabled=False, is_listed=False)
    client.secret_encrypted = box().seal(kept, client.sealed_row)
    client.scopes, client.is_enabled, client.is_listed = _checked_scopes(scopes), enabled, listed
    client.save()
    after = recorded_facts(provider) | {"secret": "new" if secret else "none" if secret is not None else "as before"}
    record(by, "iam:CreateOpenIDConnectProvider", provider.arn, before=before, after=after)
    return client


def _present_secret(client: OIDCClientId) -> str:
    """The secret of one client is never sent in the name of another."""
    return secret_of(client) if client.secret_encrypted else ""


def _checked_secret(secret: str) -> str:
    if len(secret) > SECRET_LIMIT or not secret.isprintable():
        raise InvalidInput(f"A client secret has at most {SECRET_LIMIT} printable characters.", field="secret")
    return secret


def _checked_scopes(scopes: str) -> str:
    words = scopes.split()
    if "openid" not in words or not all(_SCOPE.fullmatch(word) for word in words):
        raise InvalidInput("Scopes are words with blanks between them, and openid is one of them.", field="scopes")
    text = " ".join(dict.fromkeys(words))
    if len(text) > SCOPES_LIMIT:
        raise InvalidInput(f"Scopes have at most {SCOPES_LIMIT} characters together.", field="scopes")
    return text
