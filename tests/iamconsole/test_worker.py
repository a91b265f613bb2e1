"""Clients that stop in the middle, at a real server: they hold up nobody, and are cut off."""

import math
import select
import selectors
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from django.test import override_settings
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn

from iamconsole import worker as worker_module
from iamconsole.worker import CLIENT_THREADS, CONTENDED_TIMEOUT, NO_TLS, TLS_HANDSHAKE, Exchange, Worker
from tests.federation.companies import certificate_pem, pem
from tests.iamconsole.talks import NO_FAREWELL, PAGE, QUESTION, a_talk
from tests.rig.served import Served, serve

MANY = 12  # more than the threads that answer
HEAD = b"POST /signin/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
HALF_A_BODY = HEAD + b"Connection: close\r\nContent-Length: 500\r\n\r\nname="
# More than the buffers between two sockets hold.
ANSWERS = 40


@pytest.fixture
def static_answers(static_root: Path) -> bytes:
    """A request for many answers, which are files."""
    largest = max(static_root.rglob("*.js"), key=lambda file: file.stat().st_size).relative_to(static_root)
    return f"GET /static/{largest} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * ANSWERS


@contextmanager
def stopped(served: Served, said: bytes) -> Iterator[list[socket.socket]]:
    """Clients that say this and then nothing more, and take nothing."""
    address = urlsplit(served.url)
    where = (address.hostname or "", address.port or 0)
    clients = [socket.create_connection(where, timeout=60) for _ in range(MANY)]
    try:
        for client in clients:
            client.sendall(said)
        yield clients
    finally:
        for client in clients:
            client.close()


@pytest.mark.bar(129)
def test_clients_that_stop_hold_up_nobody(tmp_path: Path, static_root: Path, static_answers: bytes) -> None:
    """The console would wait for them much longer than the test waits for its answer."""
    with serve(tmp_path, static_root, WORKERS="1", CLIENT_TIMEOUT="600") as served:
        for said in (b"", HEAD, HALF_A_BODY, static_answers, NO_FAREWELL):
            with stopped(served, said), urlopen(f"{served.url}/healthz", timeout=60) as answer:  # noqa: S310 - ours
                assert answer.status == 200, said[:100]


answering = Event()


def page(environ: Any, start_response: Any) -> list[bytes]:
    answering.set()
    start_response("200 OK", [("Content-Length", str(PAGE))])
    return [b"x" * PAGE]


def talk(connection: socket.socket, *, is_whole: bool = False, **settings: str) -> None:
    """A worker's talk with one client, as long as it goes on. A whole request is given the time to be read."""
    config = Config()
    for name, value in settings.items():
        config.set(name, value)
    worker = Worker(1, 1, [], SimpleNamespace(wsgi=lambda: page), 30, config, Logger(config))
    worker.load_wsgi()
    thread = Thread(
        target=worker.handle, daemon=True, args=[TConn(config, connection, ("127.0.0.1", 1), ("127.0.0.1", 2))]
    )
    answering.clear()
    thread.start()
    if is_whole:
        assert answering.wait(60)
    for _ in range(6000):
        worker.murder_pending()
        thread.join(0.01)
        if not thread.is_alive():
            break
    else:
        connection.close()
        raise AssertionError("The worker waits for ever.")
    worker.tmp.close()


@pytest.mark.bar(129)
@pytest.mark.parametrize(
    ("said", "told"),
    [(HEAD, b"HTTP/1.1 408 "), (HALF_A_BODY, b"HTTP/1.1 408 "), (NO_FAREWELL, b"HTTP/1.1 200 ")],
    ids=["half a head", "half a body", "an answer that is not taken"],
)
@override_settings(CLIENT_TIMEOUT=0.2)
def test_clients_that_stop_are_cut_off(said: bytes, told: bytes) -> None:
    ours, client = socket.socketpair()
    with client, ours:
        client.sendall(said)
        talk(ours, is_whole=said == NO_FAREWELL)
        received = client.makefile("rb").read()
    assert received.startswith(told)
    assert len(received) < PAGE


