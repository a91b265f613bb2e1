"""The encoded message of a refusal, as sts:DecodeAuthorizationMessage reads it: a sealed pointer to its audit event.

What the message says never leaves the server before somebody who may decode it asks, and then each reader gets what
that reader may see (`access.explaining`).
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from access.explaining import NOT_SHOWN, Reader, is_tag, seen_by
from access.gate import TRUST
from access.policy_texts import trust_of_resource
from audit.errors import ServiceError
from audit.models import Event
from identities.sealed import box
from identities.secretbox import SecretUnreadable
from policies.compiled import compile_text
from policies.engine import Condition, Principals

LONGEST = 10_240


class InvalidAuthorizationMessage(ServiceError):
    code: ClassVar[str] = "InvalidAuthorizationMessageException"


def encoded(account_id: str, event_id: int) -> str:
    """The message of a refusal that is recorded as this event."""
    return base64.urlsafe_b64encode(box().seal(str(event_id), _row(account_id)).encode()).decode()


def decoded(message: str, reader: Reader, own_id: str) -> str:
    """What the message says, as JSON. Raises InvalidAuthorizationMessage, for another account's message too.

    `own_id` is the reader's own unique id: of others, tags are told to whoever may see them."""
    try:
        event_id = int(box().open(base64.urlsafe_b64decode(message.encode()).decode(), _row(reader.account_id)))
    except (SecretUnreadable, binascii.Error, ValueError) as error:
        raise _invalid() from error
    events = Event.objects.of_account(reader.account_id).filter(id=event_id).exclude(explanation={})
    event: Any = events.annotate(trust_document=trust_of_resource()).first()
    if event is None:
        raise _invalid()
    return json.dumps(_content(event, event.trust_document or "", reader, own_id))


def _row(account_id: str) -> str:
    return f"authorization-message:{account_id}"


def _invalid() -> InvalidAuthorizationMessage:
    return InvalidAuthorizationMessage("The message is not one that this account's refusals were given.")


def _content(event: Event, trust_document: str, reader: Reader, own_id: str) -> dict[str, Any]:
    reader.look_up(event.explanation, event.principal_arn, trust_document)
    explanation = seen_by(reader, event.explanation)
    hides_tags = event.principal_id != own_id and not reader.sees(event.principal_arn)
    denies = explanation["outcome"] == "ExplicitlyDenied"
    return {
        "allowed": explanation["outcome"] == "Allowed",
        "explicitDeny": denies,
        "matchedStatements": _items(_statements(explanation, reader) if denies else ()),
        "failures": _items(()),
        "context": {
            "principal": {"id": event.principal_id, "name": event.principal_name, "arn": event.principal_arn},
            "action": event.action,
            "resource": explanation["resource"],
            "conditions": _items(
                {"key": key, "values": _texts(NOT_SHOWN if hides_tags and is_tag(key) else values)}
                for key, values in explanation["context"].items()
            ),
        },
    }


def _statements(explanation: Mapping[str, Any], reader: Reader) -> Iterable[dict[str, Any]]:
    decided = [line for line in explanation["statements"] if line["decided"]]
    policies = [explanation["policies"][line["policy"]] for line in decided]
    for line, policy in zip(decided, policies, strict=True):
        text = reader.text(policy) if reader.reads(policy) else None
        named = {"statementId": line["sid"], "effect": line["effect"].upper()}
        yield named | (_elements(text, line["index"], policy["source"]) if text is not None else {})


def _elements(text: str, index: int, source: str) -> dict[str, Any]:
    statements = compile_text(text, "trust" if source == TRUST else "identity").statements
    if index >= len(statements):
        return {}
    statement = statements[index]
    elements = {
        "principals": _texts(_names(statement.principals)),
        "notPrincipals": _texts(_names(statement.not_principals)),
        "actions": _texts(statement.actions),
        "notActions": _texts(statement.not_actions),
        "resources": _texts(statement.resources),
        "notResources": _texts(statement.not_resources),
        "conditions": _items(_condition(condition) for condition in statement.conditions),
    }
    # AWS names the elements of every statement; the negated ones only where there are any.
    return {name: value for name, value in elements.items() if value["items"] or not name.startswith("not")}


def _names(principals: Principals | None) -> Sequence[str]:
    return principals.names if principals else ()


def _condition(condition: Condition) -> dict[str, Any]:
    return {"key": condition.key, "operator": condition.operator, "values": _texts(condition.values)}


def _texts(values: Iterable[str]) -> dict[str, Any]:
    return _items({"value": value} for value in values)


def _items(items: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"items": list(items)}
