"""A phone with an authenticator app, for tests."""

from datetime import datetime

import pyotp

from audit import clock
from identities import totp
from identities.models import MFADevice, User
from identities.services.mfa import create_virtual_mfa_device, enable_mfa_device
from tests.cast import principal_of


def codes(seed: str, *, at: datetime | None = None, steps: int = 0) -> tuple[str, str]:
    """The code before and the code of a time, `steps` later."""
    counter = totp.present_counter(at or clock.now()) + steps
    app = pyotp.TOTP(seed)
    return app.generate_otp(counter - 1), app.generate_otp(counter)


def unlimited(is_right: bool) -> None:
    """What hears of tries where nobody counts them."""


def device_of(user: User, name: str = "phone") -> tuple[MFADevice, str]:
    """A device that is on, proved by codes of the last minute, and its seed."""
    device, seed = create_virtual_mfa_device(by=principal_of(user), user=user, name=name)
    code1, code2 = codes(seed, steps=-1)
    return enable_mfa_device(by=principal_of(user), device=device, code1=code1, code2=code2, tried=unlimited), seed