@pytest.fixture
def certificate(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "certificate").write_text(certificate_pem())
    (tmp_path / "key").write_text(pem())
    return {"certfile": str(tmp_path / "certificate"), "keyfile": str(tmp_path / "key")}


@pytest.mark.bar(129)
@pytest.mark.parametrize(
    "said",
    [b"", HEAD, HALF_A_BODY, NO_FAREWELL],
    ids=["half a greeting", "half a head", "half a body", "an answer that is not taken"],
)
@override_settings(CLIENT_TIMEOUT=0.5)
def test_clients_that_stop_over_tls_are_cut_off(certificate: dict[str, str], said: bytes) -> None:
    """One of them stops before the two have agreed on keys."""
    ours, client = socket.socketpair()
    talking = Thread(target=talk, args=[ours], kwargs=certificate)
    with client, ours:
        client.sendall(b"\x16\x03\x01" if not said else b"")
        talking.start()
        if said:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with suppress(OSError):  # cut off before, on a slow machine
                client = context.wrap_socket(client)
                client.sendall(said)
        talking.join(60)
        client.close()
    assert not talking.is_alive()


@override_settings(CLIENT_TIMEOUT=60)
def test_who_goes_on_is_answered() -> None:
    ours, client = socket.socketpair()
    talking = Thread(target=talk, args=[ours])
    talking.start()
    with ours:
        with client, client.makefile("rb") as answer:
            client.sendall(HALF_A_BODY + b"x" * 495)
            assert len(answer.read()) > PAGE
        talking.join()


def ask(client: socket.socket) -> bytes:
    client.sendall(QUESTION)
    answer = b""
    while not answer.endswith(b"ok"):
        answer += client.recv(4096)
    return answer


def test_who_asks_again_at_once_keeps_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "NEXT_REQUEST_WAIT_MS", 60_000)
    with a_talk() as (_, client, talking):
        for _ in range(3):
            assert ask(client).startswith(b"HTTP/1.1 200 ")
        assert not talking.done()
        client.shutdown(socket.SHUT_WR)
        assert talking.result(60) is False


def test_who_pauses_gives_the_thread_back() -> None:
    with a_talk() as (_, client, talking):
        ask(client)
        assert talking.result(60) is True


@pytest.mark.parametrize("ending", ["many others talk", "the worker stops"])
def test_nobody_stays_when(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "NEXT_REQUEST_WAIT_MS", 600_000)
    with a_talk() as (worker, client, talking):
        if ending == "the worker stops":
            worker.alive = False
        else:
            worker.exchanges.update({-number: Exchange(None, 0) for number in range(CLIENT_THREADS)})
        ask(client)
        client.shutdown(socket.SHUT_WR)
        assert talking.result(60) is (ending != "the worker stops")


def test_who_has_said_nothing_does_not_keep_the_console_from_stopping() -> None:
    config = Config()
    worker = Worker(1, 1, [], SimpleNamespace(), 30, config, Logger(config))
    silent = SimpleNamespace(timeout=30.0)
    worker.pending_conns.append(silent)
    worker._cap_keepalive(2.0)
    worker.tmp.close()
    assert silent.timeout == 2.0


@pytest.mark.bar(129)
@pytest.mark.parametrize("kind", ["silent", "kept"])
@pytest.mark.parametrize(("connections", "closed"), [(2, []), (3, ["oldest"]), (4, ["oldest"])])
def test_who_has_rested_longest_makes_room_for_the_next(kind: str, connections: int, closed: list[str]) -> None:
    config = Config()
    config.set("worker_connections", 3)
    worker = Worker(1, 1, [], SimpleNamespace(), 30, config, Logger(config))
    worker.poller = selectors.DefaultSelector()
    worker.nr_conns = connections
    left = list[str]()
    now = time.monotonic()
    with ExitStack() as opened:
        for resting, waits in ((worker.pending_conns, "silent"), (worker.keepalived_conns, "kept")):
            for name, seconds in ({"oldest": 10, "newer": 30} if waits == kind else {"old": 20}).items():
                sock = opened.enter_context(socket.socket())
                resting.append(SimpleNamespace(timeout=now + seconds, sock=sock, close=partial(left.append, name)))
                worker.poller.register(sock, selectors.EVENT_READ)
        worker.murder_keepalived()
        worker.murder_pending()
    worker.poller.close()
    worker.tmp.close()
    assert (left, worker.nr_conns) == (closed, connections - len(closed))


