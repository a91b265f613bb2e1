"""Asking the console: one request over one connection, no redirects, no proxy, nothing read without end."""

import http.client
import ipaddress
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 10.0
LONGEST_ANSWER = 65_536
# Answers that are about this machine and will be the same until somebody changes something.
FINAL = {"AssumeRoleUnauthorizedAccess", "InvalidJoinToken", "InvalidMachineProof", "NoRole", "ValidationError"}


class BadAddress(Exception):
    """An address that no console can safely have."""


class Unreachable(Exception):
    """No answer, or none of the console's: worth trying again."""


class Refused(Exception):
    """The console said no."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Console:
    """Where it is. Over plain http only on this machine, or where the operator has said so."""

    host: str
    port: int | None
    tls: ssl.SSLContext | None

    @classmethod
    def at(cls, address: str, *, ca_file: str = "", allow_http: bool = False) -> "Console":
        """Raises BadAddress."""
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError as error:
            raise BadAddress(f"{address} is not the address of a console: {error}.") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
            raise BadAddress(f"{address} is not the address of a console, such as https://iam.example.com.")
        if parts.scheme == "http" and not (allow_http or is_loopback(parts.hostname)):
            raise BadAddress(f"{address} is not encrypted: use https, or say --allow-http if you must.")
        tls = ssl.create_default_context(cafile=ca_file or None) if parts.scheme == "https" else None
        return cls(parts.hostname, port, tls)

    def post(self, path: str, body: bytes, proof: str) -> dict[str, Any]:
        """Raises Unreachable, Refused."""
        headers = {"Authorization": proof, "Content-Type": "application/json", "User-Agent": "iamconsole-machineagent"}
        connection = self._connection()
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            text = response.read(LONGEST_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"The console at {self.host} can't be reached: {error}") from error
        finally:
            connection.close()
        return self._read(response.status, text)

    def _connection(self) -> http.client.HTTPConnection:
        if self.tls is not None:
            return http.client.HTTPSConnection(self.host, self.port, timeout=TIMEOUT, context=self.tls)
        return http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT)

    def _read(self, status: int, text: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):
            answer = None
        if status == 200 and isinstance(answer, dict):
            return answer
        error = answer.get("Error") if isinstance(answer, dict) else None
        if isinstance(error, Mapping) and error.get("Code") in FINAL:
            raise Refused(str(error["Code"]), str(error.get("Message", "")))
        said = f": {error.get('Message')}" if isinstance(error, Mapping) else ""
        raise Unreachable(f"The console at {self.host} answered with {status}{said}")


def is_loopback(host: str) -> bool:
    """Whether a name means this very machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
