"""Where an answer begins and ends, and where the body of a request does."""

import io
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from django.test import override_settings

from iamconsole import worker as worker_module
from iamconsole.worker import SEND_BUFFER_BYTES
from tests.iamconsole.talks import NO_FAREWELL, PAGE, QUESTION, a_talk, short


def in_chunks(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"one", b"two"]


def unchanged(environ: Any, start_response: Any) -> list[bytes]:
    start_response("304 Not Modified", [])
    return []


@pytest.mark.parametrize(
    ("application", "question", "ending"),
    [
        (short, QUESTION, b"\r\n\r\nok"),
        (short, QUESTION.replace(b"GET", b"HEAD"), b"\r\n\r\n"),
        (unchanged, QUESTION, b"\r\n\r\n"),
        (in_chunks, QUESTION, b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"),
    ],
    ids=["of known length", "without its body", "without a body", "in chunks"],
)
def test_an_answer_arrives_in_one_piece(
    application: Any, question: bytes, ending: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A packet is received for each that was sent."""
    monkeypatch.setattr(worker_module, "NEXT_REQUEST_WAIT_MS", 60_000)
    with a_talk(application, socket.SOCK_SEQPACKET) as (_, client, talking):
        for _ in range(2):
            client.sendall(question)
            head, separator, body = client.recv(4096).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 ")
            assert separator + body == ending
        client.shutdown(socket.SHUT_WR)
        talking.result(60)


FILE = b"x" * (SEND_BUFFER_BYTES + 1)


class Breaking(io.RawIOBase):
    """A file that can be read only once."""

    parts: Iterator[bytes]

    def read(self, size: int = -1) -> bytes:
        part = next(self.parts, None)
        if part is None:
            raise ValueError("This file is broken.")
        return part


def on_the_disk(folder: Path) -> IO[bytes]:
    (folder / "file").write_bytes(FILE)
    return (folder / "file").open("rb")


def in_memory(folder: Path) -> IO[bytes]:
    return io.BytesIO(FILE)


def broken(folder: Path) -> Breaking:
    file = Breaking()
    file.parts = iter([FILE])
    return file


@pytest.mark.parametrize(("make", "length"), [(on_the_disk, 1), (in_memory, 1), (broken, 2)])
def test_a_file_is_sent_after_its_head(make: Callable[[Path], Any], length: int, tmp_path: Path) -> None:
    """Of one that can't be read to its end, what was read; and nothing more is said on that connection."""
    file = make(tmp_path)

    def download(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", str(len(FILE) * length))])
        return environ["wsgi.file_wrapper"](file)

    with a_talk(download) as (_, client, talking):
        client.sendall(NO_FAREWELL)
        client.shutdown(socket.SHUT_WR)
        received = client.makefile("rb").read()
        talking.result(60)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.endswith(b"\r\n\r\n" + FILE)
    assert file.closed


def test_who_waits_to_be_asked_for_the_body_is_asked() -> None:
    with a_talk() as (_, client, talking):
        client.sendall(QUESTION.replace(b"GET", b"POST")[:-2] + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert client.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hi")
        assert client.recv(4096).endswith(b"\r\n\r\nok")
        client.shutdown(socket.SHUT_WR)
        talking.result(60)


def echo(environ: Any, start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def test_the_next_request_begins_where_a_body_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "NEXT_REQUEST_WAIT_MS", 60_000)
    with a_talk(echo) as (_, client, talking):
        for said in (b"one", QUESTION):
            client.sendall(
                QUESTION.replace(b"GET", b"POST")[:-2] + f"Content-Length: {len(said)}\r\n\r\n".encode() + said
            )
            assert client.recv(4096).endswith(b"\r\n\r\n" + said)
        client.sendall(NO_FAREWELL.replace(b"GET", b"POST")[:-2] + b"Content-Length: 2\r\n\r\nhi" + QUESTION)
        client.shutdown(socket.SHUT_WR)
        assert client.makefile("rb").read().count(b"HTTP/1.1 ") == 1
        assert talking.result(60) is False


def test_a_body_that_nobody_read_does_not_become_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "NEXT_REQUEST_WAIT_MS", 60_000)
    with a_talk() as (_, client, talking), override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1):
        client.sendall(QUESTION.replace(b"GET", b"POST")[:-2] + f"Content-Length: {len(QUESTION)}\r\n\r\n".encode())
        answer = client.recv(4096)
        assert b"\r\nConnection: close\r\n" in answer and answer.endswith(b"\r\n\r\nok")
        client.sendall(QUESTION)
        client.shutdown(socket.SHUT_WR)
        assert client.makefile("rb").read() == b""
        assert talking.result(60) is False


def test_who_is_refused_for_a_body_may_send_it_and_reads_why() -> None:
    """Many programs look for an answer only when they have sent everything."""
    body = b"x" * PAGE
    with a_talk() as (_, client, talking):
        client.sendall(QUESTION.replace(b"GET", b"POST")[:-2] + f"Content-Length: {PAGE}\r\n\r\n".encode())
        client.sendall(body)
        client.shutdown(socket.SHUT_WR)
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 200 ")
        assert talking.result(60) is False
