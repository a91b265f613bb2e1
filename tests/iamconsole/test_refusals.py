"""What the server itself refuses is told as the endpoint tells everything, and nothing of it is repeated."""

import socket
from threading import Thread
from typing import Any

import pytest

from iamconsole.worker import Worker
from tests.api.program import xml
from tests.iamconsole.talks import QUESTION, a_talk
from tests.iamconsole.test_worker import certificate, talk

__all__ = ["certificate"]

SIGNED = b"?X-Amz-Signature=53cr37"
REFUSED = [
    (b"GET /" + SIGNED + b"\r\n\r\n", 400, "MalformedRequest"),
    (b"GE(T /" + SIGNED + b" HTTP/1.1\r\n\r\n", 400, "MalformedRequest"),
    (b"GET / HTTP/7.0\r\n\r\n", 400, "MalformedRequest"),
    (b"GET / HTTP/1.1\r\n53cr37\r\n\r\n", 400, "MalformedRequest"),
    (QUESTION[:-2] + b"Content-Length: 53cr37\r\n\r\n", 400, "MalformedRequest"),
    (b"GET /" + SIGNED + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", 414, "RequestUriTooLong"),
    (QUESTION[:-2] + b"Cookie: " + b"53cr37" * 9000 + b"\r\n\r\n", 431, "RequestHeaderSectionTooLarge"),
    (QUESTION[:-2] + b"".join(b"X-%d: 53cr37\r\n" % n for n in range(200)) + b"\r\n", 431, None),
    (QUESTION[:-2] + b"Expect: 53cr37\r\n\r\n", 417, "MalformedRequest"),
    (QUESTION[:-2] + b"Transfer-Encoding: 53cr37\r\n\r\n", 501, "NotImplemented"),
]


def read(answer: bytes) -> tuple[int, dict[str, str]]:
    """The status, and what the error says."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert {"Connection: close", "Content-Type: text/xml", f"Content-Length: {len(body)}"} <= set(lines)
    root = xml(body)
    said = {element.tag.partition("}")[2]: element.text or "" for element in root.iter()}
    assert root.tag == "{https://iam.amazonaws.com/doc/2010-05-08/}ErrorResponse"
    assert f"x-amzn-RequestId: {said['RequestId']}" in lines
    return int(lines[0].split(" ")[1]), said


@pytest.mark.bar(126)
@pytest.mark.parametrize(("said", "status", "code"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_request_is_refused_in_xml(
    said: bytes, status: int, code: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    with a_talk() as (_, client, talking):
        client.sendall(said)
        client.shutdown(socket.SHUT_WR)
        answer = client.makefile("rb").read()
        assert talking.result(60) is False
    told, error = read(answer)
    assert (told, error["Type"]) == (status, "Receiver" if status == 501 else "Sender")
    assert code in (None, error["Code"]) and error["Message"]
    assert b"53cr37" not in answer and "53cr37" not in "".join(capfd.readouterr())


def test_a_fault_of_ours_is_told_by_its_number_only(caplog: pytest.LogCaptureFixture) -> None:
    password = "53cr37"

    def broken(environ: Any, start_response: Any) -> list[bytes]:
        raise RuntimeError(password)

    with a_talk(broken) as (_, client, talking):
        client.sendall(QUESTION)
        client.shutdown(socket.SHUT_WR)
        status, error = read(client.makefile("rb").read())
        assert talking.result(60) is False
    assert (status, error["Code"], error["Type"]) == (500, "InternalFailure", "Receiver")
    assert error["RequestId"] in caplog.text and "RuntimeError" in caplog.text and "53cr37" not in caplog.text


def test_who_speaks_no_tls_where_it_is_wanted_is_told(certificate: dict[str, str]) -> None:
    ours, client = socket.socketpair()
    with client, ours:
        talking = Thread(target=talk, args=[ours], kwargs=certificate)
        talking.start()
        client.sendall(QUESTION)
        client.shutdown(socket.SHUT_WR)
        answer = client.makefile("rb").read()
        talking.join(60)
    assert read(answer)[1]["Message"] == "Begin the address with https: this port speaks TLS."


def test_who_has_gone_is_told_nothing() -> None:
    with a_talk() as (worker, client, talking):
        client.shutdown(socket.SHUT_WR)
        talking.result(60)
        client.close()
        assert isinstance(worker, Worker)
        worker.handle_error(None, client, ("127.0.0.1", 1), ValueError("gone"))
