from django.db.models import Exists

from access import throttle
from accounts.tags import iam_resource_tag_keys
from api import describe
from api.registry import Call, Result, Target, action
from api.targets import found_user, user
from audit.errors import NoSuchEntity, ValidationError
from audit.principal import Principal
from identities.models import User
from identities.services import login_profiles


@action("iam:CreateLoginProfile", resource=user)
def create_login_profile(call: Call) -> Result:
    row = login_profiles.create_login_profile(
        by=call.principal,
        user=found_user(call),
        password=first_password(call),
        password_reset_required=call.get("PasswordResetRequired", False),
    )
    return {"LoginProfile": describe.login_profile(row)}


def first_password(call: Call) -> str:
    """The model leaves Password optional, for sessions that this server does not give (AssumeRoot)."""
    if "Password" not in call:
        raise ValidationError("Password is required: give the user a first password.")
    return str(call["Password"])


@action("iam:GetLoginProfile", resource=user)
def get_login_profile(call: Call) -> Result:
    """The user that was just read has brought it along."""
    row = found_user(call)
    if not hasattr(row, "login_profile"):
        raise login_profiles.no_such_profile(row)
    return {"LoginProfile": describe.login_profile(row.login_profile)}


@action("iam:UpdateLoginProfile", resource=user)
def update_login_profile(call: Call) -> None:
    login_profiles.update_login_profile(
        by=call.principal,
        user=found_user(call),
        password=call.get("Password"),
        password_reset_required=call.get("PasswordResetRequired"),
    )


@action("iam:DeleteLoginProfile", resource=user)
def delete_login_profile(call: Call) -> None:
    login_profiles.delete_login_profile(by=call.principal, user=found_user(call))


def caller_with_password(call: Call) -> Target:
    """The caller, with all that a new password asks for, and whether a try at the present one would be looked at."""
    by = call.principal
    if by.type != "user":
        return user(call)
    callers = User.objects.filter(account_id=by.account_id, unique_id=by.unique_id)
    holder = login_profiles.find_holder(callers.annotate(is_full=Exists(_tries(by).full())))
    if holder is None:
        raise NoSuchEntity(f"The user with name {by.name} cannot be found.")
    call.gate.note_password_policy(holder.policy)
    return Target(holder.user.arn, holder, iam_resource_tag_keys(by.tags))


@action("iam:ChangePassword", resource=caller_with_password)
def change_password(call: Call) -> None:
    """Whoever holds only a key must not find the password out here: wrong ones count as on the sign-in page."""
    tries, row = _tries(call.principal), call.target.row
    holder = row if isinstance(row, login_profiles.Holder) else None
    if holder is not None:
        tries.refuse(holder.user.is_full)  # type: ignore[attr-defined] # annotated above
    login_profiles.change_password(
        by=call.principal,
        holder=holder,
        old_password=call["OldPassword"],
        new_password=call["NewPassword"],
        tried=tries,
    )


def _tries(by: Principal) -> throttle.Tries:
    return throttle.password_tries(person=throttle.person_key(by.account_id, by.unique_id), address=by.origin.address)
