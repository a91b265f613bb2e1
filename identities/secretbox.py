"""Sealing small secrets for the database: AES-256-GCM, bound to the row they belong to, with the key's id beside them.

Pure: the keys come from outside the database and are handed in. The newest key seals, every key opens.
"""

import base64
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class SecretUnreadable(Exception):
    """A sealed text that is not what this row sealed: another key, another row, or altered."""


class SecretBox:
    """`keys` are (id, 32 bytes), newest first."""

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        if not keys:
            raise ValueError("There is no encryption key: run `make setup`, or set ENCRYPTION_KEYS.")
        self._newest = keys[0][0]
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys}

    def seal(self, plain: str, row: str) -> str:
        """`row` names the row and field, such as `access-key:AKIA…`; the text opens only for the same name."""
        return self.seal_bytes(plain.encode(), row)

    def seal_bytes(self, plain: bytes, row: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._newest].encrypt(nonce, plain, row.encode())
        return f"1.{self._newest}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, row: str) -> str:
        """Raises SecretUnreadable; never returns anything but what was sealed for this row."""
        return self.open_bytes(sealed, row).decode()

    def open_bytes(self, sealed: str, row: str) -> bytes:
        """As `open`. Raises SecretUnreadable."""
        try:
            version, key_id, text = sealed.split(".", 2)
            blob = base64.b64decode(text, validate=True)
            # The last letter of base64 may carry bits that mean nothing: only the one spelling counts.
            if version != "1" or not hmac.compare_digest(base64.b64encode(blob), text.encode()):
                raise SecretUnreadable(f"Unknown form `{version}`.")
            return self._ciphers[key_id].decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], row.encode())
        except (KeyError, ValueError, InvalidTag) as error:
            raise SecretUnreadable(f"The secret of `{row}` can't be opened with the present keys.") from error

    def is_current(self, sealed: str) -> bool:
        """Whether the newest key sealed it; others are due for `manage.py rotatekeys`."""
        return sealed.split(".", 2)[1:2] == [self._newest]
