"""A request exactly as it was sent, before any framework decoded it. Pure: signatures are checked on this."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


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

    def header_names(self) -> Iterator[str]:
        """Names in lower case, repeated as often as they were sent."""
        return (name.lower() for name, _ in self.headers)
