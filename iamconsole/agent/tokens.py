"""The session tokens of the metadata service: sealed by a key that only this process has, so that none outlives it
and none has to be remembered."""

import base64
import hashlib
import hmac
import secrets
import struct
import time
from binascii import Error as NotBase64
from collections.abc import Callable

SHORTEST, LONGEST = 1, 21600
# Together with its mark a multiple of three: then base64 has no bits that mean nothing, and a token one spelling.
_HEAD, _RANDOM = struct.Struct(">d17s"), 17


class MetadataTokens:
    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._key, self._clock = secrets.token_bytes(32), clock

    def new(self, seconds: int) -> str:
        head = _HEAD.pack(self._clock() + seconds, secrets.token_bytes(_RANDOM))
        return base64.urlsafe_b64encode(head + self._mark(head)).decode()

    def is_good(self, token: str) -> bool:
        try:
            raw = base64.urlsafe_b64decode(token.encode())
        except (NotBase64, ValueError):
            return False
        head, mark = raw[: _HEAD.size], raw[_HEAD.size :]
        if len(head) != _HEAD.size or not hmac.compare_digest(mark, self._mark(head)):
            return False
        ends, _ = _HEAD.unpack(head)
        return self._clock() < float(ends)

    def _mark(self, head: bytes) -> bytes:
        return hmac.new(self._key, head, hashlib.sha256).digest()
