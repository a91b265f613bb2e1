"""The listener: on loopback, and nothing that it sends gets past this machine."""

import ipaddress
import socket
import socketserver
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from iamconsole.agent.metadata import Answer, Asked, Metadata

DEFAULT_PORT = 9911


class NotLoopback(Exception):
    """An address that others could reach."""


def parsed(listen: str) -> tuple[str, int]:
    """`127.0.0.1:9911` or `[::1]:9911`. Raises NotLoopback."""
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        address = ipaddress.ip_address(host)
        number = int(port)
    except ValueError as error:
        raise NotLoopback(f"{listen} is not an address and port, such as 127.0.0.1:{DEFAULT_PORT}.") from error
    if not address.is_loopback or not 0 <= number <= 65535:
        raise NotLoopback(f"{listen} can be reached from elsewhere: credentials are given on loopback only.")
    return host, number


class MetadataServer(ThreadingHTTPServer):
    """One thread per request, which ends with the process."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], metadata: Metadata) -> None:
        self.metadata = metadata
        if ipaddress.ip_address(address[0]).version == 6:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Without asking DNS what this machine is called. Connections inherit the listener's hop limit."""
        _one_hop(self.socket)
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment] # the types know sockets of every kind

    @property
    def url(self) -> str:
        host = f"[{self.server_name}]" if ":" in self.server_name else self.server_name
        return f"http://{host}:{self.server_port}"


def _one_hop(connection: socket.socket) -> None:
    """No router passes a packet of ours on, as with EC2's hop limit of 1."""
    if connection.family == socket.AF_INET6:
        connection.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 1)
    else:
        connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.0: one request, one answer."""

    server: MetadataServer
    # Whoever says nothing does not hold a thread.
    timeout = 10
    server_version, sys_version = "iamconsole-machineagent", ""

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        # Of a header that comes twice somebody else might read the other one.
        is_plain = len(headers) == len(self.headers)
        answer = self.server.metadata.answer(Asked(self.command, self.path, headers)) if is_plain else Answer(400)
        content = answer.text.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json" if answer.is_json else "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_OPTIONS = do_PATCH = _answer

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: applications ask all the time."""
