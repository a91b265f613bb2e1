"""Gunicorn's threaded worker, for clients that may stop in the middle of a request or of its answer.

In gunicorn's own a thread that reads from a client, or writes to it, can do nothing else: as many clients as there are
threads stop the console by stopping themselves. Here many cheap client threads read requests and send responses, while
the application runs in as many of them at a time as there are connections to the database, which are a pool. A client
that lets its thread wait for longer than CLIENT_TIMEOUT is cut off, and one that has sent nothing yet, or keeps its
connection for later, costs no thread.

Where there is no room for another connection, the one that has been idle longest is closed; where there is no thread
left, clients are waited for only a few seconds.
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
from iamconsole.open_files import room_for
from iamconsole.request_headers import PlainRequest

CLIENT_THREADS = 64
# How long a thread waits for the next request of its client.
NEXT_REQUEST_WAIT_MS = 20
# In seconds; instead of CLIENT_TIMEOUT while others wait for a thread.
CONTENDED_TIMEOUT = 5
ACCEPT_DELAY_PER_CLIENT, MAX_ACCEPT_DELAY = 0.001, 0.002
SEND_BUFFER_BYTES = 64 * 1024
# What a client may go on sending after it was refused: one that can't stop would not see why.
MAX_DRAIN_BYTES = 16 * 1024 * 1024
# SQLite opens three files for a thread's connection.
FILES_PER_DATABASE_CONNECTION = 3
TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
# The type of the record that every client begins TLS with.
TLS_HANDSHAKE = b"\x16"
NO_TLS = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nThis address begins with http, not with https.\n"

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass(slots=True)
class Exchange:
    """One request and its response on a client thread. The client is waited for since `waiting_since`: infinity while
    the application runs, when nobody waits for it."""

    connection: Any
    waiting_since: float
    reading: bool = True

    def has_timed_out(self, now: float, timeout: float) -> bool:
        return now - self.waiting_since > timeout

    def abort(self) -> None:
        """Wake the thread that waits for the client. TLS can't be spoken from two threads, so there nothing is said."""
        sock = self.connection.sock
        with suppress(OSError):
            if self.reading and not isinstance(sock, ssl.SSLSocket):
                sock.send(TIMED_OUT, socket.MSG_DONTWAIT)
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


