"""A real nginx in front of a small service, as docs/services/nginx.md sets it up."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rig.proxies import example, service, started
from tests.rig.served import free_port

NGINX = Path(os.environ.get("NGINX", "/usr/sbin/nginx"))

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


@contextmanager
def nginx(folder: Path, console: str, token: str) -> Iterator[str]:
    """An nginx that asks the console about every request; its address."""
    port = free_port()
    with service() as upstream:
        changes = {
            "listen 443 ssl;": f"listen 127.0.0.1:{port};",
            "https://console.example.com": console,
            "http://127.0.0.1:9000": f"http://127.0.0.1:{upstream}",
            "THE-TOKEN": token,
        }
        file = folder / "nginx.conf"
        file.write_text(FRAME.format(folder=folder, configuration=example("nginx.md", "nginx", changes)))
        with started([str(NGINX), "-c", str(file), "-p", str(folder)], f"http://127.0.0.1:{port}", folder) as address:
            yield address
