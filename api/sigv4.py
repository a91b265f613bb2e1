"""AWS Signature Version 4, the checking side: "Create a signed AWS API request" in the IAM User Guide.

Two steps. `parse` reads what the caller presents and refuses what is malformed or ambiguous; `verify` checks time
and signature once the secret is known. Everything works on the bytes that were sent: a decoded path or a merged
header would let two different requests share one signature. Pure: no clock, no database, no framework.
"""

import hashlib
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property, lru_cache
from typing import NamedTuple

from api.canonical import canonical_requests, payload_hash, query_pairs
from api.wire import WireRequest

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = timedelta(minutes=15)
LONGEST_PRESIGNED = 604_800
SERVICES = frozenset({"iam", "sts"})

_TIMESTAMP = "%Y%m%dT%H%M%SZ"
_TIMESTAMP_FORM = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_SIGNATURE_FORM = re.compile(r"[0-9a-f]{64}")
_SIGNED_HEADERS_FORM = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+(?:;[a-z0-9!#$%&'*+.^_`|~-]+)*")
_SCOPE_PART_FORM = re.compile(r"[A-Za-z0-9_-]{1,128}")
_ONLY_ONCE = frozenset({"authorization", "content-length", "content-type", "date", "host"})
# Compared against when the key is unknown, so that a wrong id takes as long as a wrong signature.
_NOBODYS_SECRET = "0" * 40


class SignatureError(Exception):
    """The caller is not proven. Carries AWS's error code and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class WrongService(SignatureError):
    """Signed for a service that is not answered here."""


def _incomplete(message: str) -> SignatureError:
    return SignatureError("IncompleteSignature", message)


def _mismatch(message: str) -> SignatureError:
    return SignatureError("SignatureDoesNotMatch", message)


class Scope(NamedTuple):
    """What a signing key is good for: one day, one region, one service."""

    date: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True)
class Presented:
    """A claim to be somebody, well-formed but not yet proven."""

    request: WireRequest
    access_key_id: str
    scope: Scope
    timestamp: str
    signed_headers: tuple[str, ...]
    signature: str
    session_token: str | None
    expires: int | None = None

    @property
    def signed_at(self) -> datetime:
        return datetime.fromisoformat(self.timestamp)

    @cached_property
    def strings_to_sign(self) -> list[str]:
        """What may have been signed, in each of the forms that clients sign."""
        return [string_to_sign(self, each) for each in canonical_requests(self.request, self.signed_headers)]


def parse(request: WireRequest, services: Collection[str] = SERVICES) -> Presented:
    """Read the claim from the Authorization header or from the presigned query. Raises SignatureError."""
    _refuse_duplicates(request)
    pairs = query_pairs(request.query)
    presigned = any(name == b"X-Amz-Algorithm" for name, _ in pairs)
    in_header = request.header("authorization") is not None
    if presigned and in_header:
        raise _incomplete("Sign with the Authorization header or with the query string, not with both.")
    if presigned:
        presented = _parse_query(request, pairs)
    elif in_header:
        presented = _parse_header(request)
    else:
        raise SignatureError("MissingAuthenticationToken", "Request is missing Authentication Token")
    _check_scope(presented, services)
    _check_signed_headers(presented)
    _check_payload(request)
    return presented


def _refuse_duplicates(request: WireRequest) -> None:
    """Two Host headers, or two dates: a proxy may believe the one and we the other."""
    for name in request.repeated_headers():
        if name in _ONLY_ONCE or name.startswith("x-amz-"):
            raise _incomplete(f"The header '{name}' was sent more than once.")


def _parse_header(request: WireRequest) -> Presented:
    scheme, _, rest = (request.header("authorization") or "").partition(" ")
    if scheme != ALGORITHM:
        raise _incomplete(f"Unsupported authorization scheme; sign with {ALGORITHM}.")
    fields = _authorization_fields(rest)
    access_key_id, scope = _credential(fields["Credential"])
    return Presented(
        request,
        access_key_id,
        scope,
        _header_timestamp(request),
        _signed_headers(fields["SignedHeaders"]),
        _signature(fields["Signature"]),
        request.header("x-amz-security-token"),
    )


def _authorization_fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for part in text.split(","):
        name, separator, value = part.strip(" ").partition("=")
        if not separator or name in fields or name not in ("Credential", "SignedHeaders", "Signature"):
            raise _incomplete("The Authorization header must name Credential, SignedHeaders and Signature once each.")
        fields[name] = value
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if name not in fields]
    if missing:
        raise _incomplete(" ".join(f"Authorization header requires '{name}' parameter." for name in missing))
    return fields


def _header_timestamp(request: WireRequest) -> str:
    if (stamp := request.header("x-amz-date")) is not None:
        return _timestamp(stamp)
    if (date := request.header("date")) is None:
        raise _incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if _TIMESTAMP_FORM.fullmatch(date):
        return _timestamp(date)
    try:
        return parsedate_to_datetime(date).astimezone(UTC).strftime(_TIMESTAMP)
    except (ValueError, OverflowError) as exc:
        raise _incomplete("The 'Date' header is not a date.") from exc


def _parse_query(request: WireRequest, pairs: list[tuple[bytes, bytes]]) -> Presented:
    fields = _presigned_fields(pairs)
    if fields.get("X-Amz-Algorithm") != ALGORITHM:
        raise _incomplete(f"Unsupported X-Amz-Algorithm; sign with {ALGORITHM}.")
    if request.header("x-amz-security-token") is not None:
        raise _incomplete("A presigned request carries its session token in the query string.")
    required = ("X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature")
    if missing := [name for name in required if name not in fields]:
        raise _incomplete(" ".join(f"Query string requires '{name}' parameter." for name in missing))
    access_key_id, scope = _credential(fields["X-Amz-Credential"])
    return Presented(
        request,
        access_key_id,
        scope,
        _timestamp(fields["X-Amz-Date"]),
        _signed_headers(fields["X-Amz-SignedHeaders"]),
        _signature(fields["X-Amz-Signature"]),
        fields.get("X-Amz-Security-Token"),
        _expires(fields["X-Amz-Expires"]),
    )


def _presigned_fields(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for raw_name, value in pairs:
        name = raw_name.decode("latin-1")
        if not name.lower().startswith("x-amz-"):
            continue
        if name.lower() in {known.lower() for known in fields}:
            raise _incomplete(f"The parameter '{name}' was sent more than once.")
        fields[name] = value.decode("latin-1")
    return fields


@lru_cache(maxsize=1000)
def _credential(text: str) -> tuple[str, Scope]:
    parts = text.split("/")
    if len(parts) != 5 or not all(_SCOPE_PART_FORM.fullmatch(part) for part in parts):
        raise _incomplete("Credential must have the form KEY-ID/YYYYMMDD/REGION/SERVICE/aws4_request.")
    access_key_id, date, region, service, terminator = parts
    if terminator != "aws4_request":
        raise _mismatch("Credential should be scoped with a valid terminator: 'aws4_request'.")
    return access_key_id, Scope(date, region, service)


def _timestamp(text: str) -> str:
    try:
        # Four times as fast as strptime, and at home in more forms than the one that is allowed.
        datetime.fromisoformat(text)
    except ValueError:
        text = ""
    if not _TIMESTAMP_FORM.fullmatch(text):
        raise _incomplete("Date must be in ISO-8601 'basic format', for example 20260131T235959Z.")
    return text


@lru_cache(maxsize=100)
def _signed_headers(text: str) -> tuple[str, ...]:
    names = tuple(text.split(";"))
    if not _SIGNED_HEADERS_FORM.fullmatch(text) or list(names) != sorted(set(names)):
        raise _incomplete("SignedHeaders must be lower-case names, each once, in alphabetical order.")
    return names


def _signature(text: str) -> str:
    if not _SIGNATURE_FORM.fullmatch(text):
        raise _incomplete("Signature must be 64 lower-case hexadecimal digits.")
    return text


def _expires(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= LONGEST_PRESIGNED:
        raise _incomplete(f"X-Amz-Expires must be a number of seconds from 1 to {LONGEST_PRESIGNED}.")
    return int(text)


def _check_scope(presented: Presented, services: Collection[str]) -> None:
    scope, stamp = presented.scope, presented.timestamp
    if scope.service not in services:
        wanted = " or ".join(f"'{name}'" for name in sorted(services))
        raise WrongService("SignatureDoesNotMatch", f"Credential should be scoped to correct service: {wanted}.")
    if scope.date != stamp[:8]:
        raise _mismatch(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{scope.date}' != '{stamp[:8]}', from '{stamp}'."
        )


def _check_signed_headers(presented: Presented) -> None:
    """Host, and whatever changes the meaning of the request, must be covered, and everything covered must be there."""
    sent, signed = presented.request.header_names, set(presented.signed_headers)
    if "host" not in signed:
        raise _mismatch("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    needed = {name for name in sent if name.startswith("x-amz-")}
    if presented.expires is None and "x-amz-date" not in sent:
        needed.add("date")
    if missing := sorted(needed - signed) or sorted(signed - sent):
        raise _mismatch(f"Sent and signed headers differ: {', '.join(missing)}.")


def _check_payload(request: WireRequest) -> None:
    """UNSIGNED-PAYLOAD and STREAMING-… fall here too: every call is covered whole by its signature."""
    declared = request.header("x-amz-content-sha256")
    if declared is not None and not hmac.compare_digest(declared.encode("latin-1"), payload_hash(request).encode()):
        raise _mismatch("The value of 'x-amz-content-sha256' is not the SHA-256 of the body that was sent.")


def string_to_sign(presented: Presented, canonical: bytes) -> str:
    return "\n".join((ALGORITHM, presented.timestamp, str(presented.scope), hashlib.sha256(canonical).hexdigest()))


def signing_key(secret: str, scope: Scope) -> bytes:
    """The secret, narrowed to a day, a region and a service."""
    key = b"AWS4" + secret.encode()
    for part in (scope.date, scope.region, scope.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key


def signature(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()


def verify(presented: Presented, secret: str | None, now: datetime) -> bytes:
    """Prove the claim, or raise SignatureError. `secret` is None for an unknown key, which is as much work. Returns the
    signing key."""
    check_time(presented, now)
    key = signing_key(_NOBODYS_SECRET if secret is None else secret, presented.scope)
    if not signature_fits(presented, key) or secret is None:
        raise _unproven(secret)
    return key


def signature_fits(presented: Presented, key: bytes) -> bool:
    return any(hmac.compare_digest(signature(key, text), presented.signature) for text in presented.strings_to_sign)


def _unproven(secret: str | None) -> SignatureError:
    if secret is None:
        return SignatureError("InvalidClientTokenId", "The security token included in the request is invalid.")
    return _mismatch(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details."
    )


def check_time(presented: Presented, now: datetime) -> None:
    """Within 15 minutes either way; a presigned request holds for as long as it says and no longer."""
    signed_at, stamp = presented.signed_at, presented.timestamp
    lifetime = SKEW if presented.expires is None else timedelta(seconds=presented.expires)
    if now - signed_at > lifetime:
        raise _mismatch(f"Signature expired: {stamp} is now earlier than {_stamp(now - lifetime)} ({_stamp(now)}).")
    if signed_at - now > SKEW:
        raise _mismatch(f"Signature not yet current: {stamp} is still later than {_stamp(now + SKEW)} ({_stamp(now)}).")


def _stamp(moment: datetime) -> str:
    return moment.strftime(_TIMESTAMP)
