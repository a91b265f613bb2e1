"""A request exactly as it was sent, before any framework decoded it. Pure: signatures are checked on this."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WireRequest:
    """`path` and `query` are the raw bytes of the request line; `headers` keep their order and their duplicates."""

    method: str
    path: bytes
    query: bytes
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header_values(self, name: str) -> list[str]:
        """Every value sent for the header, whose name is given in lower case."""
        return [value for key, value in self.headers if key.lower() == name]

    def header(self, name: str) -> str | None:
        """The first value of the header, None when it was not sent."""
        return next(iter(self.header_values(name)), None)

    def header_names(self) -> Iterator[str]:
        """Names in lower case, repeated as often as they were sent."""
        return (name.lower() for name, _ in self.headers)
