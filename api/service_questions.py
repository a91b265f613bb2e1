"""What services ask at POST /authorize: JSON to typed questions, bounded before any work is done with it."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from api.wire import WireRequest
from audit.errors import ValidationError

MOST_QUESTIONS = 1000
_MOST_HEADERS = 100
_MOST_KEYS = 100
_MOST_VALUES = 100
_LONGEST = 2048
EMPTY_BODY = hashlib.sha256(b"").hexdigest()

_HASH = re.compile(r"[0-9a-f]{64}")
_METHOD = re.compile(r"[A-Z]{1,20}")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_SERVICE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_ACTION = re.compile(r"[A-Za-z0-9-]{1,64}:[A-Za-z0-9]{1,64}")
_KEY = re.compile(r"[A-Za-z0-9-]{1,64}:[^\x00-\x1f]{1,256}")
# What is known of the caller from its own proof, and of the moment: nobody else's word counts for it.
_OURS = re.compile(
    r"aws:(principal.*|userid|username|multifactorauth.*|tokenissuetime|sourceidentity|federatedprovider|currenttime|"
    r"epochtime|assumedroot|called.*|via.*)",
    re.IGNORECASE,
)
# Spelled as the gate spells them, so that a service's word takes the place of its own address and connection.
_SPELLED = {key.lower(): key for key in ("aws:SourceIp", "aws:UserAgent", "aws:SecureTransport", "aws:Referer")}


@dataclass(frozen=True, slots=True)
class Question:
    """May whoever signed this request do this? `service` is the name that the signature must be for."""

    request: WireRequest
    service: str
    action: str = ""
    resource: str = ""
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    explain: bool = False


def read(body: bytes) -> tuple[list[Question], bool]:
    """The questions, and whether they came as a batch. Raises ValidationError."""
    given = _object(_json(body), "The body")
    if "Requests" not in given:
        return [_question(given, {}, "The body")], False
    asked = given["Requests"]
    if not isinstance(asked, list) or not 1 <= len(asked) <= MOST_QUESTIONS:
        raise ValidationError(f"Requests must be a list of 1 to {MOST_QUESTIONS} questions.")
    shared: dict[str, Any] = {name: given[name] for name in ("Request", "Service", "Explain") if name in given}
    return [_question(_object(each, where), shared, where) for each, where in _numbered(asked)], True


def _numbered(items: list[Any]) -> Iterator[tuple[Any, str]]:
    return ((item, f"Requests[{number}]") for number, item in enumerate(items))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise ValidationError("The body must be JSON.") from exc


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValidationError(f"{where} must be an object.")
    return value


def _question(given: dict[str, Any], shared: Mapping[str, Any], where: str) -> Question:
    words = {**shared, **given}
    request = _object(words.get("Request"), f"Request of {where}")
    return Question(
        _request(request, where),
        _text(words, "Service", _SERVICE, where),
        _text(words, "Action", _ACTION, where),
        _resource(words.get("Resource"), where),
        read_context(words.get("Context", {}), where),
        words.get("Explain") is True,
    )


def _text(words: Mapping[str, Any], name: str, form: re.Pattern[str], where: str) -> str:
    value = words.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ValidationError(f"{name} of {where} is missing or has not the form {form.pattern}.")
    return value


def _resource(value: Any, where: str) -> str:
    is_arn = isinstance(value, str) and value.startswith("arn:") and value.count(":") >= 5
    if value == "*" or (is_arn and len(value) <= _LONGEST):
        return str(value)
    raise ValidationError(f"Resource of {where} must be an ARN of at most {_LONGEST} characters, or *.")


def _request(given: dict[str, Any], where: str) -> WireRequest:
    hashed = given.get("PayloadHash", EMPTY_BODY)
    if not isinstance(hashed, str) or not _HASH.fullmatch(hashed):
        raise ValidationError(f"PayloadHash of {where} must be a SHA-256 in lower-case hexadecimal.")
    path, query = given.get("Path", "/"), given.get("Query", "")
    if not (isinstance(path, str) and isinstance(query, str) and path.startswith("/") and (path + query).isascii()):
        raise ValidationError(f"Path and Query of {where} must be those of the request line, as they were sent.")
    headers = tuple(_headers(_object(given.get("Headers"), f"Headers of {where}"), where))
    method = _text(given, "Method", _METHOD, where)
    return WireRequest(method, path.encode(), query.encode(), headers, b"", hashed)


def _headers(given: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    if len(given) > _MOST_HEADERS:
        raise ValidationError(f"Headers of {where}: at most {_MOST_HEADERS}.")
    for name, value in given.items():
        values = value if isinstance(value, list) else [value]
        if not _NAME.fullmatch(name) or len(values) > _MOST_VALUES or not all(_is_latin(each) for each in values):
            raise ValidationError(f"Headers of {where} must be texts by name, as they were sent.")
        yield from ((name, each) for each in values)


def _is_latin(value: Any) -> bool:
    return isinstance(value, str) and all(ord(char) < 256 for char in value)


def read_context(given: Any, where: str) -> dict[str, tuple[str, ...]]:
    """The condition keys that a service brings along. Raises ValidationError for those that are ours to know."""
    context: dict[str, tuple[str, ...]] = {}
    if not isinstance(given, dict) or len(given) > _MOST_KEYS:
        raise ValidationError(f"Context of {where} must be an object with at most {_MOST_KEYS} keys.")
    for key, value in given.items():
        values = tuple(value) if isinstance(value, list) else (value,)
        if not _KEY.fullmatch(key) or len(values) > _MOST_VALUES or not all(_is_value(each) for each in values):
            raise ValidationError(f"Context of {where}: “{key[:100]}” must be a condition key with texts for values.")
        if _OURS.fullmatch(key):
            raise ValidationError(f"Context of {where}: {key} is known from the caller's own proof.")
        spelled = str(_SPELLED.get(key.lower(), key))
        if spelled.lower() in {known.lower() for known in context}:
            raise ValidationError(f"Context of {where}: {key} stands there twice; keys ignore case.")
        context[spelled] = values
    return context


def _is_value(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST
