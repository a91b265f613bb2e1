"""Where the values of typed operators end: one step beyond each edge is no value."""

from decimal import Decimal

import pytest

from policies.engine import literals

pytestmark = pytest.mark.sqlite  # the engine knows no database

SECOND = 10**9
NEW_YEAR = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T00:00:00Z", NEW_YEAR),
        ("2026-01-01T00:00:00z", NEW_YEAR),
        ("2026-01-01t00:00Z", NEW_YEAR),
        ("2026-01-01T23:59:59Z", NEW_YEAR + 86_399 * SECOND),
        ("2026-01-01T24:00:00Z", None),
        ("2026-01-01T00:60:00Z", None),
        ("2026-01-01T00:00:60Z", None),
        ("2026-01-01T01:02:03Z", NEW_YEAR + 3_723 * SECOND),
        ("2026-01-01T01:02", NEW_YEAR + 3_720 * SECOND),
        ("2026-01-01T00:00:00.25Z", NEW_YEAR + SECOND // 4),
        ("2026-01-01T00:00:00.123456789Z", NEW_YEAR + 123_456_789),
        ("2026-01-01T00:00:00.1234567891Z", NEW_YEAR + 123_456_789),
        ("2026-01-01T12:30:00+12:30", NEW_YEAR),
        ("2025-12-31T11:30:00-12:30", NEW_YEAR),
        ("2026-01-01T01:00:00.000000001+01:00", NEW_YEAR + 1),
        ("2026-01-01T23:59:00+2359", NEW_YEAR),
        ("2026-01-01T23:00:00+23:00", NEW_YEAR),
        ("2026-01-01T00:00:00+24:00", None),
        ("2026-01-01T00:00:00+00:60", None),
        ("2026-01-01T00:59:00+00:59", NEW_YEAR),
        ("2026-00-01", None),
        ("2026-02-29", None),
        ("2024-02-29", 1_709_164_800 * SECOND),
        ("1970", 0),
        ("0", 0),
        ("-1", -SECOND),
        ("9223372036854775807", (2**63 - 1) * SECOND),
        ("9223372036854775808", None),
        ("-9223372036854775808", None),
        ("0" * 64, 0),
        ("0" * 65, None),
        ("", None),
    ],
)
def test_it_reads_dates(text: str, expected: int | None) -> None:
    assert literals.instant(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.50", Decimal("10.5")),
        ("-1e3", Decimal(-1000)),
        ("+.5", Decimal("0.5")),
        ("1e999", Decimal("1e999")),
        ("1e1000", None),
        ("1.", None),
        ("1" * 64, Decimal("1" * 64)),
        ("1" * 65, None),
        (" 1", None),
    ],
)
def test_it_reads_numbers(text: str, expected: Decimal | None) -> None:
    assert literals.number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", (4, 0xC0000201)),
        ("::ffff:192.0.2.1", (4, 0xC0000201)),
        ("::1", (6, 1)),
        ("fe80::1%eth0", None),
        ("192.0.2.256", None),
        ("192.0.2", None),
        ("1" * 65, None),
    ],
)
def test_it_reads_addresses(text: str, expected: tuple[int, int] | None) -> None:
    assert literals.address(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.7/24", (4, 0xC0000200, 0xFFFFFF00)),
        ("192.0.2.1", (4, 0xC0000201, 0xFFFFFFFF)),
        ("::1", (6, 1, 2**128 - 1)),
        ("192.0.2.0/", None),
        ("192.0.2.0/٣", None),
        ("192.0.2.0/+8", None),
        ("192.0.2.0/33", None),
        ("fe80::%1/64", None),
        ("0" * 60 + "::/64", None),
    ],
)
def test_it_reads_networks(text: str, expected: tuple[int, int, int] | None) -> None:
    assert literals.network(text) == expected


def test_it_reads_truth_values_and_base64() -> None:
    assert [literals.boolean(text) for text in ("true", "FALSE", "1", "")] == [True, False, None, None]
    assert [literals.binary(text) for text in ("cmVk", "", "cmV", "cm Vk", "ü")] == [b"red", b"", None, None, None]
