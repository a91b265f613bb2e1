"""Switching roles in the console (IAM User Guide, "Switch from a user to an IAM role"): who signed in, not the role
they act as, authorises every switch, and no root user may."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.db import transaction

from access import sessions
from access.assume_role import Proofs, assume_role
from access.denials import record_denial
from access.gate import PrincipalGate
from access.models import ConsoleSession, RecentRole
from access.principals import original_principal
from access.temporary_credentials import Credentials, SessionRequest
from accounts.models import Account
from accounts.rules import is_account_id
from audit import clock
from audit.errors import AccessDenied, InvalidUserType, NoSuchEntity
from audit.principal import Origin, Principal
from audit.services import record
from identities.models.roles import role_arn

REMEMBERED = 5
HOUR, SHORTEST = timedelta(hours=1), timedelta(minutes=15)
SWITCH, BACK = "signin:SwitchRole", "signin:ExitRole"


@dataclass(frozen=True, slots=True)
class RoleChoice:
    """A role as people type it: of an account by its id or alias, perhaps with its path before it."""

    account: str
    role_name: str
    seconds: int
    external_id: str = ""

    def arn_in(self, account_id: str) -> str:
        path, _, name = f"/{self.role_name}".rpartition("/")
        return role_arn(account_id, f"{path}/", name)


def switch_role(
    session: ConsoleSession,
    *,
    account: str,
    role_name: str,
    display_name: str = "",
    color: str = "",
    origin: Origin,
) -> str:
    """Let a session act as a role for an hour, or for as long as the session lasts; returns the new cookie's token.

    `role_name` may have its path before it. Raises AccessDenied, in the same words for a role that is not there,
    InvalidUserType for the root user, NoSuchEntity for somebody whose session is over.
    """
    who = _original(session, origin)
    name = display_name or role_name.rpartition("/")[2]
    lifetime = max(min(HOUR, session.expires_at - clock.now()), SHORTEST)
    asked = RoleChoice(account, role_name, int(lifetime.total_seconds()))
    with _denials_recorded(who), transaction.atomic():
        arn, made = _taken_on(who, asked)
        _remember(session, account, role_name, display_name, color)
        record(who, SWITCH, arn)
        kept = sessions.SessionCredentials(made.access_key_id, made.session_token)
        return sessions.act_as(session, kept, name=name[:64], color=color)


def credentials_for(
    session: ConsoleSession, *, account: str, role_name: str, seconds: int, external_id: str = "", origin: Origin
) -> Credentials:
    """Temporary credentials of a role for a program of whoever's session it is. Raises as `switch_role` does."""
    who = _original(session, origin)
    with _denials_recorded(who):
        return _taken_on(who, RoleChoice(account, role_name, seconds, external_id))[1]


def _taken_on(who: Principal, asked: RoleChoice) -> tuple[str, Credentials]:
    """The role's ARN, and credentials. Whose an alias is, and whether it is anybody's, is told to nobody whom the role
    does not let in: they are refused a role of an account that is called as they typed it."""
    account_id = Account.objects.filter(alias=asked.account).values_list("id", flat=True).first() or asked.account
    arn = asked.arn_in(account_id)
    try:
        return arn, _assumed(who, arn, asked)
    except AccessDenied:
        if account_id == who.account_id or is_account_id(asked.account):
            raise
        arn = asked.arn_in(asked.account)
        return arn, _assumed(who, arn, asked)


def _assumed(who: Principal, arn: str, asked: RoleChoice) -> Credentials:
    requested, proofs = (
        SessionRequest(name=_session_name(who), seconds=asked.seconds),
        Proofs(external_id=asked.external_id),
    )
    return assume_role(gate=PrincipalGate(who), role_arn=arn, requested=requested, proofs=proofs).credentials


@contextmanager
def _denials_recorded(who: Principal) -> Iterator[None]:
    """After what was begun is taken back, or the record would be taken back with it."""
    try:
        yield
    except AccessDenied as error:
        record_denial(PrincipalGate(who), error)
        raise


@transaction.atomic
def switch_back(session: ConsoleSession, *, origin: Origin) -> str:
    """Let a session act as whose it is again; returns the new cookie's token."""
    who = _original(session, origin)
    record(who, BACK, who.arn)
    return sessions.act_as_oneself(session)


def recent_roles(session: ConsoleSession) -> list[RecentRole]:
    """The roles that a user took on last, the latest first."""
    if session.user is None:
        return []
    return list(RecentRole.objects.filter(user=session.user).order_by("-used_at", "-pk")[:REMEMBERED])


def name_of(session: ConsoleSession) -> str:
    """What a person whose session it is is called."""
    return session.user.name if session.user else "yourself"


def link_to(account: str, role_name: str) -> str:
    """The query of a link that fills the form in, in the words that AWS's own links use."""
    return urlencode({"account": account, "roleName": role_name})


def _original(session: ConsoleSession, origin: Origin) -> Principal:
    who = original_principal(session, origin)
    if who is None:
        raise NoSuchEntity("Your session is over. Sign in again.")
    if who.is_root:
        raise InvalidUserType("The root user can't switch roles. Sign in as an IAM user who may take on this role.")
    if who.type == "federated-user":
        raise InvalidUserType(
            "A federated user can't switch roles. Whoever signed you in may give you the role itself."
        )
    return who


def _session_name(who: Principal) -> str:
    """Their own name; a session's has at least two characters."""
    return who.name[:64] if len(who.name) > 1 else f"{who.name}-"


def _remember(session: ConsoleSession, account: str, role_name: str, display_name: str, color: str) -> None:
    if session.user is None:
        return
    shown = {"display_name": display_name, "color": color, "used_at": clock.now()}
    RecentRole.objects.update_or_create(user=session.user, account_name=account, role_name=role_name, defaults=shown)
    kept = [row.pk for row in recent_roles(session)]
    RecentRole.objects.filter(user=session.user).exclude(pk__in=kept).delete()
