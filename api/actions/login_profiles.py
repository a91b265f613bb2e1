from access import throttle
from api import describe
from api.registry import Call, Result, action
from api.targets import found_user, user
from audit.errors import ServiceError, ValidationError
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


@action("iam:ChangePassword", resource=user)
def change_password(call: Call) -> None:
    """Whoever holds only a key must not find the password out here: wrong ones count as on the sign-in page."""
    by = call.principal
    person = throttle.person_key(by.account_id, None if by.is_root else by.name)
    counted = throttle.password_try(person=person, address=by.origin.address)
    try:
        login_profiles.change_password(
            by=by,
            user=None if call.is_about_root else found_user(call),
            old_password=call["OldPassword"],
            new_password=call["NewPassword"],
        )
    except login_profiles.IncorrectPassword:
        raise
    except ServiceError:
        counted.succeeded()
        raise
    counted.succeeded()