class BufferedSocket:
    """A socket that sends the head of a response together with its body: gunicorn writes them one after the other, and
    each piece that goes out alone wakes the client. Any other use of the socket flushes the buffer first."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()

    def sendall(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) >= SEND_BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        if self._buffer:
            buffered, self._buffer = self._buffer, bytearray()
            self._sock.sendall(buffered)

    def __getattr__(self, name: str) -> Any:
        self.flush()
        return getattr(self._sock, name)


@dataclass(slots=True)
class BufferedConnection:
    """As much of gunicorn's TConn as its `handle_request` reads, with a buffered socket."""

    sock: BufferedSocket
    client: Any
    server: Any


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """`--threads` is how many requests the application handles at a time."""

    wsgi: Any
    application: Application

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.exchanges: dict[int, Exchange] = {}
        self.database_pool: SimpleQueue[BaseDatabaseWrapper] = SimpleQueue()
        for _ in range(self.cfg.threads):
            database = connections.create_connection(DEFAULT_DB_ALIAS)
            database.inc_thread_sharing()
            self.database_pool.put(database)

    def init_process(self) -> None:
        """Gunicorn looks a setting up in a table at each use, two dozen times for a request. They don't change while a
        worker runs, so they become plain attributes here."""
        attributes: dict[str, Any] = self.cfg.__dict__
        for name, setting in self.cfg.settings.items():
            attributes.setdefault(name, setting.get())
        # Each client thread may be sending a file.
        other_files = CLIENT_THREADS + self.cfg.threads * FILES_PER_DATABASE_CONNECTION
        self.worker_connections = room_for(self.cfg.worker_connections, other_files)
        self.max_keepalived = self.worker_connections - self.cfg.threads
        super().init_process()

    def get_thread_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(CLIENT_THREADS, "client")

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.application, self.wsgi = self.wsgi, self._run_application

    def accept(self, listener: Any) -> None:
        """All workers are woken for a new client. A busy one waits a moment, so that a less busy one accepts first: a
        connection stays where it was accepted, and while three of four are with one worker, a processor stands idle."""
        busy_with = self.nr_conns - len(self.keepalived_conns)
        if busy_with and self.cfg.workers > 1:
            time.sleep(min(busy_with * ACCEPT_DELAY_PER_CLIENT, MAX_ACCEPT_DELAY))
        super().accept(listener)

    def enqueue_req(self, conn: Any) -> None:
        """A client gets a thread only once it has begun to send."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: Any) -> Any:
        """Whatever waits for a client is done in its thread: the graceful close, too, which gunicorn leaves to the main
        loop. Returns whether the connection is kept."""
        is_kept = not self._refuse_wrong_scheme(conn) and self._handle_one(conn)
        while is_kept and self._has_next_request(conn):
            conn.parser.mesg_class = PlainRequest
            is_kept = self._handle_one(conn)
        if not is_kept:
            with suppress(OSError):  # closed already
                conn.sock.setblocking(True)
                util.close_graceful(conn.sock, max_drain=MAX_DRAIN_BYTES)
        return is_kept

    def _refuse_wrong_scheme(self, conn: Any) -> bool:
        """Refuse a client that speaks TLS where nobody does (it would wait for a reply to its handshake, and the server
        for the end of a line), or plain HTTP where everybody speaks TLS. Returns whether it was refused."""
        if conn.initialized:
            return False
        wants_tls = bool(self.cfg.is_ssl)
        with suppress(OSError):
            first = conn.sock.recv(1, socket.MSG_PEEK)
            if first and (first == TLS_HANDSHAKE) != wants_tls:
                conn.sock.send(refusals.only_tls() if wants_tls else NO_TLS)
                return True
        return False

    def _handle_one(self, conn: Any) -> Any:
        me = get_ident()
        self.exchanges[me] = Exchange(conn, time.monotonic())
        try:
            return super().handle(conn)
        finally:
            del self.exchanges[me]

    def handle_request(self, req: Any, conn: Any) -> Any:
        sock = BufferedSocket(conn.sock)
        is_kept = super().handle_request(req, BufferedConnection(sock, conn.client, conn.server))
        sock.flush()
        return is_kept

    def _has_next_request(self, conn: Any) -> bool:
        """A program that sends one request after another keeps its thread: to hand its connection to the main loop and
        back costs more than many a response. What has been read ahead already is gunicorn's affair, but for what TLS
        has: no poller would tell of that."""
        if isinstance(conn.sock, ssl.SSLSocket) and conn.sock.pending():
            return True
        if not self.alive or len(self.exchanges) > CLIENT_THREADS // 2 or conn.parser.unreader.buf.getvalue():
            return False
        readable = select.poll()
        readable.register(conn.sock, select.POLLIN)
        return bool(readable.poll(NEXT_REQUEST_WAIT_MS))

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
            # The first of each has been idle longest there.
            idle = [conns[0] for conns in (self.keepalived_conns, self.pending_conns) if conns]
            for conn in sorted(idle, key=lambda conn: conn.timeout)[:1]:
                conn.timeout = -math.inf
        super().murder_keepalived(force)

    def murder_pending(self) -> None:
        super().murder_pending()
        now = time.monotonic()
        wanting_threads = self.nr_conns - len(self.keepalived_conns) - len(self.pending_conns)
        timeout = settings.CLIENT_TIMEOUT
        if wanting_threads > CLIENT_THREADS:
            timeout = min(CONTENDED_TIMEOUT, timeout)
        for exchange in list(self.exchanges.values()):
            if exchange.has_timed_out(now, timeout):
                exchange.abort()

    def _cap_keepalive(self, deadline: float) -> None:
        """A worker that stops waits no longer for clients that have sent nothing than for those that may send again."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)

    def run(self) -> None:
        """The process ends when its threads do: nobody is waited for then."""
        super().run()
        for exchange in list(self.exchanges.values()):
            exchange.abort()

    def _run_application(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The WSGI application that gunicorn calls. It holds a connection to the database while ours runs, and neither
        while the body of the request arrives nor while the client takes the response."""
        exchange = self.exchanges[get_ident()]
        if _read_body(environ):
            # Gunicorn would look twice for an unread rest of it, at every request.
            exchange.connection.parser.mesg = None
        elif environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ:
            # Where the next request would begin is known only to who reads all of this one.
            exchange.connection.parser.mesg.force_close()
        exchange.waiting_since, exchange.reading = math.inf, False
        database = self.database_pool.get()
        connections[DEFAULT_DB_ALIAS] = database
        try:
            return _run_to_end(self.application(environ, start_response), environ["wsgi.file_wrapper"])
        finally:
            del connections[DEFAULT_DB_ALIAS]
            self.database_pool.put(database)
            exchange.waiting_since = time.monotonic()


def _read_body(environ: Environ) -> bool:
    """Read a body that the application will look at, to its end. One that it refuses by its length, or for having
    none, is not waited for. Returns whether it was read."""
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdecimal() or not 0 < int(length) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return False
    body = environ["wsgi.input"].read(int(length))
    if len(body) < int(length):
        raise NoMoreData
    environ["wsgi.input"] = io.BytesIO(body)
    return True


def _run_to_end(response: Any, file_wrapper: type) -> Iterable[bytes]:
    """All parts of a response, which is closed then: both may need the database. A file is read while the client takes
    it."""
    if isinstance(response, file_wrapper):
        return cast(Iterable[bytes], response)
    try:
        return list(response)
    finally:
        if hasattr(response, "close"):
            response.close()
