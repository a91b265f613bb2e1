"""Letting people of an OpenID Connect provider into the console. Ours, not AWS's."""

import re

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.errors import InvalidInput
from audit.principal import Principal
from audit.services import record
from federation.models import OIDCClientId, OIDCProvider, OIDCSignIn
from federation.services.oidc_providers import locked, recorded_facts
from identities.sealed import box

USUAL_SCOPES = "openid profile email"
SCOPES_LIMIT = 255
SECRET_LIMIT = 1000
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
# As many as one sign-in page shows.
SHOWN = 20


def sign_in_of(provider: OIDCProvider) -> OIDCSignIn | None:
    return OIDCSignIn.objects.filter(provider=provider).select_related("client").first()


def secret_of(sign_in: OIDCSignIn) -> str:
    """'' for a client without one. Raises SecretUnreadable."""
    return box().open(sign_in.secret_encrypted, sign_in.sealed_row)


def enabled_sign_ins() -> QuerySet[OIDCSignIn]:
    return OIDCSignIn.objects.filter(is_enabled=True).select_related("provider", "client")


def listed_sign_ins(account_name: str) -> list[OIDCSignIn]:
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
) -> OIDCSignIn:
    """Without a new secret (None) the present one stays, as long as the client does; '' is a client without one.

    Raises InvalidInput, NoSuchEntity.
    """
    provider = locked(provider)
    before = recorded_facts(provider)
    client = provider.client_ids.filter(client_id=client_id).first()
    if client is None:
        raise InvalidInput("The client ID must be one of the provider's audiences.", field="client")
    row = sign_in_of(provider) or OIDCSignIn(provider=provider)
    kept = _checked_secret(secret) if secret is not None else _present_secret(row, client)
    row.secret_encrypted = box().seal(kept, row.sealed_row)
    row.client, row.scopes = client, _checked_scopes(scopes)
    row.is_enabled, row.is_listed = enabled, listed
    row.save()
    after = recorded_facts(provider) | {"secret": "new" if secret else "none" if secret is not None else "as before"}
    record(by, "iam:CreateOpenIDConnectProvider", provider.arn, before=before, after=after)
    return row


def _present_secret(row: OIDCSignIn, client: OIDCClientId) -> str:
    """The secret of one client is never sent in the name of another."""
    return secret_of(row) if row.secret_encrypted and row.client_id == client.pk else ""


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
