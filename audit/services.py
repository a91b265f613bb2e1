"""Writing the audit trail. Called inside the transaction of the change, so that neither exists without the other."""

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from audit import decisions
from audit.explanation import Explanation
from audit.models import Event, Outcome
from audit.principal import Principal
from database.inserts import PreparedInsert

# A record never holds a secret: a key with one of these words in its name is a mistake of the caller.
_SECRET_WORDS = ("password", "secret", "seed", "token", "code")
_EVENTS = PreparedInsert(Event)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ALLOWED_FACTS = frozenset({"password_reset_required", "password_changed", "error_code"})


def _clean(text: str, limit: int) -> str:
    """One line of printable text: a name with a line feed must not look like a second record in an export."""
    if len(text) <= limit and text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text[:limit])[:limit]


def _storable(value: Any) -> Any:
    """JSON that every database takes: services and proxies hand on texts of strangers, with NUL or half a character."""
    text = json.dumps(value)
    return _replaced(value) if "\\u0000" in text or "\\ud" in text else value


def _replaced(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {_replaced(key): _replaced(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(each) for each in value]
    return value


def _checked(detail: dict[str, Any]) -> dict[str, Any]:
    for key in detail:
        if key not in _ALLOWED_FACTS and any(word in key.lower() for word in _SECRET_WORDS):
            raise ValueError(f"Audit detail `{key}` looks like a secret.")
    return detail


def record(
    by: Principal,
    action: str,
    resource: str = "",
    *,
    outcome: Outcome = Outcome.SUCCESS,
    error_code: str = "",
    explanation: Explanation | None = None,
    **detail: Any,
) -> Event:
    """Append one event. `detail` holds before/after and other plain facts, JSON types only, never a secret.

    `explanation` says why something was refused; for a change it is what the gate noted when it allowed it.
    """
    event = _event(by, action, resource, outcome, error_code, explanation, detail)
    # Of what was refused the caller is told the key of the event.
    return _EVENTS.insert(event, may_defer=outcome == Outcome.SUCCESS)


class Change(NamedTuple):
    """One of several that are made at once."""

    by: Principal
    action: str
    resource: str
    detail: dict[str, Any]


def record_many(changes: Iterable[Change]) -> None:
    """Append an event for each change, in one statement: all or none, also without a transaction."""
    events = [
        _event(by, action, resource, Outcome.SUCCESS, "", None, detail) for by, action, resource, detail in changes
    ]
    if len(events) == 1:
        _EVENTS.insert(events[0], may_defer=True)
    else:
        Event.objects.bulk_create(events)


def _event(
    by: Principal,
    action: str,
    resource: str,
    outcome: Outcome,
    error_code: str,
    explanation: Explanation | None,
    detail: dict[str, Any],
) -> Event:
    if explanation is None and outcome == Outcome.SUCCESS:
        explanation = decisions.explained(action, resource)
    return Event(
        account_id=by.account_id,
        action=action,
        resource=_clean(resource, 2048),
        outcome=outcome,
        error_code=error_code,
        principal_arn=by.arn,
        principal_type=by.type,
        principal_id=_clean(by.unique_id, 193),
        principal_name=_clean(by.name, 128),
        begun_by=by.begun_by,
        source_identity=by.source_identity,
        access_key_id=by.access_key_id,
        door=by.origin.door,
        address=by.origin.address,
        user_agent=_clean(by.origin.user_agent, 256),
        request_id=by.origin.request_id,
        session_id=by.origin.session_id,
        detail=_storable(_checked(detail)),
        explanation=_storable(explanation or {}),
    )
