"""Console sessions: opening, loading, refreshing and ending them. The rules of time are the server's.

Idle and absolute limits: 30 minutes and 12 hours for a user, 15 minutes and 1 hour for the root user.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from access.models import ConsoleSession, SessionKind
from access.principals import WITH_USER_TAGS
from access.tokens import new_token, same, token_hash
from audit import clock
from audit.principal import Origin
from identities.models import User
from identities.services.mfa import has_mfa

USER_IDLE, USER_LIFETIME = timedelta(minutes=30), timedelta(hours=12)
ROOT_IDLE, ROOT_LIFETIME = timedelta(minutes=15), timedelta(hours=1)
FRESH = timedelta(minutes=5)
_SEEN_EVERY = timedelta(minutes=1)
_PURPOSE = "console-session"


@dataclass(frozen=True, slots=True)
class SessionCredentials:
    """What a session keeps of temporary credentials: never their secret."""

    access_key_id: str
    token: str


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A console session just opened; `token` is for the cookie and told this once."""

    token: str
    expires_at: datetime


def open_session(*, account_id: str, user: User | None, password_binding: str, origin: Origin, mfa: bool) -> str:
    """Make a session for somebody who has proved everything asked of them; returns the cookie's token, once."""
    now = clock.now()
    return _open(
        origin,
        account_id=account_id,
        kind=SessionKind.USER if user else SessionKind.ROOT,
        user=user,
        password_binding=password_binding,
        expires_at=now + (USER_LIFETIME if user else ROOT_LIFETIME),
        mfa_at=now if mfa else None,
    )


def open_federated_session(
    *, account_id: str, credentials: SessionCredentials, expires_at: datetime, origin: Origin, came_from: str = ""
) -> OpenedSession:
    """Make a session for somebody who signed in elsewhere and acts by temporary credentials; over when they are.

    `came_from` is the address at which they sign in again.
    """
    token = _open(
        origin,
        account_id=account_id,
        kind=SessionKind.FEDERATED,
        own_key_id=credentials.access_key_id,
        own_token=credentials.token,
        expires_at=expires_at,
        came_from=came_from,
    )
    return OpenedSession(token, expires_at)


def _open(origin: Origin, **facts: Any) -> str:
    token = new_token()
    ConsoleSession.objects.filter(expires_at__lt=clock.now()).delete()
    ConsoleSession.objects.create(
        token_hash=token_hash(token, _PURPOSE),
        address=origin.address,
        user_agent=origin.user_agent[:256],
        **facts,
    )
    return token


def load_session(token: str) -> ConsoleSession | None:
    """The live session of a cookie; None when there is none, it is over, its password has changed or gone, or its user
    is locked down or was since."""
    session = (
        ConsoleSession.objects.select_related("account__root_user", "user__login_profile")
        .prefetch_related(WITH_USER_TAGS)
        .filter(token_hash=token_hash(token, _PURPOSE))
        .first()
    )
    if session is None or not _is_live(session):
        return None
    now = clock.now()
    if now - session.last_seen_at >= _SEEN_EVERY:
        ConsoleSession.objects.filter(pk=session.pk).update(last_seen_at=now)
    return session


def _is_live(session: ConsoleSession) -> bool:
    now = clock.now()
    idle = ROOT_IDLE if session.is_root else USER_IDLE
    if now >= session.expires_at or now - session.last_seen_at >= idle:
        return False
    if session.user is not None and session.user.ended(session.created_at):
        return False
    return same(session.password_binding, present_binding(session))


def present_binding(session: ConsoleSession) -> str:
    """The binding of the owner's present password; '' when there is none (any more)."""
    if session.is_root:
        return session.account.root_user.get_session_auth_hash()
    profile = getattr(session.user, "login_profile", None)
    return profile.get_session_auth_hash() if profile else ""


def is_fresh(session: ConsoleSession) -> bool:
    """Whether the person proved themselves in the last five minutes, and with a second factor if they have one: a
    session from before the device must not remove it."""
    if clock.now() - session.authenticated_at > FRESH:
        return False
    # Who signs in elsewhere proves there what is asked there.
    if session.is_federated:
        return True
    return session.mfa_at is not None or not has_mfa(session.account_id, session.user)


def renew(session: ConsoleSession, *, password_binding: str = "", mfa: bool | None = None) -> str:
    """Give a session a new token after the person proved themselves again; the old token is dead."""
    token, now = new_token(), clock.now()
    session.token_hash = token_hash(token, _PURPOSE)
    session.authenticated_at = session.last_seen_at = now
    session.password_binding = password_binding or session.password_binding
    if mfa is not None:
        session.mfa_at = now if mfa else None
    session.save(update_fields=["token_hash", "authenticated_at", "last_seen_at", "password_binding", "mfa_at"])
    return token


def live(rows: QuerySet[ConsoleSession]) -> QuerySet[ConsoleSession]:
    """Of these sessions those that time has not ended: neither too old nor idle for too long."""
    now = clock.now()
    is_root = Q(kind=SessionKind.ROOT)
    awake = Q(is_root, last_seen_at__gt=now - ROOT_IDLE) | Q(~is_root, last_seen_at__gt=now - USER_IDLE)
    return rows.filter(awake, expires_at__gt=now)


def of_owner(session: ConsoleSession) -> QuerySet[ConsoleSession]:
    """This and the other sessions of whoever it belongs to. Who came from outside has this one only: nothing else is
    known to be theirs."""
    if session.is_federated:
        return ConsoleSession.objects.filter(pk=session.pk)
    return ConsoleSession.objects.filter(account_id=session.account_id, kind=session.kind, user=session.user)


def act_as(session: ConsoleSession, credentials: SessionCredentials, *, name: str, color: str) -> str:
    """Let a session act by a role's temporary credentials from now on; returns its new token."""
    session.acting_key_id, session.acting_token = credentials.access_key_id, credentials.token
    session.acting_as, session.acting_color = name, color
    return _retoken(session)


def act_as_oneself(session: ConsoleSession) -> str:
    """Back to whose session it is; returns its new token."""
    session.acting_key_id = session.acting_token = session.acting_as = session.acting_color = ""
    return _retoken(session)


def _retoken(session: ConsoleSession) -> str:
    """Another identity, another token: what was copied under the one is worth nothing under the other."""
    token = new_token()
    session.token_hash = token_hash(token, _PURPOSE)
    session.save(update_fields=["token_hash", "acting_key_id", "acting_token", "acting_as", "acting_color"])
    return token


def end_session(session: ConsoleSession) -> None:
    ConsoleSession.objects.filter(pk=session.pk).delete()


def end_session_of_id(session_id: str) -> None:
    ConsoleSession.objects.filter(pk=session_id).delete()


def end_other_sessions(session: ConsoleSession) -> int:
    """End all of the owner's sessions but this one; returns how many ended."""
    return of_owner(session).exclude(pk=session.pk).delete()[0]