@pytest.mark.bar(129)
@pytest.mark.parametrize(("talking", "cut"), [(CLIENT_THREADS, []), (CLIENT_THREADS + 1, ["slow"])])
def test_nobody_is_waited_for_long_while_others_wait(talking: int, cut: list[str]) -> None:
    """Those who rest want no thread."""
    config = Config()
    worker = Worker(1, 1, [], SimpleNamespace(), 30, config, Logger(config))
    worker.pending_conns.append(SimpleNamespace(timeout=math.inf))
    worker.keepalived_conns.append(SimpleNamespace(timeout=math.inf))
    worker.nr_conns = talking + 2
    now = time.monotonic()
    with ExitStack() as opened:
        clients = dict[str, socket.socket]()
        for number, (name, since) in enumerate(
            {"slow": now - CONTENDED_TIMEOUT - 1, "new": now, "answered": math.inf}.items()
        ):
            ours, clients[name] = map(opened.enter_context, socket.socketpair())
            worker.exchanges[number] = Exchange(SimpleNamespace(sock=ours), since)
        worker.murder_pending()
        ended = [name for name, client in clients.items() if select.select([client], [], [], 0)[0]]
    worker.tmp.close()
    assert ended == cut


@pytest.mark.parametrize(
    ("workers", "kept", "resting", "is_taken"),
    [(2, 0, 0, True), (2, 1, 0, False), (2, 1, 1, True), (1, 1, 0, True)],
    ids=["an idle one", "a busy one", "one whose clients rest", "the only one"],
)
def test_a_worker_leaves_a_client_to_a_less_busy_one(
    workers: int, kept: int, resting: int, is_taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one has nothing to do, and takes a client as soon as it is let."""
    config = Config()
    config.set("workers", workers)
    worker = Worker(1, 1, [], SimpleNamespace(), 30, config, Logger(config))
    worker.nr_conns = kept
    worker.keepalived_conns.extend([SimpleNamespace()] * resting)
    taken = list[socket.socket]()
    monkeypatch.setattr(worker, "enqueue_req", lambda connection: taken.append(connection.sock))
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        listener.setblocking(False)
        others = list[socket.socket]()
        monkeypatch.setattr("time.sleep", lambda seconds: others.append(listener.accept()[0]))
        worker.accept(listener)
        for client in (*taken, *others):
            client.close()
    worker.tmp.close()
    assert [len(taken), len(others)] == [is_taken, not is_taken]
    assert worker.nr_conns == kept + is_taken


def test_who_speaks_tls_where_nobody_does_is_told() -> None:
    ours, client = socket.socketpair()
    with client, ours:
        client.sendall(TLS_HANDSHAKE + b"\x03\x01\x02\x00")
        client.shutdown(socket.SHUT_WR)
        talk(ours)
        assert client.makefile("rb").read() == NO_TLS


def test_what_tls_has_read_ahead_is_answered_too(certificate: dict[str, str]) -> None:
    """A request in one record with the end of another wakes nobody when it is to be read."""
    ours, client = socket.socketpair()
    client.settimeout(60)
    talking = Thread(target=talk, args=[ours], kwargs={**certificate, "keepalive": "60"})
    talking.start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with ours, context.wrap_socket(client) as wrapped:
        wrapped.sendall(HEAD + b"Content-Length: 9000\r\n\r\n")
        wrapped.sendall(b"x" * 9000 + NO_FAREWELL)
        assert wrapped.makefile("rb").read().count(b"HTTP/1.1 200 ") == 2
    talking.join(60)
    assert not talking.is_alive()
