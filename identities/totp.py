"""Time-based one-time codes (RFC 6238: SHA-1, six digits, 30 seconds). Pure: the time is handed in.

A code is spoken of by its counter, the number of the 30 seconds it belongs to; whoever keeps the last counter that was
accepted can refuse a code that was used before.
"""

import base64
import secrets
from datetime import datetime

import pyotp
from pyotp.utils import strings_equal

ISSUER = "IAM Console"
STEP_SECONDS = 30
WINDOW = 1
# How far a device's clock may be off when it is enrolled (5 minutes) and when it is synchronised again (a day).
ENROL_WINDOW, RESYNC_WINDOW = 10, 2880


def new_seed() -> str:
    """160 random bits, in the letters that authenticator apps read."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def address(seed: str, device: str, account: str) -> str:
    """The `otpauth:` address behind the QR code; apps show it as “IAM Console: device@account”."""
    return pyotp.TOTP(seed).provisioning_uri(name=f"{device}@{account}", issuer_name=ISSUER)


def cleaned(code: str) -> str:
    """The six digits of what was typed; '' when it is no code. Apps show a space in the middle, people type it."""
    digits = "".join(code[:16].split())
    return digits if len(digits) == 6 and digits.isascii() and digits.isdigit() else ""


def matching_counter(seed: str, code: str, *, at: datetime, drift: int = 0, after: int = 0) -> int | None:
    """The counter of a code that is valid now, one step early or late; None for a wrong one and for one not later
    than `after`, the last that was accepted. Every comparison is made, and in constant time.

    `drift` is by how many steps the device's clock is off. One found when it was enrolled may be no such thing: the
    two codes were perhaps typed late. So what a right clock shows is valid, too, until a code has told (`drift_told`).
    """
    totp, digits = pyotp.TOTP(seed), cleaned(code)
    present = totp.timecode(at)
    clocks = {present, present + drift} if abs(drift) <= ENROL_WINDOW else {present + drift}
    candidates = sorted({clock + early for clock in clocks for early in range(-WINDOW, WINDOW + 1)})
    matches = [counter for counter in candidates if strings_equal(digits, totp.generate_otp(counter))]
    return next((counter for counter in matches if counter > after), None)


def drift_told(counter: int, *, at: datetime, drift: int) -> int:
    """By how many steps a clock is off that just showed the code of that counter: none where it fits a right clock
    and not the `drift` that was thought."""
    return drift if abs(counter - present_counter(at) - drift) <= WINDOW else 0


def consecutive_counter(seed: str, code1: str, code2: str, *, at: datetime, window: int, after: int = 0) -> int | None:
    """The counter of the second of two codes that follow one another, within `window` steps around now."""
    totp, first, second = pyotp.TOTP(seed), cleaned(code1), cleaned(code2)
    present = totp.timecode(at)
    for counter in sorted(range(present - window, present + window + 1), key=lambda one: abs(one - present)):
        if counter - 1 <= max(after, 0) or not strings_equal(second, totp.generate_otp(counter)):
            continue
        if strings_equal(first, totp.generate_otp(counter - 1)):
            return counter
    return None


def present_counter(at: datetime) -> int:
    return int(at.timestamp()) // STEP_SECONDS
