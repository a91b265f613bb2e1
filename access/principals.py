"""Turning a session or an access key into the Principal it stands for. Looked up at every request, so that a deleted
user, a removed password or an inactive key counts at once."""

from dataclasses import dataclass
from functools import cache

from django.db.models import Prefetch, prefetch_related_objects

from access.models import ConsoleSession
from audit.principal import Origin, Principal, root_principal
from identities.models import AccessKey, User, UserTag
from identities.sealed import box

# Exactly one query for a session and its user, and one for the tags.
_WITH_TAGS = Prefetch("user__tags", queryset=UserTag.objects.only("user_id", "key", "value"))


def user_principal(user: User, origin: Origin, **facts: object) -> Principal:
    """`facts` are further fields of Principal (mfa, mfa_at, access_key_id, …)."""
    tags = {tag.key: tag.value for tag in user.tags.all()}
    return Principal(user.account_id, "user", user.arn, user.unique_id, user.name, tags, origin=origin, **facts)  # type: ignore[arg-type] # the caller's facts are Principal's own fields


def session_principal(session: ConsoleSession, origin: Origin) -> Principal:
    """In the console, whether a second factor was used is always known: true or false, never absent."""
    facts = {"mfa": session.mfa_at is not None, "mfa_at": session.mfa_at, "origin": origin}
    if session.user is None:
        return root_principal(session.account_id, **facts)
    facts.pop("origin")
    return user_principal(session.user, origin, **facts)


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """An access key as the door for programs needs it; `secret` is for checking one signature and is never kept."""

    key: AccessKey
    secret: str
    origin: Origin

    def principal(self) -> Principal:
        """Who holds the key. Asks for the tags, so it is for callers who have proved that they know the secret."""
        if self.key.user is None:
            return root_principal(self.key.account_id, access_key_id=self.key.access_key_id, origin=self.origin)
        prefetch_related_objects([self.key], _WITH_TAGS)
        return user_principal(self.key.user, self.origin, access_key_id=self.key.access_key_id)


def load_for_access_key(access_key_id: str, origin: Origin) -> KeyHolder | None:
    """The active key with that id and who it belongs to; None for an unknown or inactive one alike, at equal cost:
    the time of an answer must not tell which key ids exist."""
    key = AccessKey.objects.select_related("user").filter(access_key_id=access_key_id).first()
    if key is None or not key.is_active:
        box().open(_nobodys_secret(), _NOBODY)
        return None
    return KeyHolder(key, box().open(key.secret_encrypted, key.sealed_row), origin)


_NOBODY = "access-key:nobody"


@cache
def _nobodys_secret() -> str:
    return box().seal("0" * 40, _NOBODY)
