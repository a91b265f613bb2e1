"""This console as a client of OpenID Connect providers: the authorization code flow (OpenID Connect Core 3.1) with PKCE
(RFC 7636), and the provider's own name in its answer (RFC 9207)."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from django.conf import settings

from federation import key_sets
from federation.fetch import LOOPBACK_HOSTS, FetchError
from federation.models import OIDCProvider

_BASIC, _POST = "client_secret_basic", "client_secret_post"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What a provider's configuration tells. `names_itself`: every answer of it carries `iss`."""

    authorization: str
    token: str
    names_itself: bool
    secret_in_form: bool


@dataclass(frozen=True, slots=True)
class Client:
    """Who this console is to a provider."""

    client_id: str
    redirect_uri: str


def redirect_uri(provider: OIDCProvider) -> str:
    """An address of its own for each provider, so that an answer of one can't be taken for another's (RFC 9700 4.4)."""
    return f"{settings.SITE_URL}/oidc/callback/{callback_key(provider)}"


def callback_key(provider: OIDCProvider) -> str:
    """The last word of the redirect URI: it stays when the provider is made anew, and no issuer's spelling is in it."""
    return hashlib.sha256(provider.arn.encode()).hexdigest()[:32]


def endpoints_of(issuer: str) -> Endpoints:
    """Raises FetchError."""
    document = key_sets.issuer_of(issuer).document
    methods = document.get("token_endpoint_auth_methods_supported")
    known = methods if isinstance(methods, list) else [_BASIC]
    return Endpoints(
        authorization=_address(document, "authorization_endpoint"),
        token=_address(document, "token_endpoint"),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        secret_in_form=_POST in known and _BASIC not in known,
    )


def _address(document: dict[str, Any], name: str) -> str:
    """A browser is sent there, or a secret: nothing but https, as for everything that is fetched."""
    address = document.get(name)
    try:
        parts = urlsplit(address if isinstance(address, str) else "")
    except ValueError as error:
        raise FetchError(f"The provider's {name} can't be read.") from error
    loopback = settings.FEDERATION_ALLOW_LOOPBACK and parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS
    plain = (
        isinstance(address, str) and address.isascii() and address.isprintable() and not set(address) & set(' \\"<>#')
    )
    if not plain or not parts.hostname or "@" in parts.netloc or not (parts.scheme == "https" or loopback):
        raise FetchError(f"The provider's configuration has no usable {name}.")
    return str(address)


def authorization_address(
    endpoints: Endpoints, client: Client, *, scopes: str, state: str, nonce: str, verifier: str
) -> str:
    """Where the browser goes to sign in."""
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": scopes,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    return f"{endpoints.authorization}{'&' if '?' in endpoints.authorization else '?'}{urlencode(asked)}"


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def id_token_for(endpoints: Endpoints, client: Client, *, secret: str, code: str, verifier: str) -> str:
    """Exchange a code for the ID token; the access token is not looked at. Raises FetchError."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": verifier,
    }
    headers = {}
    if secret and not endpoints.secret_in_form:
        pair = f"{quote_plus(client.client_id)}:{quote_plus(secret)}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    else:
        form |= {"client_id": client.client_id, **({"client_secret": secret} if secret else {})}
    with key_sets.asking() as fetcher:
        answer = fetcher.post(endpoints.token, form, headers)
    token = answer.get("id_token") if isinstance(answer, dict) else None
    if not isinstance(token, str):
        raise FetchError("The provider's token endpoint gave no ID token.")
    return token
