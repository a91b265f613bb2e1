"""The console as an operator starts it: its own process, its own data, the real server."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
PATIENCE = 60.0  # seconds that a slow machine may take to start


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def environment(data_dir: Path, static_root: Path, port: int) -> dict[str, str]:
    """Nothing of the test run but the path: a fresh machine, with keys that the console makes itself."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(data_dir),
        "DATA_DIR": str(data_dir),
        "STATIC_ROOT": str(static_root),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }


@dataclass(frozen=True, slots=True)
class Served:
    """A running console: where it is, where its data are, and what it has printed so far."""

    url: str
    data_dir: Path
    log: Path
    environ: dict[str, str]

    def output(self) -> str:
        return self.log.read_text()

    def manage(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `manage.py …` beside the running console, on the same data."""
        return subprocess.run(
            [sys.executable, str(MANAGE), *words],
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )


def answers(url: str, path: str = "/healthz") -> bool:
    try:
        with urllib.request.urlopen(f"{url}{path}", timeout=2) as response:  # noqa: S310 - the server started here
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_until_up(served: Served, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not answers(served.url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"The console did not start:\n{served.output()}")
        time.sleep(0.1)


@contextmanager
def serve(data_dir: Path, static_root: Path, **settings: str) -> Iterator[Served]:
    """Prepare the data, start `manage.py serve` on a free port, and stop it and its workers afterwards."""
    port = free_port()
    environ = environment(data_dir, static_root, port) | settings
    served = Served(f"http://127.0.0.1:{port}", data_dir, data_dir / "output.log", environ)
    served.manage("preparedata")
    with served.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(MANAGE), "serve"], env=environ, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_until_up(served, process)
        yield served
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(PATIENCE)


def collect_static(static_root: Path) -> None:
    environ = environment(static_root, static_root, 0) | {"DJANGO_SETTINGS_MODULE": "tests.rig.uncompressed"}
    command = [sys.executable, str(MANAGE), "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(command, env=environ, check=True, timeout=120)
