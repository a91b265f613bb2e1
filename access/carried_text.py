"""A text that travels in an address from step to step: packed, so that a trust policy fits beside the rest. Pure."""

import base64
import binascii
import zlib

LONGEST = 20_000
# Beside it the address holds policies, tags and a name; servers and proxies cut it at about 8,000 characters.
LONGEST_PACKED = 3_500


def packed(text: str) -> str:
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def unpacked(word: str, longest: int = LONGEST_PACKED) -> str:
    """The text; '' for what was not made by `packed`. Never more than LONGEST, whatever the word claims to hold."""
    if len(word) > longest:
        return ""
    try:
        raw = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
        opened = zlib.decompressobj()
        text = opened.decompress(raw, LONGEST).decode()
    except (binascii.Error, zlib.error, ValueError):
        return ""
    return text if opened.eof else ""
