"""The bench's policies in the language of Cedar: actions and resources as texts that `like` compares."""

import datetime
from typing import Any

from policies.engine import Request

SINGLE = {"aws:ResourceTag/team": "resourceTeam", "aws:PrincipalTag/team": "principalTeam"}


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def as_cedar(document: dict[str, Any]) -> str:
    return "\n".join(_statement(statement) for statement in document["Statement"])


def _statement(statement: dict[str, Any]) -> str:
    tests = [_like("context.action", statement["Action"]), _like("context.resource", statement["Resource"])]
    tests += [
        _condition(operator, key, values if isinstance(values, list) else [values])
        for operator, block in statement.get("Condition", {}).items()
        for key, values in block.items()
    ]
    effect = {"Allow": "permit", "Deny": "forbid"}[statement["Effect"]]
    return f"{effect}(principal, action, resource) when {{ {' && '.join(tests)} }};"


def _like(what: str, patterns: str | list[str]) -> str:
    texts = patterns if isinstance(patterns, list) else [patterns]
    # Cedar's patterns have no variables: the one of the bench is written out.
    return "(" + " || ".join(f"{what} like {quoted(text.replace('${aws:username}', 'alice'))}" for text in texts) + ")"


def _condition(operator: str, key: str, values: list[str]) -> str:
    if operator == "StringEquals":
        return f"context.{SINGLE[key]} == {quoted(values[0])}"
    if operator == "StringLike":
        return _like(f"context.{SINGLE[key]}", values)
    if operator == "IpAddress":
        return "(" + " || ".join(f"context.sourceIp.isInRange(ip({quoted(value)}))" for value in values) + ")"
    if operator == "Bool":
        return f"context.mfa == {values[0]}"
    if operator == "NumericLessThan":
        return f"context.mfaAge < {values[0]}"
    if operator == "DateGreaterThan":
        return f"context.now > {_epoch(values[0])}"
    return f"context.tagKeys.containsAny([{', '.join(map(quoted, values))}])"


def _epoch(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).timestamp())


def as_context(request: Request) -> dict[str, Any]:
    values = {key: (some,) if isinstance(some, str) else some for key, some in request.context.items()}
    return {
        "action": request.action,
        "resource": request.resource,
        "resourceTeam": values["aws:ResourceTag/team"][0],
        "principalTeam": values["aws:PrincipalTag/team"][0],
        "sourceIp": {"__extn": {"fn": "ip", "arg": values["aws:SourceIp"][0]}},
        "mfa": values["aws:MultiFactorAuthPresent"][0] == "true",
        "mfaAge": int(values["aws:MultiFactorAuthAge"][0]),
        "now": _epoch(values["aws:CurrentTime"][0]),
        "tagKeys": list(values["aws:TagKeys"]),
    }
