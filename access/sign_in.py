"""The steps of a sign-in, without pages: finding who is meant, proving the password, what is asked next, and opening
the session. Whatever is wrong in the first two, the answer and the work are the same."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from access import known_browsers, sessions, throttle
from access.models import ConsoleSession, SignInAttempt, SignInStep
from access.password_check import password_fits
from access.principals import user_principal
from access.sign_in_attempts import Owner, owner_of, profile_of
from accounts.models import Account, PasswordPolicy, RootUser
from accounts.passwords import password_policy_of
from accounts.rules import comparison_key
from audit import clock
from audit.errors import ServiceError
from audit.models import Outcome
from audit.principal import Origin, Principal, anonymous, root_principal
from audit.services import record
from identities.models import LoginProfile, User
from identities.services.locks import missing_reference_refused
from identities.services.mfa import has_mfa, verify_code
from identities.services.notices import notify

# The first use within five minutes is the one that is noted (PasswordLastUsed).
USE_WINDOW = timedelta(minutes=5)
EXPIRY_WARNING = timedelta(days=15)
LOGIN, CONFIRM = "signin:ConsoleLogin", "signin:ConfirmIdentity"


class SignInFailed(ServiceError):
    """One sentence for every reason; the audit trail knows which."""

    code = "AccessDenied"


@dataclass(frozen=True, slots=True)
class Person:
    """Who is meant. `owner` is None when there is nobody, no console password, or a lockdown. `key` is who it is for
    the limits: the same for all spellings, and there also for those who do not exist."""

    account: Account | None
    user: User | None
    is_root: bool
    owner: Owner | None
    key: str

    @property
    def name(self) -> str:
        """For the audit trail; never what was typed, which may have been a password in the wrong field."""
        return self.user.name if self.user else "root" if self.is_root and self.account else ""

    @property
    def arn(self) -> str:
        return self.user.arn if self.user else self.account.root_arn if self.is_root and self.account else ""

    @property
    def account_id(self) -> str:
        return self.account.id if self.account else ""


def find_iam_user(account_name: str, user_name: str) -> Person:
    """By alias or account id, and user name. An IAM user is never found on root's page, nor root here."""
    typed, name_key = account_name.strip().lower(), user_name.strip().lower()
    account = Account.objects.filter(Q(id=typed) | Q(alias=typed)).first()
    users = User.objects.select_related("login_profile", "account")
    user = users.filter(account_id=account.id if account else "", name_key=name_key).first()
    account_id = account.id if account else typed
    key = throttle.person_key(account_id, user.unique_id) if user else throttle.stranger_key(account_id, name_key)
    return Person(account, user, False, profile_of(user), key)


def find_root(email: str) -> Person:
    key = comparison_key(email.strip())
    root_user = RootUser.objects.select_related("account").filter(email_key=key).first()
    if root_user is None:
        return Person(None, None, True, None, throttle.person_key(key, None))
    return Person(root_user.account, None, True, root_user, throttle.person_key(root_user.account_id, None))


def person_of(attempt: SignInAttempt) -> Person:
    """Who the first step fixed; nothing of it can come from a later request."""
    account_id = attempt.account_id or comparison_key(attempt.shown_name)
    key = throttle.person_key(account_id, attempt.user.unique_id if attempt.user else None)
    return Person(attempt.account, attempt.user, attempt.is_root, owner_of(attempt), key)


def find_signed_in(session: ConsoleSession) -> Person:
    """Whoever a session belongs to, for proving themselves once more. Raises SignInFailed for somebody from outside:
    they have nothing here to prove themselves with, and least of all the root user's password."""
    if session.is_federated:
        raise SignInFailed("Signed in elsewhere.")
    user = session.user
    owner: Owner | None = profile_of(user) if user else session.account.root_user
    key = throttle.person_key(session.account_id, user.unique_id if user else None)
    return Person(session.account, user, user is None, owner, key)


def prove_password(
    person: Person, password: str, *, origin: Origin, known_browser: str = "", action: str = LOGIN
) -> None:
    """Raises SignInFailed or Throttled; both are recorded, of the latter the first from a network. `known_browser` is
    that cookie's content."""
    # Whoever is not there has no browser, not even that of the account's root user.
    account = person.account if person.user or person.is_root else None
    browser = known_browsers.browser_id(known_browser, account, person.user)
    try:
        counted = throttle.password_try(person=person.key, address=origin.address, browser=browser)
    except throttle.Throttled:
        if throttle.is_first_unseen(account_id=person.account_id, address=origin.address):
            _record_failure(person, origin, "too many tries", action)
        raise
    if not password_fits(person.owner, password):
        raise _failed(person, origin, _reason(person), action)
    if _is_locked_out_by_age(person):
        raise _failed(person, origin, "password expired for good", action)
    counted.succeeded()


