"""Console passwords of users. What is stored is a hash; earlier ones are kept as far back as a policy can ask."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction

from accounts.counting import number_of
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
from identities.services.mfa import has_mfa_of
from identities.services.notices import notify_change

HISTORY_KEPT = 24
# What a new password asks for: the account's rules, and whom to tell.
_RULES = ("account__password_policy", "account__root_user")


class IncorrectPassword(ServiceError):
    """The present password was asked for and another one was given."""

    code = "AccessDenied"
    field = "old_password"


def create_login_profile(
    *, by: Principal, user: User, password: str, password_reset_required: bool = False, for_console: bool = False
) -> LoginProfile:
    """Give a user a console password. Raises EntityAlreadyExists or PasswordPolicyViolation."""
    password = normalise(password)
    user = User.objects.select_related(*_RULES).annotate(has_mfa=has_mfa_of("pk")).get(pk=user.pk)
    _check(user, password, has_mfa=user.has_mfa, for_console=for_console)
    profile = LoginProfile(user=user, password=make_password(password), password_reset_required=password_reset_required)
    with transaction.atomic():
        try:
            with transaction.atomic(savepoint=False):
                profile.save(force_insert=True)
        except IntegrityError as error:
            raise EntityAlreadyExists(f"Login Profile for user {user.name} already exists.") from error
        record(by, "iam:CreateLoginProfile", user.arn, password_reset_required=password_reset_required)
        _notify(by, user, f"IAM user {user.name} was given a console password")
    return profile


def get_login_profile(user: User) -> LoginProfile:
    """Read afresh, with all that a new password asks for. Raises NoSuchEntity when there is no console password."""
    profiles = LoginProfile.objects.select_related(*(f"user__{each}" for each in _RULES))
    profiles = profiles.annotate(has_mfa=has_mfa_of("pk"), earlier=number_of(PasswordHistory.objects.all(), "user"))
    profile = profiles.filter(user=user).first()
    if profile is None:
        raise no_such_profile(user)
    return profile


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
    profile = get_login_profile(user)
    changed: dict[str, object] = {}
    if password is not None:
        changed = _new_password(profile, normalise(password), for_console=for_console)
    if password_reset_required is not None:
        changed["password_reset_required"] = password_reset_required
    with transaction.atomic():
        _store(profile, changed)
        record(
            by,
            "iam:UpdateLoginProfile",
            user.arn,
            password_changed=password is not None,
            password_reset_required=profile.password_reset_required,
        )
        if password is not None:
            _notify(by, profile.user, f"The console password of IAM user {user.name} was replaced")
    return profile


@transaction.atomic
def delete_login_profile(*, by: Principal, user: User) -> None:
    """Take the console password away: no sign-in, and every session ends. Access keys stay as they are."""
    if not LoginProfile.objects.filter(user=user).delete()[0]:
        raise NoSuchEntity(f"Login Profile for User {user.name} cannot be found.")
    record(by, "iam:DeleteLoginProfile", user.arn)
    _notify(by, user, f"The console password of IAM user {user.name} was removed")


def change_password(
    *, by: Principal, user: User | None, old_password: str, new_password: str, for_console: bool = False
) -> LoginProfile:
    """Change one's own password. Every session opened with the old one ends.

    Raises InvalidUserType for root (whose password has its own page), IncorrectPassword, PasswordPolicyViolation.
    """
    if by.is_root or user is None or by.unique_id != user.unique_id:
        raise InvalidUserType("Only IAM Users can change their own password.")
    profile = get_login_profile(user)
    if not password_is(profile, old_password):
        raise IncorrectPassword("The present password is not right.")
    return _replace(by, profile, new_password, for_console=for_console)


def replace_own_password(*, by: Principal, user: User, new_password: str) -> LoginProfile:
    """Set the password that somebody has to choose when they sign in: they proved the present one a moment ago.

    Raises InvalidUserType for anybody else's, PasswordPolicyViolation, ConcurrentModification.
    """
    if by.is_root or by.unique_id != user.unique_id:
        raise InvalidUserType("Only IAM Users can change their own password.")
    return _replace(by, get_login_profile(user), new_password, for_console=True)


def _replace(by: Principal, profile: LoginProfile, password: str, *, for_console: bool) -> LoginProfile:
    user, changed = profile.user, _new_password(profile, normalise(password), for_console=for_console)
    with transaction.atomic():
        _store(profile, {**changed, "password_reset_required": False})
        record(by, "iam:ChangePassword", user.arn)
        _notify(by, user, f"IAM user {user.name} changed their console password")
    return profile


def password_is(owner: AbstractBaseUser, password: str) -> bool:
    """Whether this is the present password; one that is too long to be one is simply wrong."""
    try:
        return check_password(normalise(password), owner.password)
    except PasswordPolicyViolation:
        return False


def _check(user: User, password: str, *, has_mfa: bool, for_console: bool) -> None:
    root = getattr(user.account, "root_user", None)
    words = context_words(user.account, user_name=user.name, email=root.email if root else "")
    check_new_password(password, policy=_policy_of(user), words=words, has_mfa=has_mfa, for_console=for_console)


def _policy_of(user: User) -> PasswordPolicy | None:
    return getattr(user.account, "password_policy", None)


def _new_password(profile: LoginProfile, password: str, *, for_console: bool) -> dict[str, object]:
    """The columns of a password that passed every rule. Hashing happens here, before any lock is held."""
    policy = _policy_of(profile.user)
    _check(profile.user, password, has_mfa=profile.has_mfa, for_console=for_console)  # type: ignore[attr-defined] # annotated where it was read
    _check_reuse(profile, password, policy.password_reuse_prevention if policy else 0, for_console=for_console)
    return {"password": make_password(password), "password_changed_at": clock.now()}


def _check_reuse(profile: LoginProfile, password: str, reach: int, *, for_console: bool) -> None:
    """`reach` passwords back, the present one included; our own pages always refuse the present one."""
    if (reach or for_console) and check_password(password, profile.password):
        raise PasswordPolicyViolation("This is the present password; choose another one.", field="password")
    earlier = PasswordHistory.objects.filter(user_id=profile.user_id).order_by("-retired_at", "-id")
    hashes = earlier.values_list("password", flat=True)[: max(reach - 1, 0)]
    if any(check_password(password, earlier_hash) for earlier_hash in hashes):
        raise PasswordPolicyViolation(
            f"This password was used before; this account remembers the last {reach}.", field="password"
        )


def _store(profile: LoginProfile, changed: dict[str, object]) -> None:
    """Write only over the password that was read: of two changes at once, the second fails."""
    before = profile.password
    for name, value in changed.items():
        setattr(profile, name, value)
    if changed and not LoginProfile.objects.filter(pk=profile.pk, password=before).update(**changed):
        raise ConcurrentModification("The password was changed by somebody else just now. Open the page again.")
    if profile.password != before:
        _remember(profile, before)


def _remember(profile: LoginProfile, password: str) -> None:
    """As an earlier one, in the place of the earliest where no more are kept."""
    if profile.earlier < HISTORY_KEPT:  # type: ignore[attr-defined] # annotated where it was read
        PasswordHistory.objects.create(user=profile.user, password=password)
        return
    earlier = PasswordHistory.objects.filter(user=profile.user).order_by("retired_at", "id")
    PasswordHistory.objects.filter(pk__in=earlier.values("pk")[:1]).update(password=password, retired_at=clock.now())


def _notify(by: Principal, user: User, what: str) -> None:
    notify_change(
        by=by,
        user=user,
        account=user.account,
        what=what,
        advice="If you did not expect this, reset the user's password and look at the audit trail.",
    )
