"""Gunicorn's threaded worker, for clients that may stop in the middle of a request or of its answer.

In gunicorn's own a thread that reads from a client, or writes to it, can do nothing else: as many clients as there are
threads stop the console by stopping themselves. Here many cheap threads talk to clients, and what has arrived whole is
answered by as many at a time as there are connections to the database, which go from thread to thread. A client that
lets its thread wait for longer than CLIENT_TIMEOUT is cut off, and one that has said nothing yet, or keeps its
connection for later, costs no thread.

Where there is no room for another client, the one that has rested longest makes it; where there is no thread left,
clients are waited for only a few seconds.
"""

import io
import math
import select
import selectors
import socket
import ssl
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from threading import get_ident
from typing import Any, cast

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from gunicorn import util
from gunicorn.http.errors import NoMoreData
from gunicorn.workers.gthread import ThreadWorker

from iamconsole import refusals
from iamconsole.heads import PlainRequest
from iamconsole.open_files import room_for

TALKERS = 64
STAYS_MS = 20
HURRY = 5
HESITATES, HESITATES_AT_MOST = 0.001, 0.002
GATHERED_BYTES = 64 * 1024
# What a client may go on sending after it was refused: one that can't stop would not see why.
UNREAD_BYTES = 16 * 1024 * 1024
# SQLite opens three files for a thread's connection.
FILES_OF_A_DATABASE = 3
TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
TLS_GREETING = b"\x16"
NO_TLS = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nThis address begins with http, not with https.\n"

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass(slots=True)
class Talk:
    """One thread's talk with a client, which has been waited for since then."""

    connection: Any
    since: float
    reading: bool = True

    def is_over(self, now: float, patience: float) -> bool:
        return now - self.since > patience

    def cut(self) -> None:
        """Wake the thread that waits for the client. TLS can't be spoken from two threads, so there nothing is said."""
        sock = self.connection.sock
        with suppress(OSError):
            if self.reading and not isinstance(sock, ssl.SSLSocket):
                sock.send(TIMED_OUT, socket.MSG_DONTWAIT)
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


