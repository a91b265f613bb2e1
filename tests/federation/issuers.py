"""An OpenID Connect issuer on this machine: real HTTP, real keys, tokens as the test wants them."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from federation import key_sets
from tests.federation.companies import private_key

Answer = Callable[[BaseHTTPRequestHandler], None]


@cache
def curve_key(name: str, bits: int) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key({256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}[bits])


def rsa_jwk(name: str = "issuer", **facts: Any) -> dict[str, Any]:
    return {**RSAAlgorithm.to_jwk(private_key(name).public_key(), as_dict=True), "kid": name, "use": "sig", **facts}


def curve_jwk(name: str, bits: int, **facts: Any) -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(curve_key(name, bits).public_key(), as_dict=True), "kid": name, **facts}


class Issuer:
    """`keys` is the key set; `requests` are the paths that were asked for; `pages` answers others by hand."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.keys: list[dict[str, Any]] = [rsa_jwk()]
        self.requests: list[str] = []
        self.discovery: dict[str, Any] = {"issuer": url, "jwks_uri": f"{url}/keys"}
        self.pages: dict[str, Answer] = {}

    @property
    def name(self) -> str:
        """As ARNs and condition keys name it."""
        return self.url.partition("://")[2]

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        plain = {"iss": self.url, "aud": "app", "sub": "jane", "iat": now, "exp": now + 300}
        return {name: value for name, value in {**plain, **changes}.items() if value is not None}

    def token(self, *, key: Any = None, algorithm: str = "RS256", headers: Any = None, **claims: Any) -> str:
        secret = key if key is not None else private_key("issuer")
        head = {"kid": "issuer", **(headers or {})}
        named = {name: value for name, value in head.items() if value is not None}
        return jwt.encode(self.claims(**claims), secret, algorithm=algorithm, headers=named)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        self.requests.append(path)
        if path in self.pages:
            self.pages[path](handler)
        elif path == "/.well-known/openid-configuration":
            send(handler, self.discovery)
        elif path == "/keys":
            send(handler, {"keys": self.keys})
        else:
            handler.send_error(404)


def send(handler: BaseHTTPRequestHandler, content: Any, status: int = 200, **headers: str) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


class CodeFlow:
    """The authorization and token endpoints of an issuer, for one confidential client. `claims` go into the next ID
    token, `answer` changes what the browser brings back, and `seen` are the forms that the token endpoint got."""

    SECRET = "quiet harbour"

    def __init__(self, issuer: Issuer, client_id: str = "app") -> None:
        self.issuer, self.client_id = issuer, client_id
        self.claims: dict[str, Any] = {}
        self.token: str | None = None
        self.answer: dict[str, str] = {}
        self.seen: list[dict[str, str]] = []
        self._codes: dict[str, dict[str, str]] = {}
        issuer.discovery |= {
            "authorization_endpoint": f"{issuer.url}/authorize?ui=plain",
            "token_endpoint": f"{issuer.url}/token",
            "authorization_response_iss_parameter_supported": True,
        }
        issuer.pages |= {"/authorize": self._authorize, "/token": self._token}

    def sign_in(self, address: str) -> str:
        """Where the browser goes back to after the person has signed in."""
        asked = dict(parse_qsl(urlsplit(address).query))
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        told = {"code": code, "state": asked["state"], "iss": self.issuer.url, **self.answer}
        return f"{asked['redirect_uri']}?{urlencode({name: value for name, value in told.items() if value})}"

    def _authorize(self, handler: BaseHTTPRequestHandler) -> None:
        send(handler, b"", 302, Location=self.sign_in(handler.path))

    def _token(self, handler: BaseHTTPRequestHandler) -> None:
        form = dict(parse_qsl(handler.rfile.read(int(handler.headers["Content-Length"])).decode()))
        self.seen.append(form)
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or not self._fits(asked, form, handler.headers.get("Authorization", "")):
            send(handler, {"error": "invalid_grant"}, 400)
            return
        claims = {"nonce": asked["nonce"], "aud": self.client_id, **self.claims}
        send(
            handler,
            {"access_token": "x", "token_type": "Bearer", "id_token": self.token or self.issuer.token(**claims)},
        )

    def _fits(self, asked: dict[str, str], form: dict[str, str], authorization: str) -> bool:
        """As a strict server: PKCE, the same redirect URI, the client's secret in the header."""
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        basic = base64.b64encode(f"{self.client_id}:{quote_plus(self.SECRET)}".encode()).decode()
        return (
            asked["code_challenge_method"] == "S256"
            and base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
            and form.get("redirect_uri") == asked["redirect_uri"]
            and form.get("grant_type") == "authorization_code"
            and authorization == f"Basic {basic}"
        )


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answering.answer(self)

        def do_POST(self) -> None:
            answering.answer(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    answering = Issuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield answering
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def issuer(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    """An issuer on this machine, which the setting for development allows, and which may have other work."""
    settings.FEDERATION_ALLOW_LOOPBACK = True
    monkeypatch.setattr("federation.fetch.SECONDS", 60.0)
    monkeypatch.setattr("federation.key_sets.PATIENCE_SECONDS", 60.0)
    key_sets.forget()
    with running_issuer() as running:
        yield running
    key_sets.forget()
