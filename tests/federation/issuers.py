"""An OpenID Connect issuer on this machine: real HTTP, real keys, tokens as the test wants them."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

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


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.answer(self)

        def do_POST(self) -> None:
            issuer.answer(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = Issuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