class Gathering:
    """A socket that sends the head of an answer together with its body: gunicorn hands them over one after the other,
    and each piece that goes out alone wakes the client. Whatever else is asked of the socket comes after what was
    gathered so far."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._gathered = bytearray()

    def sendall(self, data: bytes) -> None:
        self._gathered += data
        if len(self._gathered) >= GATHERED_BYTES:
            self.flush()

    def flush(self) -> None:
        if self._gathered:
            gathered, self._gathered = self._gathered, bytearray()
            self._sock.sendall(gathered)

    def __getattr__(self, name: str) -> Any:
        self.flush()
        return getattr(self._sock, name)


@dataclass(slots=True)
class Answered:
    """As much of a connection as answering one request takes."""

    sock: Gathering
    client: Any
    server: Any


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """`--threads` is how many answer at a time."""

    wsgi: Any
    application: Application

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.talks: dict[int, Talk] = {}
        self.databases: SimpleQueue[BaseDatabaseWrapper] = SimpleQueue()
        for _ in range(self.cfg.threads):
            database = connections.create_connection(DEFAULT_DB_ALIAS)
            database.inc_thread_sharing()
            self.databases.put(database)

    def init_process(self) -> None:
        """Settings don't change while a worker runs: as plain attributes they need no look-up, and a call asks for two
        dozen."""
        attributes: dict[str, Any] = self.cfg.__dict__
        for name, setting in self.cfg.settings.items():
            attributes.setdefault(name, setting.get())
        # Each talker may be sending a file.
        beside = TALKERS + self.cfg.threads * FILES_OF_A_DATABASE
        self.worker_connections = room_for(self.cfg.worker_connections, beside)
        self.max_keepalived = self.worker_connections - self.cfg.threads
        super().init_process()

    def get_thread_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(TALKERS, "talking")

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.application, self.wsgi = self.wsgi, self._answer

    def accept(self, listener: Any) -> None:
        """All workers hear of a new client. Who talks to others lets the less busy ones go first: a kept connection
        stays where it is, and while three of four are with one worker, a processor stands idle."""
        busy_with = self.nr_conns - len(self.keepalived_conns)
        if busy_with and self.cfg.workers > 1:
            time.sleep(min(busy_with * HESITATES, HESITATES_AT_MOST))
        super().accept(listener)

    def enqueue_req(self, conn: Any) -> None:
        """A thread is given only to a client that has begun to speak."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: Any) -> Any:
        """What waits for a client stands in its thread: the farewell, too, which gunicorn leaves to the main loop."""
        goes_on = not self._is_astray(conn) and self._talk(conn)
        while goes_on and self._asks_again(conn):
            conn.parser.mesg_class = PlainRequest
            goes_on = self._talk(conn)
        if not goes_on:
            with suppress(OSError):  # closed already
                conn.sock.setblocking(True)
                util.close_graceful(conn.sock, max_drain=UNREAD_BYTES)
        return goes_on

    def _is_astray(self, conn: Any) -> bool:
        """Whether a client speaks TLS where nobody does (it would wait for an answer to its greeting, and the server
        for the end of a line), or doesn't where everybody does."""
        if conn.initialized:
            return False
        wants_tls = bool(self.cfg.is_ssl)
        with suppress(OSError):
            begins = conn.sock.recv(1, socket.MSG_PEEK)
            if begins and (begins == TLS_GREETING) != wants_tls:
                conn.sock.send(refusals.only_tls() if wants_tls else NO_TLS)
                return True
        return False

    def _talk(self, conn: Any) -> Any:
        me = get_ident()
        self.talks[me] = Talk(conn, time.monotonic())
        try:
            return super().handle(conn)
        finally:
            del self.talks[me]

    def handle_request(self, req: Any, conn: Any) -> Any:
        sock = Gathering(conn.sock)
        goes_on = super().handle_request(req, Answered(sock, conn.client, conn.server))
        sock.flush()
        return goes_on

    def _asks_again(self, conn: Any) -> bool:
        """A program that asks one thing after another keeps its thread: to hand it to the main loop and back costs more
        than many an answer. What has been read ahead already is gunicorn's affair, but for what TLS has: nobody would
        hear of that."""
        if isinstance(conn.sock, ssl.SSLSocket) and conn.sock.pending():
            return True
        if not self.alive or len(self.talks) > TALKERS // 2 or conn.parser.unreader.buf.getvalue():
            return False
        look = select.poll()
        look.register(conn.sock, select.POLLIN)
        return bool(look.poll(STAYS_MS))

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Gunicorn answers in HTML, which no program reads, and its log repeats what the client sent."""
        request_id = str(uuid.uuid4())
        refusal = refusals.refusal_for(exc, request_id)
        self.log.warning("Request %s was refused: %s", request_id, type(exc).__name__)
        with suppress(OSError):  # gone already
            util.write_nonblock(client, refusals.written(refusal, request_id))

    def finish_request(self, conn: Any, fs: "Future[Any]") -> None:
        if fs.cancelled() or fs.exception() or not fs.result():
            self.nr_conns -= 1
            util.close(conn.sock)
        else:
            super().finish_request(conn, fs)

    def murder_keepalived(self, force: bool = False) -> None:
        """The main loop comes by after every new client, and once a second at least."""
        if self.nr_conns >= self.worker_connections:
            # The first of each has rested longest there.
            resting = [conns[0] for conns in (self.keepalived_conns, self.pending_conns) if conns]
            for conn in sorted(resting, key=lambda conn: conn.timeout)[:1]:
                conn.timeout = -math.inf
        super().murder_keepalived(force)

    def murder_pending(self) -> None:
        super().murder_pending()
        now = time.monotonic()
        served = self.nr_conns - len(self.keepalived_conns) - len(self.pending_conns)
        patience = min(HURRY, settings.CLIENT_TIMEOUT) if served > TALKERS else settings.CLIENT_TIMEOUT
        for talk in list(self.talks.values()):
            if talk.is_over(now, patience):
                talk.cut()

    def _cap_keepalive(self, deadline: float) -> None:
        """A worker that stops waits no longer for those who have said nothing than for those who may ask again."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)

    def run(self) -> None:
        """The process ends when its threads do: nobody is waited for then."""
        super().run()
        for talk in list(self.talks.values()):
            talk.cut()

    def _answer(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        talk = self.talks[get_ident()]
        if _read_body(environ):
            # Gunicorn would look twice for what nobody has read, at every request.
            talk.connection.parser.mesg = None
        elif environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ:
            # Where the next request would begin is known only to who reads all of this one.
            talk.connection.parser.mesg.force_close()
        talk.since, talk.reading = math.inf, False
        database = self.databases.get()
        connections[DEFAULT_DB_ALIAS] = database
        try:
            return _whole(self.application(environ, start_response), environ["wsgi.file_wrapper"])
        finally:
            del connections[DEFAULT_DB_ALIAS]
            self.databases.put(database)
            talk.since = time.monotonic()


def _read_body(environ: Environ) -> bool:
    """What the console will look at, to its end; a body that it refuses by its length, or by having none, is not waited
    for."""
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdecimal() or not 0 < int(length) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return False
    body = environ["wsgi.input"].read(int(length))
    if len(body) < int(length):
        raise NoMoreData
    environ["wsgi.input"] = io.BytesIO(body)
    return True


def _whole(answer: Any, file: type) -> Iterable[bytes]:
    """The answer and its end, for which the database may be needed; a file is read while the client takes it."""
    if isinstance(answer, file):
        return cast(Iterable[bytes], answer)
    try:
        return list(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
