"""Whose an access key is, whether it still works, and what would end it: as far as the reader may see each of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from access.lockdown import LOCK, is_oneself
from audit import clock
from audit.http import ConsoleRequest
from audit.models import Event
from identities.models import AccessKey, Role, User
from identities.reading import read_named_role
from identities.resource_tags import keys_of
from identities.services.access_keys import owner_arn
from identities.services.role_sessions import revoked_at

LIST, LAST_USED, UPDATE = "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed", "iam:UpdateAccessKey"
GET_USER, GET_ROLE = "iam:GetUser", "iam:GetRole"
GET_ROLE_POLICY, PUT_ROLE_POLICY = "iam:GetRolePolicy", "iam:PutRolePolicy"
ASKED = (LIST, LAST_USED, UPDATE, LOCK, GET_USER, GET_ROLE, GET_ROLE_POLICY, PUT_ROLE_POLICY)


class State(NamedTuple):
    """`words` say why not, or for how long; `works` is None where the reader may not see it, or nobody can tell."""

    works: bool | None
    words: str
    at: datetime | None = None


HIDDEN = State(None, f"Not shown: that takes {LIST}.")
# What these made lasts no longer than the long-term key; a session of a role depends on the role alone.
HANG_ON_A_KEY = ("sts:GetSessionToken", "sts:GetFederationToken")


@dataclass(frozen=True, slots=True)
class SeenKey:
    """A long-term key, for somebody who may see whose it is."""

    key: AccessKey
    state: State
    shows_use: bool
    may_update: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """Looks for what is behind a key, and gives only what whoever asks may see."""

    request: ConsoleRequest

    @property
    def account_id(self) -> str:
        return self.request.principal.account_id

    def key(self, key_id: str) -> SeenKey | None:
        """None for a key that is not there, is of another account, or is not to be seen."""
        rows = AccessKey.objects.filter(account_id=self.account_id, pk=key_id)
        key = rows.select_related("user", "account__root_user").prefetch_related("user__tags").first()
        if key is None:
            return None
        lists, shows_use, updates = (
            self._may(action, owner_arn(key), key.user) for action in (LIST, LAST_USED, UPDATE)
        )
        if not (lists or shows_use):
            return None
        return SeenKey(key, _state_of(key) if lists else HIDDEN, shows_use, updates)

    def state_of_session(self, made: Event, beginner: User | None) -> State:
        """Of temporary credentials, by the event that tells of them; `beginner` is the user who began the chain."""
        ends_at = end_of(made)
        if ends_at is not None and clock.now() >= ends_at:
            return State(False, "expired on", ends_at)
        if beginner and self._may(LIST, beginner.arn, beginner) and beginner.ended(made.at):
            return State(False, "the user who began it was locked down")
        over = self._over_with_role(made) if role_name_of(made, self.account_id) else self._over_with_key(made)
        return over or State(True, "at the latest until", ends_at)

    def user(self, unique_id: str) -> User | None:
        """The user of that id, for whoever may see or lock them down."""
        users = User.objects.filter(account_id=self.account_id, unique_id=unique_id)
        user = users.prefetch_related("tags").first()
        return user if user and any(self._may(each, user.arn, user) for each in (GET_USER, LOCK)) else None

    def may_lock_down(self, user: User) -> bool:
        oneself = is_oneself(self.request.principal, user)
        return not oneself and not user.is_locked_down and self._may(LOCK, user.arn, user)

    def roles_to_end(self, made: Iterable[Event]) -> list[Role]:
        """The roles of this account that are taken on still, and whose sessions the reader may end."""
        now = clock.now()
        lasting = (event for event in made if (ends_at := end_of(event)) and ends_at > now)
        names = dict.fromkeys(role_name_of(event, self.account_id) for event in lasting)
        roles = (read_named_role(self.account_id, name) for name in names if name)
        return [role for role in roles if role and self._may(PUT_ROLE_POLICY, role.arn, role)]

    def _over_with_role(self, made: Event) -> State | None:
        role = read_named_role(self.account_id, role_name_of(made, self.account_id))
        if not self._may(GET_ROLE, role.arn if role else made.resource, role):
            return None
        if role is None or role.created_at > made.at:
            return State(False, "its role was deleted")
        ended = revoked_at(role) if self._may(GET_ROLE_POLICY, role.arn, role) else None
        return State(False, "ended with all sessions of its role on", ended) if ended and ended > made.at else None

    def _over_with_key(self, made: Event) -> State | None:
        """What was made of a long-term key without a role lasts as long as the key."""
        if made.action not in HANG_ON_A_KEY:
            return None
        owners = User.objects.filter(account_id=self.account_id, unique_id=made.principal_id)
        owner = owners.prefetch_related("tags").first()
        if not self._may(LIST, owner.arn if owner else made.principal_arn, owner):
            return None
        key = AccessKey.objects.filter(account_id=self.account_id, pk=made.access_key_id).first()
        if key is None:
            return State(False, "the access key that made it was deleted")
        return None if key.is_active else State(False, "the access key that made it is inactive")

    def _may(self, action: str, arn: str, row: User | Role | None) -> bool:
        context: Mapping[str, str] = keys_of(row, action) if row else {}
        return self.request.gate.may(action, arn, context).allowed


def end_of(made: Event) -> datetime | None:
    """When the credentials that an event tells of end by themselves."""
    expires_at = made.detail.get("expires_at") if made.action.startswith("sts:") else None
    return datetime.fromisoformat(expires_at) if expires_at else None


def role_name_of(made: Event, account_id: str) -> str:
    """The name of the role of this account that somebody took on; "" for everything else."""
    return made.resource.rpartition("/")[2] if made.resource.startswith(f"arn:aws:iam::{account_id}:role/") else ""


def _state_of(key: AccessKey) -> State:
    if key.user and key.user.is_locked_down:
        return State(False, "its user is locked down")
    if not key.is_active:
        return State(False, "inactive since", key.status_changed_at)
    return State(True, "")
