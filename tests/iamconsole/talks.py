"""A thread of a worker that talks with one client, without a server around it."""

import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import Any

from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn

from iamconsole.worker import Worker

NO_FAREWELL = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
# More than the buffers between two sockets hold.
PAGE = 4_000_000
QUESTION = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def short(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


@contextmanager
def a_talk(
    application: Any = short, kind: int = socket.SOCK_STREAM
) -> Iterator[tuple[Worker, socket.socket, "Future[bool]"]]:
    """A client, and what the thread that talks with it says in the end: whether the connection is kept for later."""
    config = Config()
    worker = Worker(1, 1, [], SimpleNamespace(wsgi=lambda: application), 30, config, Logger(config))
    worker.load_wsgi()
    ours, client = socket.socketpair(type=kind)
    client.settimeout(60)
    connection = TConn(config, ours, ("127.0.0.1", 1), ("127.0.0.1", 2))
    with closing(worker.tmp), client, ours, ThreadPoolExecutor(1) as pool:
        yield worker, client, pool.submit(worker.handle, connection)
