"""Real proxies in front of a small service, each set up by its own guide in docs/services."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import indent
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from tests.rig.served import free_port

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / ".clients" / "bin"
CADDY, ENVOY, TRAEFIK = (Path(os.environ.get(name.upper(), INSTALLED / name)) for name in ("caddy", "envoy", "traefik"))
# Folder, console, token: the address of a proxy that asks the console about every request.
Proxy = Callable[[Path, str, str], AbstractContextManager[str]]


class Service(BaseHTTPRequestHandler):
    """Tells what reached it."""

    def answer(self) -> None:
        body = json.dumps({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
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


def example(guide: str, language: str, changes: Mapping[str, str]) -> str:
    """The guide's own example, with this test's addresses in the place of the guide's."""
    text = (ROOT / "docs/services" / guide).read_text().split(f"```{language}\n", 1)[1].split("```", 1)[0]
    for old, new in changes.items():
        assert old in text, f"{guide} has no {old}."
        text = text.replace(old, new)
    return text


@contextmanager
def started(
    command: list[str], address: str, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    log = folder / "proxy.log"
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), **(environment or {})}
    with log.open("wb") as written:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=written, stderr=written)
    try:
        _wait(address, process, log)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urlopen(address, timeout=5).close()  # noqa: S310 - the server started here
        except HTTPError as error:
            with error:
                if error.code != 404:  # Traefik's own, before it has read who is served
                    return
        except (URLError, OSError):
            pass
        assert process.poll() is None and time.monotonic() < deadline, f"No proxy:\n{log.read_text()}"
        time.sleep(0.05)


CADDY_FRAME = """
{{
  admin off
  auto_https off
  storage file_system {folder}
}}
{example}
"""


@contextmanager
def caddy(folder: Path, console: str, token: str) -> Iterator[str]:
    address = f"http://127.0.0.1:{free_port()}"
    with service() as upstream:
        changes = {
            "api.example.com {": f"{address} {{",
            "https://console.example.com": console,
            "127.0.0.1:9000": f"127.0.0.1:{upstream}",
        }
        text = CADDY_FRAME.format(folder=folder, example=example("caddy.md", "caddyfile", changes))
        (folder / "Caddyfile").write_text(text)
        command = [str(CADDY), "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
        with started(command, address, folder, {"IAM_TOKEN": token}):
            yield address


@contextmanager
def traefik(folder: Path, console: str, token: str) -> Iterator[str]:
    port = free_port()
    with service() as upstream:
        changes = {
            "https://console.example.com": console,
            "http://127.0.0.1:9000": f"http://127.0.0.1:{upstream}",
            "THE-TOKEN": token,
            "api.example.com": "127.0.0.1",
        }
        (folder / "dynamic.yml").write_text(example("traefik.md", "yaml", changes))
        command = [str(TRAEFIK), f"--entryPoints.web.address=127.0.0.1:{port}", "--providers.file.filename=dynamic.yml"]
        option = "--entryPoints.web.http.aliasHeadersStrategy=delete"
        assert option in (ROOT / "docs/services/traefik.md").read_text()
        command += [option, "--global.checkNewVersion=false", "--global.sendAnonymousUsage=false"]
        with started(command, f"http://127.0.0.1:{port}", folder):
            yield f"http://127.0.0.1:{port}"


ENVOY_FRAME = """
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: orders
          route_config:
            virtual_hosts:
            - {{name: orders, domains: ["*"], routes: [{{match: {{prefix: /}}, route: {{cluster: orders}}}}]}}
{example}
  clusters:
  - name: orders
    load_assignment:
      cluster_name: orders
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {upstream}}}}}}}
  - name: console
    load_assignment:
      cluster_name: console
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {console}}}}}}}
"""


@contextmanager
def envoy(folder: Path, console: str, token: str) -> Iterator[str]:
    port = free_port()
    with service() as upstream:
        text = example("envoy.md", "yaml", {"https://console.example.com": console, "THE-TOKEN": token})
        text = ENVOY_FRAME.format(
            example=indent(text, " " * 10), port=port, upstream=upstream, console=console.rsplit(":", 1)[1]
        )
        (folder / "envoy.yaml").write_text(text)
        command = [str(ENVOY), "-c", "envoy.yaml", "--use-dynamic-base-id", "--concurrency", "1", "-l", "warning"]
        with started(command, f"http://127.0.0.1:{port}", folder):
            yield f"http://127.0.0.1:{port}"
