"""One client for every server that is measured: signed requests made beforehand, sent over kept-alive sockets."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

FORM = "application/x-www-form-urlencoded; charset=utf-8"
VERSIONS = {"iam": "2010-05-08", "sts": "2011-06-15"}


@dataclass(frozen=True)
class Server:
    """Where a server listens, and the key that it knows."""

    port: int
    access_key_id: str
    secret: str
    token: str = ""

    def request(self, service: str, action: str, **inputs: str) -> bytes:
        """One call as the bytes of an HTTP/1.1 request, signed now; it holds for a quarter of an hour."""
        body = urlencode({"Action": action, "Version": VERSIONS[service], **inputs}).encode()
        host = f"127.0.0.1:{self.port}"
        headers = {"Host": host, "Content-Type": FORM}
        request = AWSRequest("POST", f"http://{host}/", data=body, headers=headers)
        credentials = Credentials(self.access_key_id, self.secret, self.token or None)
        SigV4Auth(credentials, service, "us-east-1").add_auth(request)
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        head = "\r\n".join(["POST / HTTP/1.1", *lines, f"Content-Length: {len(body)}", "", ""])
        return head.encode() + body


@dataclass
class Measured:
    """How long each answer took, and how long all of them together."""

    seconds: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.elapsed

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


class Connection:
    """A socket that is opened again when the server has closed it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket: socket.socket | None = None

    def ask(self, request: bytes) -> bytes:
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=30)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(request)
        head, closes, body = self._read(self.socket)
        if closes:
            self.close()
        if b" 200 " not in head[:16]:
            raise AssertionError((head + body[:2000]).decode())
        return body

    def _read(self, stream: socket.socket) -> tuple[bytes, bool, bytes]:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more(stream)
        head, _, body = received.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields[b"content-length"])
        parts, size = [body], len(body)
        while size < length:
            parts.append(self._more(stream))
            size += len(parts[-1])
        closes = fields.get(b"connection") == b"close" or head.startswith(b"HTTP/1.0")
        return head, closes, b"".join(parts)

    def _more(self, stream: socket.socket) -> bytes:
        chunk = stream.recv(262_144)
        if not chunk:
            raise ConnectionError("The server closed the connection within an answer.")
        return chunk

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def measure(port: int, requests: Sequence[bytes], connections: int = 4) -> Measured:
    """Send the requests over a few connections, each of which waits for its answer before it asks again."""
    measured, waiting, failures = Measured(), iter(requests), list[BaseException]()
    lock = threading.Lock()

    def work() -> None:
        connection = Connection(port)
        try:
            for request in _shared(waiting, lock):
                began = time.perf_counter()
                connection.ask(request)
                measured.seconds.append(time.perf_counter() - began)
        except BaseException as error:  # told to whoever waits for the threads
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(connections)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    measured.elapsed = time.perf_counter() - began
    if failures:
        raise failures[0]
    return measured


def _shared(requests: Iterator[bytes], lock: threading.Lock) -> Iterator[bytes]:
    while True:
        with lock:
            request = next(requests, None)
        if request is None:
            return
        yield request
