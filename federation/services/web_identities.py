"""From a token of an outside issuer to a person that a role's trust policy can be asked about."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import F

from federation import key_sets
from federation.errors import ExpiredToken, IDPCommunicationError, InvalidIdentityToken
from federation.fetch import FetchError
from federation.jwt import TokenError, TokenExpired, unverified_issuer, verify
from federation.models import OIDCProvider
from federation.oidc import BUILT_IN, WebIdentity, identity_of

# The one answer to a token that proves nothing: whether the account knows its issuer is told to nobody.
_NOT_VALID = "The ID Token provided is not valid."
_NO_KEY = (
    "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity "
    "documentation for requirements"
)


def read_token(account_id: str, token: str, now: datetime) -> tuple[str, WebIdentity]:
    """Who vouches, as a trust policy names it (the ARN of the account's provider, or the host of one that everybody
    knows), and for whom. Raises InvalidIdentityToken, ExpiredToken, IDPCommunicationError."""
    issuer = _issuer(token)
    # Read at every use: one that was deleted a moment ago vouches for nobody.
    with_clients = OIDCProvider.objects.annotate(audience=F("client_ids__client_id"))
    rows = list(with_clients.filter(account_id=account_id, issuer=issuer))
    provider = next(iter(rows), None)
    if provider is None and issuer not in BUILT_IN:
        missing = f"No OpenIDConnect provider found in your account for {issuer[:255]}"
        raise InvalidIdentityToken(_NOT_VALID, detail=missing)
    if provider is None:
        host = BUILT_IN[issuer]
        claims = _verified(token, f"https://{host}", issuer, now)
        return host, _identity(host, claims, None)
    claims = _verified(token, issuer, issuer, now)
    return provider.arn, _identity(provider.url, claims, {row.audience for row in rows if row.audience is not None})


def _issuer(token: str) -> str:
    try:
        return unverified_issuer(token)
    except TokenError as error:
        message = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
        raise InvalidIdentityToken(message, detail=str(error)) from error


def _verified(token: str, url: str, issuer: str, now: datetime) -> Mapping[str, Any]:
    try:
        claims: Mapping[str, Any] = key_sets.verified(url, lambda keys: verify(token, keys, issuer=issuer, now=now))
    except TokenExpired as error:
        raise ExpiredToken(str(error)) from error
    except TokenError as error:
        raise InvalidIdentityToken(_NOT_VALID, detail=str(error)) from error
    except FetchError as error:
        raise IDPCommunicationError(_NO_KEY, detail=str(error)) from error
    return claims


def _identity(name: str, claims: Mapping[str, Any], client_ids: set[str] | None) -> WebIdentity:
    try:
        identity = identity_of(name, claims, client_ids)
        # Tags and source identity are read here, so that a token with malformed ones is refused as a token.
        _ = identity.tags, identity.transitive_tag_keys, identity.source_identity
    except TokenError as error:
        raise InvalidIdentityToken(str(error)) from error
    return identity
