"""A refused question, sealed: for a link from a part of a page that says "not allowed" to its explanation.

A refusal of a part of a page is no event, so there is nothing to point at. The question travels in the address,
sealed, because its context may hold tags that the caller must not read, and it is good for that caller only.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audit.principal import Principal
from identities.sealed import box
from identities.secretbox import SecretUnreadable

LONGEST = 6 * 1024
LARGEST_OPEN = 64 * 1024


@dataclass(frozen=True, slots=True)
class Question:
    """`resource` is what the caller is told, `decided_on` what the gate was asked."""

    action: str
    resource: str
    decided_on: str
    context: Mapping[str, str | Iterable[str]]


def sealed(question: Question, principal: Principal) -> str:
    """The question for an address; "" when it is too long for one."""
    context = {key: value if isinstance(value, str) else list(value) for key, value in question.context.items()}
    text = json.dumps([question.action, question.resource, question.decided_on, context])
    packed = base64.b64encode(zlib.compress(text.encode())).decode()
    token = base64.urlsafe_b64encode(box().seal(packed, _row(principal)).encode()).decode().rstrip("=")
    return token if len(token) <= LONGEST else ""


def opened(token: str, principal: Principal) -> Question | None:
    """The question; None for one that was not sealed here for this caller."""
    if len(token) > LONGEST:
        return None
    try:
        plain = base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4)).decode()
        packed = zlib.decompressobj()
        text = packed.decompress(base64.b64decode(box().open(plain, _row(principal))), LARGEST_OPEN)
        action, resource, decided_on, context = json.loads(text)
    except (SecretUnreadable, binascii.Error, ValueError, zlib.error):
        return None
    return Question(action, resource, decided_on, context)


def _row(principal: Principal) -> str:
    return f"question:{principal.account_id}:{principal.unique_id}"
