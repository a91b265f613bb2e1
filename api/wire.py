"""A request exactly as it was sent, before any framework decoded it. Pure: signatures are checked on this."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class WireRequest:
    """`path` and `query` are the raw bytes of the request line; `headers` keep their order and their duplicates.
    `body_hash` stands for a body that only somebody else has seen."""

    method: str
    path: bytes
    query: bytes
    headers: tuple[tuple[str, str], ...]
    body: bytes
    body_hash: str = ""
    _values: Mapping[str, list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        values: dict[str, list[str]] = {}
        for name, value in self.headers:
            values.setdefault(name.lower(), []).append(value)
        object.__setattr__(self, "_values", values)

    def header_values(self, name: str) -> list[str]:
        """Every value sent for the header, whose name is given in lower case."""
        return self._values.get(name, [])

    def header(self, name: str) -> str | None:
        """The first value of the header, None when it was not sent."""
        values = self._values.get(name)
        return values[0] if values else None

    @property
    def header_names(self) -> Set[str]:
        """In lower case."""
        return self._values.keys()

    def repeated_headers(self) -> list[str]:
        """The names, in lower case, that were sent more than once."""
        return [name for name, values in self._values.items() if len(values) > 1]


def from_environ(environ: Mapping[str, Any], body: bytes) -> WireRequest:
    """The request that a WSGI server has read."""
    path, query = (text.encode("latin-1") for text in (_raw_path(environ), environ.get("QUERY_STRING", "")))
    return WireRequest(environ["REQUEST_METHOD"], path, query, tuple(_headers(environ)), body)


def _raw_path(environ: Mapping[str, Any]) -> str:
    """WSGI hands over a decoded path; gunicorn the request's own words beside it."""
    sent: str = environ.get("RAW_URI", "")
    if sent.startswith("/"):
        return sent.partition("?")[0]
    path: str = environ.get("PATH_INFO", "/")
    # A server's word is one character for each byte; what is more came from somewhere else and is written as UTF-8.
    return quote(path, safe="/", encoding="latin-1" if max(path, default="/") <= "\xff" else "utf-8")


def _headers(environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """WSGI hands over repeated headers joined by commas, so that no signed one can hide behind another."""
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-").lower(), value
        elif name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield name.replace("_", "-").lower(), value
