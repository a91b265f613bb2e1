"""Which people have signed in with this browser before. The browser keeps it, signed; nothing is stored here.

It proves no one and opens nothing: a known browser only has its own count of failed tries (`access.throttle`).
"""

from django.core import signing

from access.tokens import new_token, token_hash
from accounts.models import Account
from audit.principal import root_arn
from identities.models import User

_SALT = "access.known-browser"
_PEOPLE = 8


def browser_id(cookie: str, account: Account | None, user: User | None) -> str:
    """The id under which this browser is known to that person; '' when it is not."""
    return _read(cookie).get(_person(account, user), "")


def remember(cookie: str, account: Account, user: User | None) -> str:
    """The cookie with that person added; the oldest of more than eight are forgotten."""
    known, person = _read(cookie), _person(account, user)
    mark = known.pop(person, "") or new_token()[:16]
    kept = dict([*known.items(), (person, mark)][-_PEOPLE:])
    return signing.dumps(kept, salt=_SALT, compress=True)


def _read(cookie: str) -> dict[str, str]:
    try:
        known = signing.loads(cookie, salt=_SALT) if len(cookie) < 4000 else {}
    except signing.BadSignature:
        return {}
    return {str(person): str(mark) for person, mark in known.items()} if isinstance(known, dict) else {}


def _person(account: Account | None, user: User | None) -> str:
    """Short, and telling nothing: unique ids are never given out again, unlike names."""
    if user is not None:
        return token_hash(user.unique_id, _SALT)[:16]
    return token_hash(root_arn(account.id), _SALT)[:16] if account else ""
