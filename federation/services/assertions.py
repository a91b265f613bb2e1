"""From a SAML response to a person that a role's trust policy can be asked about; each assertion counts once."""

import base64
from contextlib import suppress
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from django.db.models import F

from audit import clock
from database.prefetch import related_rows, set_prefetched
from federation import one_time, sp
from federation.errors import ExpiredToken, InvalidIdentityToken, UnprovenToken
from federation.models import EncryptionMode, SAMLPrivateKey, SAMLProvider
from federation.saml.claims import Claims
from federation.saml.parsing import SAMLError
from federation.saml.response import Expired, Trust, Unproven, read_response
from identities.sealed import box

# Before the provider is known to have said it, an outsider learns one thing only.
_UNPROVEN = "Response signature invalid"
_KEY = ("key_id", "slot", "key_encrypted", "created_at")


def redeem(provider: SAMLProvider | None, encoded: str, now: datetime) -> Claims:
    """The claims of a response of this provider, which nobody can redeem again.

    Raises InvalidIdentityToken, also for a provider that is not there, switched off or out of date; ExpiredToken.
    """
    if provider is None or provider.disabled_at is not None or provider.valid_until <= now:
        with suppress(SAMLError):
            read_response(encoded, _nobodys_trust(), now)
        off = "The provider is switched off, or its metadata is out of date."
        raise UnprovenToken(_UNPROVEN, detail=off if provider else "There is no such provider.")
    try:
        claims = read_response(encoded, trust_in(provider), now)
    except Unproven as error:
        raise UnprovenToken(_UNPROVEN, detail=str(error)) from error
    except Expired as error:
        raise ExpiredToken(str(error)) from error
    except SAMLError as error:
        raise InvalidIdentityToken(str(error)) from error
    if not one_time.use("saml-assertion", f"{provider.pk}\n{claims.assertion_id}", claims.usable_until):
        raise InvalidIdentityToken("The assertion was used before.")
    return claims


def provider_with_keys(account_id: str, name: str) -> SAMLProvider | None:
    """A provider with the keys of ours that it encrypts for, in one query."""
    own = {f"key_{name}": F(f"private_keys__{name}") for name in _KEY}
    rows: list[Any] = list(SAMLProvider.objects.filter(account_id=account_id, name=name).annotate(**own))
    facts = [{name: getattr(row, f"key_{name}") for name in _KEY} for row in rows if row.key_key_id is not None]
    for provider in rows[:1]:
        set_prefetched(provider, "private_keys", [SAMLPrivateKey(provider=provider, **each) for each in facts])
    return next(iter(rows), None)


@cache
def _nobodys_trust() -> Trust:
    """What stands for a provider that is not there, so that its answer takes as long as that of one that is. The key of
    this certificate is thrown away."""
    key, name = rsa.generate_private_key(65537, 2048), x509.Name([])
    begun = clock.now()
    facts = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begun, begun)
    der = facts.sign(key, SHA256()).public_bytes(Encoding.DER)
    return Trust(sp.entity_id(), (der,), (), False, sp.audiences(), frozenset({sp.acs_url()}))


def trust_in(provider: SAMLProvider) -> Trust:
    rows = sorted(related_rows(provider, "private_keys"), key=attrgetter("created_at"), reverse=True)
    keys = [box().open(key.key_encrypted, key.sealed_row) for key in rows]
    return Trust(
        entity_id=provider.entity_id,
        certificates=tuple(base64.b64decode(text) for text in provider.certificates),
        private_keys=tuple(keys),
        must_encrypt=provider.encryption_mode == EncryptionMode.REQUIRED,
        audiences=sp.audiences(),
        recipients=frozenset({sp.acs_url()}),
    )
