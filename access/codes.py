"""A second factor in a call of the Security Token Service: the serial number of a device of the caller's, and its code.
Limited together with the codes at sign-in: a stolen key gives nobody more tries."""

from datetime import datetime

from access import throttle
from audit import clock
from audit.errors import NoSuchEntity, ServiceError
from audit.principal import Principal
from identities.models import User
from identities.services.mfa import get_mfa_device, verify_code


class MFAFailed(ServiceError):
    """AWS's code for a wrong second factor."""

    code = "AccessDenied"


UNKNOWN_DEVICE = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid "
    "and associated with this user."
)
WRONG_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code."
HALF = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."


def prove_mfa(by: Principal, serial_number: str, code: str) -> datetime | None:
    """When the code was shown (now); None where none was given. A code works once. Raises MFAFailed, Throttled."""
    if not serial_number and not code:
        return None
    if not serial_number or not code:
        raise MFAFailed(HALF)
    if by.type not in ("user", "root"):
        raise MFAFailed(UNKNOWN_DEVICE)
    user = User.objects.get(unique_id=by.unique_id) if by.type == "user" else None
    counted = throttle.code_try(person=throttle.person_key(by.account_id, user.name if user else None))
    if not _is_own_device(by, user, serial_number):
        raise MFAFailed(UNKNOWN_DEVICE)
    if verify_code(account_id=by.account_id, user=user, code=code, serial_number=serial_number) is None:
        raise MFAFailed(WRONG_CODE)
    counted.succeeded()
    return clock.now()


def _is_own_device(by: Principal, user: User | None, serial_number: str) -> bool:
    try:
        device = get_mfa_device(by.account_id, serial_number)
    except NoSuchEntity:
        return False
    return device.user == user and device.enabled_at is not None
