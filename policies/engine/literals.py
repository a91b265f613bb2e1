"""What the values of typed condition operators mean: numbers, dates, truth values, base64, addresses.

Every reader returns None for a text that is no such value. The formats are those of the IAM User Guide ("Condition
operators"): W3C dates (ISO 8601) or epoch seconds, CIDR networks of IPv4 and IPv6.
"""

import base64
import binascii
import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?|[+-]?\.[0-9]+")
_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:[Tt]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?)?)?"
)
_EPOCH = re.compile(r"-?[0-9]+")
_MAX_LENGTH = 64
# Values come again and again; what is remembered of them is bounded in number, and by their length.
_REMEMBERED = 1024
_MAX_EPOCH = 2**63
_NANOSECONDS = 10**9
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

Network = tuple[int, int, int]  # version, network, mask


def number(text: str) -> Decimal | None:
    return None if len(text) > _MAX_LENGTH else _number(text)


@lru_cache(maxsize=_REMEMBERED)
def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def instant(text: str) -> int | None:
    """A moment in nanoseconds since 1970. Four digits are a year; other whole numbers are epoch seconds."""
    return None if len(text) > _MAX_LENGTH else _instant(text)


@lru_cache(maxsize=_REMEMBERED)
def _instant(text: str) -> int | None:
    match = _DATE.fullmatch(text)
    if match:
        return _from_fields(*match.groups())
    if not _EPOCH.fullmatch(text) or abs(int(text)) >= _MAX_EPOCH:
        return None
    return int(text) * _NANOSECONDS


def _from_fields(
    year: str,
    month: str | None,
    day: str | None,
    hour: str | None,
    minute: str | None,
    second: str | None,
    fraction: str | None,
    zone: str | None,
) -> int | None:
    try:
        days = date(int(year), int(month or 1), int(day or 1)).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        return None
    offset = _offset(zone or "Z")
    if int(hour or 0) > 23 or int(minute or 0) > 59 or int(second or 0) > 59 or offset is None:
        return None
    seconds = days * 86400 + int(hour or 0) * 3600 + int(minute or 0) * 60 + int(second or 0) - offset
    return seconds * _NANOSECONDS + int((fraction or "0")[:9].ljust(9, "0"))


def _offset(zone: str) -> int | None:
    if zone in "Zz":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 23 or minutes > 59:
        return None
    return (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)


def binary(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None


def address(text: str) -> tuple[int, int] | None:
    """The version and number of an IP address; an IPv4 address written as IPv6 (::ffff:1.2.3.4) is IPv4."""
    return None if len(text) > _MAX_LENGTH or "%" in text else _address(text)


@lru_cache(maxsize=_REMEMBERED)
def _address(text: str) -> tuple[int, int] | None:
    try:
        found: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return found.version, int(found)


def network(text: str) -> Network | None:
    """A CIDR network; a bare address is a network of one, bits behind the prefix are ignored."""
    host, slash, prefix = text.partition("/")
    if len(text) > _MAX_LENGTH or "%" in text or (slash and not (prefix.isascii() and prefix.isdigit())):
        return None
    try:
        found = ip_network(text, strict=False)
    except ValueError:
        return None
    return found.version, int(found.network_address), int(found.netmask)
