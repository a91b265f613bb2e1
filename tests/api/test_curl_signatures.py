"""What `curl --aws-sigv4` signs. Older curls neither sort the query nor encode the path, and AWS refuses that as we do:
a signature over a path that is not encoded would hold for another path, too."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from api import sigv4
from api.wire import WireRequest
from tests.api.signing import KEY_ID, SECRET, now

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


class Listener(HTTPServer):
    heard: list[WireRequest]


class Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_GET(self) -> None:
        path, _, query = self.path.encode().partition(b"?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.heard.append(WireRequest(self.command, path, query, tuple(self.headers.items()), body))
        self.send_response(204)
        self.end_headers()

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener(("127.0.0.1", 0), Handler) as server:
        server.heard = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def curl(listener: Listener, address: str, *words: str) -> WireRequest:
    command = ["curl", "-sS", "--path-as-is", "--aws-sigv4", "aws:amz:us-east-1:sts", "--user", f"{KEY_ID}:{SECRET}"]
    target = f"http://127.0.0.1:{listener.server_port}{address}"
    subprocess.run([*command, *words, target], capture_output=True, timeout=60, check=True)
    return listener.heard[-1]


@pytest.mark.bar(81)
@pytest.mark.parametrize(
    "address", ["/", "/a/b~c", "/?a=x+y", "/?q=%e2%82%ac", "/?a=b=c", "/?a=%20", "/?x=1&y=a%2Bb", "/?a=0&a=1"]
)
def test_it_is_proven_on_awkward_addresses(listener: Listener, address: str) -> None:
    sigv4.verify(sigv4.parse(curl(listener, address)), SECRET, now())


@pytest.mark.bar(81)
@pytest.mark.parametrize(
    "words",
    [
        ("--data", "Action=GetUser&x=a%20b"),
        ("--data-binary", "ü€"),
        ("--data", ""),
        ("-X", "DELETE"),
        ("-H", "X-Note:  a  b "),
        ("-H", "X-Amz-Meta: one", "--data", "a=b"),
    ],
)
def test_it_is_proven_with_bodies_and_headers(listener: Listener, words: tuple[str, ...]) -> None:
    sigv4.verify(sigv4.parse(curl(listener, "/", *words)), SECRET, now())
