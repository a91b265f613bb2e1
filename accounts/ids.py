"""Making identifiers in AWS's forms (reference_identifiers): account ids, unique ids, access key ids, secrets. Pure."""

import base64
import secrets
from functools import lru_cache

_KEY_FORMAT_BIT = 1 << 47


def new_account_id() -> str:
    """Twelve digits, the first not a zero, so that no tool that reads numbers loses one."""
    return str(secrets.randbelow(900_000_000_000) + 100_000_000_000)


def new_unique_id(prefix: str) -> str:
    """Four letters that name the type (AIDA user, AGPA group, ANPA policy …) and 17 random ones; never reused."""
    return prefix + base64.b32encode(secrets.token_bytes(11)).decode()[:17]


def new_access_key_id(account_id: str, prefix: str = "AKIA") -> str:
    """Twenty characters that carry the account id as AWS's do, so that GetAccessKeyInfo works from the id alone."""
    head = _KEY_FORMAT_BIT | (int(account_id) << 7) | secrets.randbits(7)
    raw = head.to_bytes(6, "big") + secrets.token_bytes(4)
    return prefix + base64.b32encode(raw).decode()


@lru_cache(maxsize=1000)
def account_of_access_key(access_key_id: str) -> str:
    """The account id inside a key id; ValueError when it is not such an id."""
    raw = base64.b32decode(access_key_id[4:])
    return f"{(int.from_bytes(raw[:6], 'big') & (_KEY_FORMAT_BIT - 1)) >> 7:012d}"


def new_secret_access_key() -> str:
    """Forty characters from 240 random bits."""
    return base64.b64encode(secrets.token_bytes(30)).decode()
