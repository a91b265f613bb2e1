"""Header fields of requests, matched by one regular expression where nothing in them is in doubt.

Gunicorn reads them line by line, and looks up at each request anew whether the client is a proxy to be believed. Here
nobody is believed (see `serve`), and nearly all clients write header fields as the examples of RFC 9112 do. Whatever
is written in another way (an underscore, other white space, a name that comes twice) or has a meaning to gunicorn
(Expect) is read, or refused, by gunicorn.
"""

import re
from typing import Any

from gunicorn.http.message import Request

_FIELD = re.compile(r"([A-Za-z0-9-]+): ([!-~](?:[ -~]*[!-~])?)\r\n")
_FOR_GUNICORN = "EXPECT"


class PlainRequest(Request):  # type: ignore[misc] # gunicorn has no types
    """`mesg_class` of gunicorn's RequestParser."""

    def parse_headers(self, data: bytes, from_trailer: bool = False) -> Any:
        """Names in capitals, and values. Raises what gunicorn's own raises."""
        fields = None if from_trailer else self._plain_fields(f"{data.decode('latin-1')}\r\n")
        return super().parse_headers(data, from_trailer) if fields is None else fields

    def _plain_fields(self, text: str) -> list[tuple[str, str]] | None:
        """None where something is not plain: then the fields that match do not make up the whole text."""
        fields = [(name.upper(), value) for name, value in _FIELD.findall(text)]
        sizes = [len(name) + len(value) + len(": \r\n") for name, value in fields]
        names = {name for name, _ in fields}
        is_plain = (
            sum(sizes) == len(text)
            and len(names) == len(fields) <= self.limit_request_fields
            and max(sizes) <= self.limit_request_field_size
            and _FOR_GUNICORN not in names
        )
        return fields if is_plain else None
