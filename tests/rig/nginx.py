"""A real nginx in front of a small service, as docs/services/nginx.md sets it up."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.rig.served import free_port

NGINX = Path(os.environ.get("NGINX", "/usr/sbin/nginx"))
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "services" / "nginx.md"

FRAME = """
daemon off; master_process off; error_log {folder}/error.log; pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  {configuration}
}}
"""


class Service(BaseHTTPRequestHandler):
    """Tells what reached it."""

    def answer(self) -> None:
        body = json.dumps({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def service() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def configuration(port: int, console: str, upstream: int, token: str) -> str:
    """The guide's own example, with this test's addresses in the place of the guide's."""
    example = GUIDE.read_text().split("```nginx\n", 1)[1].split("```", 1)[0]
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port};",
        "https://console.example.com": console,
        "http://127.0.0.1:9000": f"http://127.0.0.1:{upstream}",
        "THE-TOKEN": token,
    }
    for old, new in changes.items():
        assert old in example, f"The guide has no {old}."
        example = example.replace(old, new)
    return example


@contextmanager
def nginx(folder: Path, console: str, token: str) -> Iterator[str]:
    """An nginx that asks the console about every request; its address."""
    port = free_port()
    with service() as upstream:
        text = FRAME.format(folder=folder, configuration=configuration(port, console, upstream, token))
        file = folder / "nginx.conf"
        file.write_text(text)
        process = subprocess.Popen([str(NGINX), "-c", str(file), "-p", str(folder)], stderr=subprocess.DEVNULL)
        try:
            _wait(f"http://127.0.0.1:{port}/", process, folder)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def _wait(address: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            urlopen(address, timeout=2)  # noqa: S310 - the server started here
        except URLError as error:
            if hasattr(error, "code"):
                return
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"nginx did not start:\n{(folder / 'error.log').read_text()}") from error
            time.sleep(0.05)
