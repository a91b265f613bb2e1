"""A sign-in that is under way. Who it is for is fixed here, on the server, at its first step; the browser holds a
random token that opens nothing but the next step, is replaced at every step, and is over after ten minutes."""

from datetime import timedelta

from access.models import SignInAttempt, SignInStep
from access.tokens import new_token, same, token_hash
from accounts.models import RootUser
from audit import clock
from identities.models import LoginProfile, User
from identities.services.locks import missing_reference_refused

LIFETIME = timedelta(minutes=10)
# As much as the column holds; whoever wanted to go further away begins at the dashboard.
LONGEST_NEXT = 2000
_PURPOSE = "sign-in-attempt"

Owner = RootUser | LoginProfile


@missing_reference_refused("The user cannot be found.")
def begin(
    *,
    account_id: str | None,
    user: User | None,
    is_root: bool,
    shown_name: str,
    step: SignInStep,
    next_url: str,
    password_binding: str = "",
) -> str:
    """Returns the token. For nobody (`account_id` None) everything is the same, but no password will ever fit.

    Raises NoSuchEntity for a user who was deleted since the password was proved.
    """
    token, now = new_token(), clock.now()
    SignInAttempt.objects.filter(expires_at__lt=now).delete()
    SignInAttempt.objects.create(
        token_hash=token_hash(token, _PURPOSE),
        account_id=account_id,
        user=user,
        is_root=is_root,
        shown_name=shown_name[:254],
        step=step,
        password_binding=password_binding,
        next_url=next_url if len(next_url) <= LONGEST_NEXT else "",
        expires_at=now + LIFETIME,
    )
    return token


def load(token: str, step: SignInStep) -> SignInAttempt | None:
    """The attempt when it stands at this very step; None when it is over, at another step, or overtaken: after the
    password step the password that was proved must still be the present one."""
    attempt = (
        SignInAttempt.objects.select_related("account__root_user", "user__login_profile", "user__account")
        .filter(token_hash=token_hash(token, _PURPOSE), step=step, expires_at__gt=clock.now())
        .first()
    )
    if attempt is None or step == SignInStep.PASSWORD:
        return attempt
    owner = owner_of(attempt)
    if owner is None or not same(owner.get_session_auth_hash(), attempt.password_binding):
        return None
    return attempt


def owner_of(attempt: SignInAttempt) -> Owner | None:
    """Whose password it is about; None when there is nobody, or no password any more."""
    if attempt.is_root:
        return attempt.account.root_user if attempt.account else None
    return profile_of(attempt.user)


def profile_of(user: User | None) -> LoginProfile | None:
    """The console password that opens sessions of a user; None when there is none, or while they are locked down."""
    if user is None or user.is_locked_down:
        return None
    profile: LoginProfile | None = getattr(user, "login_profile", None)
    return profile


def advance(attempt: SignInAttempt, step: SignInStep, *, password_binding: str = "", mfa: bool = False) -> str:
    """Take the attempt one step further under a new token; the old one is dead, also for a request at the same time."""
    token = new_token()
    before, attempt.token_hash = attempt.token_hash, token_hash(token, _PURPOSE)
    attempt.step = step
    attempt.password_binding = password_binding or attempt.password_binding
    attempt.mfa_at = clock.now() if mfa else attempt.mfa_at
    moved = SignInAttempt.objects.filter(pk=before).update(
        token_hash=attempt.token_hash,
        step=attempt.step,
        password_binding=attempt.password_binding,
        mfa_at=attempt.mfa_at,
    )
    return token if moved else ""


def finish(attempt: SignInAttempt) -> bool:
    """Use the attempt up. False when somebody else just did: of two requests only one gets a session."""
    return SignInAttempt.objects.filter(pk=attempt.pk).delete()[0] == 1


def give_up(token: str) -> None:
    """Leaving the sign-in, or signing out: nothing of a half-done sign-in stays."""
    SignInAttempt.objects.filter(token_hash=token_hash(token, _PURPOSE)).delete()
