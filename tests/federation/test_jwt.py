"""Tokens of outside issuers: everything that a token must not be."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from federation.jwt import Key, TokenError, TokenExpired, UnknownKey, read_key_set, unverified_issuer, verify
from tests.federation.companies import private_key
from tests.federation.issuers import Issuer, curve_jwk, curve_key, rsa_jwk

ISSUER = Issuer("https://id.example.com")
# What is made here, when pytest collects, is looked at minutes later.
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECONDS = int(NOON.timestamp())
GOOD = ISSUER.token(iat=SECONDS, exp=SECONDS + 300)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def keys(*entries: dict[str, Any]) -> tuple[Key, ...]:
    return read_key_set({"keys": list(entries or (rsa_jwk(),))})


def check(token: str, *entries: dict[str, Any]) -> Any:
    return verify(token, keys(*entries), issuer=ISSUER.url, now=NOON)


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_rsa_with_any_sha_2(algorithm: str) -> None:
    assert check(ISSUER.token(algorithm=algorithm))["sub"] == "jane"


@pytest.mark.parametrize(("algorithm", "bits"), [("ES256", 256), ("ES384", 384), ("ES512", 521)])
def test_signatures_on_elliptic_curves_are_accepted(algorithm: str, bits: int) -> None:
    token = ISSUER.token(key=curve_key("curve", bits), algorithm=algorithm, headers={"kid": "curve"})
    assert check(token, curve_jwk("curve", bits), rsa_jwk())["sub"] == "jane"


def test_a_key_or_a_token_without_an_id_fits_by_kind() -> None:
    nameless = {name: value for name, value in rsa_jwk().items() if name != "kid"}
    assert check(GOOD, rsa_jwk("other"), nameless)["sub"] == "jane"
    assert check(ISSUER.token(headers={"kid": None}), rsa_jwk("other"), rsa_jwk())["sub"] == "jane"


def public_pem() -> bytes:
    return private_key("issuer").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def handmade(header: Any, claims: Any = None, signature: str = "AAAA") -> str:
    def piece(content: Any) -> str:
        text = content if isinstance(content, str) else json.dumps(content)
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    return f"{piece(header)}.{piece(ISSUER.claims() if claims is None else claims)}.{signature}"


def hmac_token() -> str:
    """Signed by HMAC with the public key as the secret; PyJWT itself refuses to make one from a PEM."""
    head = handmade({"alg": "HS256", "kid": "issuer", "typ": "JWT"}).rpartition(".")[0]
    mark = hmac.new(public_pem(), head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


FORGED = {
    "alg none": lambda: handmade({"alg": "none", "typ": "JWT"}, signature=""),
    "alg None": lambda: handmade({"alg": "nOnE", "typ": "JWT"}, signature=""),
    "no alg": lambda: handmade({"typ": "JWT"}),
    "HMAC with the public key": hmac_token,
    "PSS": lambda: ISSUER.token(algorithm="PS256"),
    "another key of the same name": lambda: ISSUER.token(key=private_key("attacker")),
    "its own key in the header": lambda: ISSUER.token(
        key=private_key("attacker"), headers={"jwk": rsa_jwk("attacker"), "jku": "https://evil.example/keys"}
    ),
    "an unknown key": lambda: ISSUER.token(headers={"kid": "unknown"}),
    "an algorithm of another kind of key": lambda: ISSUER.token(
        key=curve_key("curve", 256), algorithm="ES256", headers={"kid": "issuer"}
    ),
    "a signature cut off": lambda: GOOD.rpartition(".")[0] + ".",
    "other claims": lambda: ".".join([GOOD.split(".")[0], handmade({}).split(".")[1], GOOD.split(".")[2]]),
    "crit": lambda: ISSUER.token(headers={"crit": ["exp"], "exp": 1}),
    "compressed": lambda: ISSUER.token(headers={"zip": "DEF"}),
    "encrypted": lambda: handmade({"alg": "dir", "enc": "A256GCM"}) + ".A.A",
    "password-based": lambda: handmade({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2**31}),
    "an access token": lambda: ISSUER.token(headers={"typ": "at+jwt"}),
    "a logout token": lambda: ISSUER.token(headers={"typ": "logout+jwt"}),
    "a name twice": lambda: handmade('{"alg":"RS256","alg":"none"}'),
    "no object": lambda: handmade([1]),
    "no token": lambda: "hello",
    "deeply nested": lambda: handmade("[" * 9000),
    "too long": lambda: ISSUER.token(padding="x" * 20_000),
}


@pytest.mark.bar(108, 109, 110, 116)
@pytest.mark.parametrize("make", FORGED.values(), ids=FORGED)
def test_a_forged_token_is_not_believed(make: Any) -> None:
    token = make()
    # The processor's time, which a busy machine does not lengthen.
    started = time.thread_time()
    with pytest.raises(TokenError):
        check(token)
    assert time.thread_time() - started < 2


@pytest.mark.bar(108, 109)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 63))
def test_no_changed_letter_of_a_token_is_believed(place: int, letter: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    changed = f"{GOOD[:place]}{alphabet[letter]}{GOOD[place + 1 :]}"
    try:
        claims = check(changed)
    except TokenError:
        return
    # The last letter of a signature holds bits that mean nothing.
    assert claims == check(GOOD)


WRONG_KEYS = {
    "symmetric": {"kty": "oct", "k": "c2VjcmV0", "kid": "issuer"},
    "for encryption": rsa_jwk(use="enc"),
    "for another operation": rsa_jwk(key_ops=["encrypt"]),
    "for another algorithm": rsa_jwk(alg="RS512"),
    "for an algorithm that is none": rsa_jwk(alg=["RS256"]),
    "for HMAC": rsa_jwk(alg="HS256"),
    "broken": {"kty": "RSA", "n": "!", "e": "AQAB", "kid": "issuer"},
    "half": {"kty": "RSA", "kid": "issuer"},
    "weak": {**rsa_jwk(), **{"n": base64.urlsafe_b64encode(b"\xff" * 128).rstrip(b"=").decode()}},
    "dear by its exponent": {**rsa_jwk(), "e": base64.urlsafe_b64encode(b"\x01" * 255).decode()},
    "dear by its size": {**rsa_jwk(), "n": base64.urlsafe_b64encode(b"\xff" * 2049).rstrip(b"=").decode()},
}


@pytest.mark.bar(108)
@pytest.mark.parametrize("entry", WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_a_key_that_is_not_for_this_is_not_used(entry: dict[str, Any]) -> None:
    with pytest.raises(UnknownKey):
        check(GOOD, entry)


@pytest.mark.bar(108)
def test_only_algorithms_that_the_issuer_announces_count() -> None:
    only = read_key_set({"keys": [rsa_jwk()]}, ["RS512", "HS256"])
    with pytest.raises(UnknownKey):
        verify(GOOD, only, issuer=ISSUER.url, now=NOON)


@pytest.mark.parametrize("document", [None, [], {}, {"keys": "x"}, {"keys": {}}])
def test_a_key_set_without_a_list_is_none(document: Any) -> None:
    with pytest.raises(TokenError):
        read_key_set(document)


WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://id.example.com/"},
    "no issuer": {"iss": None},
    "issuer in a list": {"iss": ["https://id.example.com"]},
    "no end": {"exp": None},
    "an end that is text": {"exp": "4102444800"},
    "an end with a fraction": {"exp": SECONDS + 300.5},
    "an end that is true": {"exp": True},
    "an end without end": {"exp": 10**30},
    "no beginning": {"iat": None},
    "made in the future": {"iat": SECONDS + 600},
    "not yet good": {"nbf": SECONDS + 600},
    "a beginning that is text": {"nbf": "1"},
}


@pytest.mark.bar(110)
@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_wrong_claims_are_refused(changes: dict[str, Any]) -> None:
    plain = {name: value for name, value in ISSUER.claims(**changes).items() if value is not None}
    token = jwt.PyJWS().encode(json.dumps(plain).encode(), private_key("issuer"), "RS256", headers={"kid": "issuer"})
    with pytest.raises(TokenError) as refused:
        check(token)
    assert not isinstance(refused.value, TokenExpired)


def test_an_old_token_is_told_so() -> None:
    with pytest.raises(TokenExpired, match=r"current date/time \d+ must be before the expiration date/time \d+"):
        check(ISSUER.token(iat=1, exp=SECONDS - 200))


def test_the_issuer_is_read_without_believing_it() -> None:
    assert unverified_issuer(GOOD) == ISSUER.url
    with pytest.raises(TokenError):
        unverified_issuer(handmade({"alg": "RS256"}, {"iss": 1}))
