"""Console passwords of users. What is stored is a hash; earlier ones are kept as far back as a policy can ask."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from accounts.models import PasswordPolicy
from accounts.passwords import check_new_password, context_words, normalise
from audit import clock
from audit.errors import (
    ConcurrentModification,
    EntityAlreadyExists,
    InvalidUserType,
    NoSuchEntity,
    PasswordPolicyViolation,
    ServiceError,
)
from audit.principal import Principal
from audit.services import record
from identities.models import LoginProfile, PasswordHistory, User
from identities.services.locks import missing_reference_refused
from identities.services.mfa import Tried, has_mfa_of
from identities.services.notices import notify_change

HISTORY_KEPT = 24


class IncorrectPassword(ServiceError):
    """The present password was asked for and another one was given."""

    code = "AccessDenied"
    field = "old_password"


@dataclass(frozen=True, slots=True)
class Holder:
    """A user with all that a new password asks for: the account's rules, earlier passwords (the last one first), and
    whom to tell."""

    user: User
    has_mfa: bool
    earlier: Sequence[PasswordHistory]

    @property
    def profile(self) -> LoginProfile:
        """Raises NoSuchEntity when there is no console password."""
        if not hasattr(self.user, "login_profile"):
            raise no_such_profile(self.user)
        return self.user.login_profile

    @property
    def policy(self) -> PasswordPolicy | None:
        return getattr(self.user.account, "password_policy", None)


def find_holder(users: QuerySet[User]) -> Holder | None:
    """The one user of a queryset, read in one query: once for each earlier password."""
    users = users.select_related("login_profile", "account__password_policy", "account__root_user")
    rows = users.annotate(
        has_mfa=has_mfa_of("pk"),
        earlier_id=F("password_history__id"),
        earlier_password=F("password_history__password"),
        retired_at=F("password_history__retired_at"),
    )
    found = list(rows)
    if not found:
        return None
    earlier = [
        PasswordHistory(id=row.earlier_id, user=row, password=row.earlier_password, retired_at=row.retired_at)
        for row in found
        if row.earlier_id is not None
    ]
    earlier.sort(key=lambda each: (each.retired_at, each.id), reverse=True)
    return Holder(found[0], found[0].has_mfa, earlier)


def create_login_profile(
    *, by: Principal, user: User, password: str, password_reset_required: bool = False, for_console: bool = False
) -> LoginProfile:
    """Give a user a console password. Raises EntityAlreadyExists, PasswordPolicyViolation, and NoSuchEntity when the
    user goes while the password is hashed, which is too long to keep the row from others."""
    password = normalise(password)
    holder = _holder(user)
    user = holder.user
    _check(holder, password, for_console=for_console)
    profile = LoginProfile(user=user, password=make_password(password), password_reset_required=password_reset_required)
    with missing_reference_refused(f"The user with name {user.name} cannot be found."), transaction.atomic():
        try:
            with transaction.atomic(savepoint=False):
                profile.save(force_insert=True)
        except IntegrityError as error:
            raise EntityAlreadyExists(f"Login Profile for user {user.name} already exists.") from error
        record(by, "iam:CreateLoginProfile", user.arn, password_reset_required=password_reset_required)
        _notify(by, user, f"IAM user {user.name} was given a console password")
    return profile


def get_login_profile(user: User) -> LoginProfile:
    """Read afresh. Raises NoSuchEntity when there is no console password."""
    return _holder(user).profile


def _holder(user: User) -> Holder:
    """Read afresh. Raises NoSuchEntity when the user has gone."""
    holder = find_holder(User.objects.filter(pk=user.pk))
    if holder is None:
        raise NoSuchEntity(f"The user with name {user.name} cannot be found.")
    return holder


def no_such_profile(user: User) -> NoSuchEntity:
    return NoSuchEntity(f"Login Profile for User {user.name} cannot be found.")


def update_login_profile(
    *,
    by: Principal,
    user: User,
    password: str | None = None,
    password_reset_required: bool | None = None,
    for_console: bool = False,
) -> LoginProfile:
    """Set another person's password, or only whether it must be changed. A new one ends the user's sessions."""
    holder = _holder(user)
    profile, changed = holder.profile, dict[str, object]()
    if password is not None:
        changed = _new_password(holder, normalise(password), for_console=for_console)
    if password_reset_required is not None:
        changed["password_reset_required"] = password_reset_required
    with transaction.atomic():
        _store(holder, changed)
        record(
            by,
            "iam:UpdateLoginProfile",
            user.arn,
            password_changed=password is not None,
            password_reset_required=profile.password_reset_required,
        )
        if password is not None:
            _notify(by, holder.user, f"The console password of IAM user {user.name} was replaced")
    return profile


@transaction.atomic
def delete_login_profile(*, by: Principal, user: User) -> None:
    """Take the console password away: no sign-in, and every session ends. Access keys stay as they are."""
    if not LoginProfile.objects.filter(user=user).delete()[0]:
        raise NoSuchEntity(f"Login Profile for User {user.name} cannot be found.")
    record(by, "iam:DeleteLoginProfile", user.arn)
    _notify(by, user, f"The console password of IAM user {user.name} was removed")


def change_password(
    *,
    by: Principal,
    holder: Holder | None,
    old_password: str,
    new_password: str,
    tried: Tried,
    for_console: bool = False,
) -> LoginProfile:
    """Change one's own password. Every session opened with the old one ends.

    Raises InvalidUserType for root (whose password has its own page), IncorrectPassword, PasswordPolicyViolation, and
    what `tried` raises, which hears first whether the present one was right.
    """
    if by.is_root or holder is None or by.unique_id != holder.user.unique_id:
        raise InvalidUserType("Only IAM Users can change their own password.")
    is_right = password_is(holder.profile, old_password)
    tried(is_right)
    if not is_right:
        raise IncorrectPassword("The present password is not right.")
    return _replace(by, holder, new_password, for_console=for_console)


def replace_own_password(*, by: Principal, user: User, new_password: str) -> LoginProfile:
    """Set the password that somebody has to choose when they sign in: they proved the present one a moment ago.

    Raises InvalidUserType for anybody else's, PasswordPolicyViolation, ConcurrentModification.
    """
    if by.is_root or by.unique_id != user.unique_id:
        raise InvalidUserType("Only IAM Users can change their own password.")
    return _replace(by, _holder(user), new_password, for_console=True)


def _replace(by: Principal, holder: Holder, password: str, *, for_console: bool) -> LoginProfile:
    user, changed = holder.user, _new_password(holder, normalise(password), for_console=for_console)
    with transaction.atomic():
        _store(holder, {**changed, "password_reset_required": False})
        record(by, "iam:ChangePassword", user.arn)
        _notify(by, user, f"IAM user {user.name} changed their console password")
    return holder.profile


def password_is(owner: AbstractBaseUser, password: str) -> bool:
    """Whether this is the present password; one that is too long to be one is simply wrong."""
    try:
        return check_password(normalise(password), owner.password)
    except PasswordPolicyViolation:
        return False


def _check(holder: Holder, password: str, *, for_console: bool) -> None:
    user = holder.user
    root = getattr(user.account, "root_user", None)
    words = context_words(user.account, user_name=user.name, email=root.email if root else "")
    check_new_password(password, policy=holder.policy, words=words, has_mfa=holder.has_mfa, for_console=for_console)


def _new_password(holder: Holder, password: str, *, for_console: bool) -> dict[str, object]:
    """The columns of a password that passed every rule. Hashing happens here, before any lock is held."""
    present, policy = holder.profile.password, holder.policy
    _check(holder, password, for_console=for_console)
    _check_reuse(holder, present, password, policy.password_reuse_prevention if policy else 0, for_console=for_console)
    return {"password": make_password(password), "password_changed_at": clock.now()}


def _check_reuse(holder: Holder, present: str, password: str, reach: int, *, for_console: bool) -> None:
    """`reach` passwords back, the present one included; our own pages always refuse the present one."""
    if (reach or for_console) and check_password(password, present):
        raise PasswordPolicyViolation("This is the present password; choose another one.", field="password")
    if any(check_password(password, each.password) for each in holder.earlier[: max(reach - 1, 0)]):
        raise PasswordPolicyViolation(
            f"This password was used before; this account remembers the last {reach}.", field="password"
        )


def _store(holder: Holder, changed: dict[str, object]) -> None:
    """Write only over the password that was read: of two changes at once, the second fails."""
    profile = holder.profile
    before = profile.password
    for name, value in changed.items():
        setattr(profile, name, value)
    if changed and not LoginProfile.objects.filter(pk=profile.pk, password=before).update(**changed):
        raise ConcurrentModification("The password was changed by somebody else just now. Open the page again.")
    if profile.password != before:
        _remember(holder, before)


def _remember(holder: Holder, password: str) -> None:
    """As an earlier one, in the place of the earliest where no more are kept."""
    if len(holder.earlier) < HISTORY_KEPT:
        PasswordHistory.objects.create(user=holder.user, password=password)
        return
    earliest = PasswordHistory.objects.filter(pk=holder.earlier[-1].pk)
    earliest.update(password=password, retired_at=clock.now())


def _notify(by: Principal, user: User, what: str) -> None:
    notify_change(
        by=by,
        user=user,
        account=user.account,
        what=what,
        advice="If you did not expect this, reset the user's password and look at the audit trail.",
    )
