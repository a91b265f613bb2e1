"""A second factor in a call of the Security Token Service: the serial number of a device of the caller's, and its code.
Limited together with the codes at sign-in: a stolen key gives nobody more tries."""

from datetime import datetime

from access import throttle
from audit import clock
from audit.errors import NoSuchEntity, ServiceError
from audit.principal import Principal
from identities.models import MFADevice
from identities.services.mfa import accept_code, get_mfa_device


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
    tries = throttle.code_tries(person=throttle.person_key(by.account_id, by.unique_id if by.type == "user" else None))
    device = _own_device(by, serial_number)
    if accept_code([device] if device else [], code, tried=tries) is None:
        raise MFAFailed(WRONG_CODE if device else UNKNOWN_DEVICE)
    return clock.now()


def _own_device(by: Principal, serial_number: str) -> MFADevice | None:
    """The device, if it is on and the caller's own; root's has no user."""
    try:
        device = get_mfa_device(by.account_id, serial_number)
    except NoSuchEntity:
        return None
    is_own = device.user.unique_id == by.unique_id if device.user else by.is_root
    return device if is_own and device.enabled_at is not None else None