def prove_code(person: Person, code: str, *, origin: Origin, action: str = LOGIN) -> None:
    """A one-time code of one of the person's own devices. Raises SignInFailed or Throttled."""
    tries, digits = throttle.code_tries(person=person.key), "".join(code.split())
    try:
        shown = verify_code(account_id=person.account_id, user=person.user, code=digits, tried=tries)
    except throttle.Throttled:
        _record_failure(person, origin, "too many codes", action)
        raise
    if shown is None:
        raise _failed(person, origin, "wrong code", action)


def next_step(person: Person, *, mfa: bool) -> SignInStep | None:
    """What is asked after the password, and after the code; None when nothing is missing."""
    if not mfa and has_mfa(person.account_id, person.user):
        return SignInStep.SECOND_FACTOR
    if isinstance(person.owner, LoginProfile) and _must_change(person.owner, password_policy_of(person.account_id)):
        return SignInStep.NEW_PASSWORD
    return None


def expires_at(profile: LoginProfile, policy: PasswordPolicy | None) -> datetime | None:
    """When the account's password policy ends this password; None for never."""
    if policy is None or not policy.max_password_age:
        return None
    return profile.password_changed_at + timedelta(days=policy.max_password_age)


def days_left(person: Person) -> int | None:
    """Within the last 15 days before a password expires, how many are left; else None."""
    if not isinstance(person.owner, LoginProfile):
        return None
    end = expires_at(person.owner, password_policy_of(person.account_id))
    left = end - clock.now() if end else None
    return max(left.days, 0) if left is not None and left <= EXPIRY_WARNING else None


@missing_reference_refused("The user cannot be found.")
@transaction.atomic
def open_session(person: Person, *, origin: Origin, mfa: bool) -> str:
    """Open the console session of somebody who proved everything; returns its token. Root's is told to root by mail.

    Raises NoSuchEntity for a user who was deleted since.
    """
    if person.account is None or person.owner is None:
        raise SignInFailed("There is nobody to sign in.")
    token = sessions.open_session(
        account_id=person.account.id,
        user=person.user,
        password_binding=person.owner.get_session_auth_hash(),
        origin=origin,
        mfa=mfa,
    )
    _note_use(person)
    record(acting(person, origin), LOGIN, person.arn, page=_page(person), mfa=mfa)
    if person.is_root:
        notify(
            account=person.account,
            user=None,
            subject="The root user signed in",
            text=f"The root user signed in{f' from {origin.address}' if origin.address else ''}, "
            f"{'with' if mfa else 'without'} MFA, at {clock.now():%Y-%m-%d %H:%M} UTC.\n\nIf that was not you, "
            "change the root user's password at once and look at the audit trail.",
        )
    return token


def acting(person: Person, origin: Origin) -> Principal:
    if person.user is not None:
        return user_principal(person.user, origin)
    return root_principal(person.account_id, origin=origin)


def _note_use(person: Person) -> None:
    now = clock.now()
    due = Q(password_last_used_at=None) | Q(password_last_used_at__lte=now - USE_WINDOW)
    if person.user is not None:
        User.objects.filter(due, pk=person.user.pk).update(password_last_used_at=now)
    else:
        RootUser.objects.filter(due, pk=person.account_id).update(password_last_used_at=now)


def _must_change(profile: LoginProfile, policy: PasswordPolicy | None) -> bool:
    end = expires_at(profile, policy)
    return profile.password_reset_required or (end is not None and end <= clock.now())


def _is_locked_out_by_age(person: Person) -> bool:
    """HardExpiry: an expired password opens nothing, not even the page for a new one."""
    if not isinstance(person.owner, LoginProfile):
        return False
    policy = password_policy_of(person.account_id)
    end = expires_at(person.owner, policy)
    return bool(policy and policy.hard_expiry and end and end <= clock.now())


def _reason(person: Person) -> str:
    if person.account is None:
        return "no such account"
    if person.user is None and not person.is_root:
        return "no such user"
    if person.user is not None and person.user.is_locked_down:
        return "locked down"
    return "wrong password" if person.owner else "no console password"


def _page(person: Person) -> str:
    return "root user" if person.is_root else "IAM user"


def _failed(person: Person, origin: Origin, reason: str, action: str) -> SignInFailed:
    _record_failure(person, origin, reason, action)
    return SignInFailed(reason)


def _record_failure(person: Person, origin: Origin, reason: str, action: str) -> None:
    nobody = replace(anonymous(origin, person.account_id), name=person.name)
    record(
        nobody,
        action,
        person.arn,
        outcome=Outcome.FAILURE,
        error_code="FailedAuthentication",
        page=_page(person),
        reason=reason,
    )
