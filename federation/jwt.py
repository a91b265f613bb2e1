"""JSON Web Tokens of outside issuers: signature and times (RFC 7515, 7519, OpenID Connect Core 3.1.3.7). Pure.

Nothing in a token chooses how it is checked: the algorithm belongs to the key, and the key comes from the issuer's own
key set. Keys and addresses in the token's header are not looked at.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.exceptions import PyJWTError

from federation import rsa_keys

LONGEST = 20_000
SKEW = timedelta(minutes=2)
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "ES256", "ES384", "ES512"})
_MOST_KEYS = 100
_OF_CURVE = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class TokenError(Exception):
    """Why a token is not believed."""


class TokenExpired(TokenError):
    """It was good once."""


class UnknownKey(TokenError):
    """No key of the set fits: the issuer may have new ones."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an issuer, with the algorithms that it may be used with."""

    key_id: str | None
    algorithms: frozenset[str]
    public: PublicKey


def read_key_set(document: Any, allowed: Iterable[str] = ALGORITHMS) -> tuple[Key, ...]:
    """The keys of a JWK set that can check signatures; others (symmetric, weak, for encryption) are left out."""
    entries = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise TokenError("The issuer's key set has no list of keys.")
    found = (_key(entry, frozenset(allowed) & ALGORITHMS) for entry in entries[:_MOST_KEYS])
    return tuple(key for key in found if key is not None and key.algorithms)


def _key(entry: Any, allowed: frozenset[str]) -> Key | None:
    if not isinstance(entry, Mapping) or entry.get("use", "sig") != "sig":
        return None
    if "key_ops" in entry and "verify" not in entry["key_ops"]:
        return None
    public = _public(entry)
    if public is None:
        return None
    fitting = _fitting(public) & allowed
    if "alg" in entry:
        fitting &= frozenset({entry["alg"]}) if isinstance(entry["alg"], str) else frozenset()
    key_id = entry.get("kid")
    return Key(key_id if isinstance(key_id, str) else None, fitting, public)


def _public(entry: Mapping[str, Any]) -> PublicKey | None:
    """Only the public part is read, whatever else the entry holds."""
    try:
        if entry.get("kty") == "RSA":
            key: Any = RSAAlgorithm.from_jwk({"kty": "RSA", "n": entry["n"], "e": entry["e"]})
            return key if isinstance(key, rsa.RSAPublicKey) and not rsa_keys.problem(key) else None
        if entry.get("kty") == "EC":
            wanted = {name: entry[name] for name in ("crv", "x", "y")}
            key = ECAlgorithm.from_jwk({"kty": "EC", **wanted})
            return key if isinstance(key, ec.EllipticCurvePublicKey) else None
    except (PyJWTError, KeyError, TypeError, ValueError):
        return None
    return None


def _fitting(key: PublicKey) -> frozenset[str]:
    if isinstance(key, rsa.RSAPublicKey):
        return frozenset({"RS256", "RS384", "RS512"})
    return frozenset({_OF_CURVE[key.curve.name]} if key.curve.name in _OF_CURVE else ())


def unverified_issuer(token: str) -> str:
    """Who claims to have made it, to find whose keys have to show it. Raises TokenError for what is no token."""
    _, claims = _parts(token)
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        raise TokenError("The token names no issuer.")
    return issuer


def verify(token: str, keys: Sequence[Key], *, issuer: str, now: datetime) -> Mapping[str, Any]:
    """The claims of a token that the issuer signed and that is good now. Raises TokenError."""
    header, _ = _parts(token)
    _check_header(header)
    claims = _signed_claims(token, header, keys)
    if claims.get("iss") != issuer:
        raise TokenError("The token is another issuer's.")
    _check_times(claims, now)
    return claims


def _check_header(header: Mapping[str, Any]) -> None:
    if header.get("alg") not in ALGORITHMS:
        raise TokenError("The token is not signed by RSA or ECDSA with SHA-2.")
    if {"crit", "zip", "enc", "b64"} & header.keys():
        raise TokenError("The token asks for something that is not done here.")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.upper() not in ("JWT", "ID+JWT"):
        raise TokenError("The token is of another kind.")


def _signed_claims(token: str, header: Mapping[str, Any], keys: Sequence[Key]) -> Mapping[str, Any]:
    algorithm, key_id = header["alg"], header.get("kid")
    # A key without an id, or a token without one, fits by kind alone.
    fitting = [key for key in keys if algorithm in key.algorithms and (key_id is None or key.key_id in (None, key_id))]
    if not fitting:
        raise UnknownKey("The issuer has no key for this token.")
    if not any(_fits(token, algorithm, key) for key in fitting):
        raise TokenError("The token's signature is wrong.")
    return _parts(token)[1]


def _fits(token: str, algorithm: str, key: Key) -> bool:
    try:
        jwt.PyJWS().decode_complete(token, key.public, algorithms=[algorithm])
    except PyJWTError:
        return False
    return True


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
    begins = _moment(claims, "nbf") if "nbf" in claims else issued
    if now >= expires + SKEW:
        raise TokenExpired(
            f"Token expired: current date/time {int(now.timestamp())} must be before the expiration date/time "
            f"{int(expires.timestamp())}"
        )
    if max(begins, issued) > now + SKEW:
        raise TokenError("The token is not good yet: compare the clocks.")


def _moment(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**33:
        raise TokenError(f"The token's {name} is missing or no whole number.")
    return datetime.fromtimestamp(value, UTC)


def _parts(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims as they stand there. Raises TokenError."""
    pieces = token.split(".")
    if len(token) > LONGEST or len(pieces) != 3 or not token.isascii():
        raise TokenError("It is no signed JSON Web Token.")
    return _decoded(pieces[0]), _decoded(pieces[1])


def _decoded(piece: str) -> Mapping[str, Any]:
    try:
        data = base64.b64decode(piece + "=" * (-len(piece) % 4), altchars=b"-_", validate=True)
        content = json.loads(data, object_pairs_hook=_once)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise TokenError("It is no signed JSON Web Token.") from error
    if not isinstance(content, dict):
        raise TokenError("It is no signed JSON Web Token.")
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands there twice means one thing to one reader and another to the next."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("A name stands there twice.")
    return content
