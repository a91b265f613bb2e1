"""Random tokens for browsers and links, and the hash under which they are stored. Pure."""

import hashlib
import hmac
import re
import secrets

_SHAPE = re.compile(r"[\w-]{43}", re.ASCII)


def new_token() -> str:
    """256 random bits, safe in an address and a cookie."""
    return secrets.token_urlsafe(32)


def looks_like_token(text: str) -> bool:
    """Whether `text` has the shape of a token, which says nothing about its being one."""
    return _SHAPE.fullmatch(text) is not None


def token_hash(token: str, purpose: str) -> str:
    """What the database holds. The purpose is part of it: a token made for one use is unknown in every other."""
    return hashlib.sha256(f"{purpose}:{token}".encode()).hexdigest()


def same(first: str, second: str) -> bool:
    """Compare two secrets in a time that does not depend on where they differ."""
    return hmac.compare_digest(first.encode(), second.encode())
