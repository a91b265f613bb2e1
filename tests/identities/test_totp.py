from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from identities import totp

NOW = datetime(2026, 11, 24, 12, 0, 10, tzinfo=UTC)
PRESENT = totp.present_counter(NOW)
# The published secret of RFC 6238's SHA-1 vectors: “12345678901234567890”.
RFC_SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def code(counter: int, seed: str = RFC_SEED) -> str:
    return pyotp.TOTP(seed).generate_otp(counter)


@pytest.mark.bar(27)
def test_a_seed_has_160_random_bits() -> None:
    seeds = {totp.new_seed() for _ in range(200)}
    assert len(seeds) == 200
    assert all(len(seed) == 32 for seed in seeds)


@pytest.mark.parametrize(("second", "expected"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_it_reads_the_published_vectors(second: int, expected: str) -> None:
    at = datetime.fromtimestamp(second, UTC)
    assert totp.matching_counter(RFC_SEED, expected, at=at) == second // 30


@pytest.mark.bar(25)
@pytest.mark.parametrize(("offset", "valid"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_valid_one_step_early_or_late(offset: int, valid: bool) -> None:
    assert (totp.matching_counter(RFC_SEED, code(PRESENT + offset), at=NOW) is not None) is valid


@pytest.mark.bar(25)
def test_a_code_that_was_accepted_is_refused() -> None:
    assert totp.matching_counter(RFC_SEED, code(PRESENT), at=NOW, after=PRESENT) is None
    assert totp.matching_counter(RFC_SEED, code(PRESENT + 1), at=NOW, after=PRESENT) == PRESENT + 1


def test_a_device_with_a_wrong_clock_is_followed() -> None:
    assert totp.matching_counter(RFC_SEED, code(PRESENT + 40), at=NOW, drift=40) == PRESENT + 40
    assert totp.matching_counter(RFC_SEED, code(PRESENT), at=NOW, drift=40) is None
    assert totp.drift_told(PRESENT + 41, at=NOW, drift=40) == 40


@pytest.mark.parametrize("typed_late", [-2, -4, -9])
def test_a_device_whose_codes_were_typed_late_has_a_right_clock(typed_late: int) -> None:
    assert totp.matching_counter(RFC_SEED, code(PRESENT), at=NOW, drift=typed_late) == PRESENT
    assert totp.drift_told(PRESENT, at=NOW, drift=typed_late) == 0


@pytest.mark.parametrize("slow", [-1, -2, -9])
def test_a_device_with_a_slow_clock_stays_one(slow: int) -> None:
    assert totp.matching_counter(RFC_SEED, code(PRESENT + slow), at=NOW, drift=slow) == PRESENT + slow
    assert totp.drift_told(PRESENT + slow, at=NOW, drift=slow) == slow


@pytest.mark.bar(25)
def test_codes_between_the_two_clocks_are_not_valid() -> None:
    fits = [n for n in range(-12, 5) if totp.matching_counter(RFC_SEED, code(PRESENT + n), at=NOW, drift=-6)]
    assert fits == [-7, -6, -5, -1, 0, 1]


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-12345", "1" * 1_000_000])
def test_what_is_no_code_never_matches(typed: str) -> None:
    assert totp.cleaned(typed) == ""
    assert totp.matching_counter(RFC_SEED, typed, at=NOW) is None


def test_spaces_in_a_code_are_forgiven() -> None:
    typed = f" {code(PRESENT)[:3]} {code(PRESENT)[3:]} "
    assert totp.matching_counter(RFC_SEED, typed, at=NOW) == PRESENT


def test_two_codes_must_follow_one_another() -> None:
    def found(first: int, second: int, **facts: int) -> int | None:
        return totp.consecutive_counter(RFC_SEED, code(first), code(second), at=NOW, window=10, **facts)

    assert found(PRESENT, PRESENT + 1) == PRESENT + 1
    assert found(PRESENT + 1, PRESENT) is None
    assert found(PRESENT, PRESENT) is None
    assert found(PRESENT, PRESENT + 2) is None
    assert found(PRESENT + 10, PRESENT + 11) is None
    assert found(PRESENT, PRESENT + 1, after=PRESENT) is None


def test_the_address_names_device_and_account() -> None:
    address = totp.address(RFC_SEED, "phone", "acme")
    assert address.startswith("otpauth://totp/IAM%20Console:phone%40acme?secret=GEZD")


def test_a_step_is_thirty_seconds() -> None:
    assert totp.present_counter(NOW + timedelta(seconds=30)) == PRESENT + 1
