"""Console sessions: opening, loading, refreshing and ending them. The rules of time are the server's.

Idle and absolute limits: 30 minutes and 12 hours for a user, 15 minutes and 1 hour for the root user.
"""

from datetime import timedelta

from django.db.models import Q, QuerySet

from access.models import ConsoleSession
from access.principals import _WITH_TAGS
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


def open_session(*, account_id: str, user: User | None, password_binding: str, origin: Origin, mfa: bool) -> str:
    """Make a session for somebody who has proved everything asked of them; returns the cookie's token, once."""
    token, now = new_token(), clock.now()
    ConsoleSession.objects.filter(expires_at__lt=now).delete()
    ConsoleSession.objects.create(
        token_hash=token_hash(token, _PURPOSE),
        account_id=account_id,
        user=user,
        password_binding=password_binding,
        expires_at=now + (USER_LIFETIME if user else ROOT_LIFETIME),
        mfa_at=now if mfa else None,
        address=origin.address,
        user_agent=origin.user_agent[:256],
    )
    return token


def load_session(token: str) -> ConsoleSession | None:
    """The live session of a cookie; None when there is none, it is over, or its password has changed or gone."""
    session = (
        ConsoleSession.objects.select_related("account__root_user", "user__login_profile")
        .prefetch_related(_WITH_TAGS)
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
    idle = USER_IDLE if session.user_id else ROOT_IDLE
    if now >= session.expires_at or now - session.last_seen_at >= idle:
        return False
    return same(session.password_binding, present_binding(session))


def present_binding(session: ConsoleSession) -> str:
    """The binding of the owner's present password; '' when there is no password any more."""
    if session.user is None:
        return session.account.root_user.get_session_auth_hash()
    profile = getattr(session.user, "login_profile", None)
    return profile.get_session_auth_hash() if profile else ""


def is_fresh(session: ConsoleSession) -> bool:
    """Whether the person proved themselves in the last five minutes, and with a second factor if they have one: a
    session from before the device must not remove it."""
    if clock.now() - session.authenticated_at > FRESH:
        return False
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
    awake = Q(user__isnull=False, last_seen_at__gt=now - USER_IDLE) | Q(user=None, last_seen_at__gt=now - ROOT_IDLE)
    return rows.filter(awake, expires_at__gt=now)


def end_session(session: ConsoleSession) -> None:
    ConsoleSession.objects.filter(pk=session.pk).delete()


def end_other_sessions(session: ConsoleSession) -> int:
    """End all of the owner's sessions but this one; returns how many ended."""
    others = ConsoleSession.objects.filter(account_id=session.account_id, user=session.user)
    return others.exclude(pk=session.pk).delete()[0]
