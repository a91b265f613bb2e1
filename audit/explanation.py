"""Why a decision came out as it did, as plain JSON that stays readable when the policies are gone. Pure.

Made when a refusal is recorded, and shown by the page "Why" and by sts:DecodeAuthorizationMessage; for what was
allowed, only the statements that decided are kept. Who may read which part of it is decided when it is shown.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policies.engine import AttachedPolicy, Decision, NearMiss, PolicySet, Request, StatementRef

MOST_STATEMENTS = 20
MOST_NEAR_MISSES = 40
MOST_VALUES = 12
MOST_KEYS = 60
LONGEST_VALUE = 256
# Agreed between two parties to recognise each other: it is compared, never written down.
_CONFIDENTIAL = frozenset({"sts:externalid"})
_HIDDEN = ("(not kept)",)

Explanation = dict[str, Any]


def full(request: Request, policies: PolicySet, decision: Decision) -> Explanation:
    """Everything about an explained decision: the layers, what matched, what nearly did, and the context."""
    book = _Book(policies)
    matched = _without_doubles((*decision.statements, *decision.matched))
    deciding = set(decision.statements)
    near = sorted(decision.near_misses, key=lambda miss: miss.element != "Condition")
    return {
        **_head(decision),
        "resource": request.resource,
        "context": _context(request),
        "layers": [[layer, _verdict(layer, decision)] for layer in _layers(request, policies)],
        "statements": [
            {**book.line(ref), "decided": ref in deciding, "layer": ref.layer} for ref in matched[:MOST_STATEMENTS]
        ],
        "near": [{**book.line(miss.statement), **_miss(miss, request)} for miss in near[:MOST_NEAR_MISSES]],
        "left_off": max(0, len(matched) - MOST_STATEMENTS) + max(0, len(near) - MOST_NEAR_MISSES),
        "policies": book.entries,
    }


def brief(policies: PolicySet, decision: Decision) -> Explanation:
    """What decided, and no more: for changes that were allowed."""
    book = _Book(policies)
    statements = [{**book.line(ref), "decided": True, "layer": ref.layer} for ref in decision.statements]
    return {**_head(decision), "statements": statements, "policies": book.entries}


class _Book:
    """The policies that an explanation names, each once; statements point at them by number."""

    def __init__(self, policies: PolicySet) -> None:
        self.entries: list[dict[str, str]] = []
        self._numbers: dict[tuple[str, str, str], int] = {}
        self._digests = {
            (layer, attached.source, attached.origin): attached.digest for layer, attached in _attached(policies)
        }

    def line(self, ref: StatementRef) -> dict[str, Any]:
        key = (ref.layer, ref.source, ref.origin)
        if key not in self._numbers:
            self._numbers[key] = len(self.entries)
            digest = self._digests.get(key, "")
            self.entries.append({"layer": ref.layer, "source": ref.source, "origin": ref.origin, "digest": digest})
        return {
            "policy": self._numbers[key],
            "index": ref.index,
            "sid": ref.sid,
            "effect": ref.effect,
            "lines": [ref.first_line, ref.last_line],
        }


def _head(decision: Decision) -> Explanation:
    return {"outcome": decision.outcome.value, "layer": decision.layer, "reason": decision.reason}


def _attached(policies: PolicySet) -> Iterator[tuple[str, AttachedPolicy]]:
    for attached in policies.identity:
        yield "identity", attached
    for layer, several in (("session", policies.session), ("endpoint", policies.endpoint)):
        for attached in several or ():
            yield layer, attached
    for layer, only in (("boundary", policies.boundary), ("resource", policies.resource)):
        if only is not None:
            yield layer, only
    for layer, levels in (
        ("service control", policies.service_control),
        ("resource control", policies.resource_control),
    ):
        for level in levels:
            for attached in level:
                yield layer, attached


def _layers(request: Request, policies: PolicySet) -> list[str]:
    """The layers that have a say: without a session policy, for instance, there is nothing that it could lack."""
    there = {
        # People from outside have no policies: for them a role's trust policy speaks alone.
        "identity": request.principal is None or request.principal.type != "federated",
        "boundary": policies.boundary is not None,
        "session": policies.session is not None,
        "resource": policies.resource is not None,
        "service control": bool(policies.service_control),
        "resource control": bool(policies.resource_control),
        "endpoint": policies.endpoint is not None,
    }
    return [layer for layer, present in there.items() if present]


def _verdict(layer: str, decision: Decision) -> str:
    effects = {ref.effect for ref in (*decision.matched, *decision.statements) if ref.layer == layer}
    return "denies" if "Deny" in effects else "allows" if "Allow" in effects else "silent"


def _without_doubles(refs: Iterable[StatementRef]) -> list[StatementRef]:
    return list(dict.fromkeys(refs))


def _miss(miss: NearMiss, request: Request) -> dict[str, Any]:
    found = miss.found if miss.key.lower() not in _CONFIDENTIAL else (miss.found and _HIDDEN)
    wanted = miss.wanted if miss.key.lower() not in _CONFIDENTIAL else _HIDDEN
    return {
        "layer": miss.statement.layer,
        "element": miss.element,
        "operator": miss.operator,
        "key": miss.key,
        "wanted": _values(wanted),
        "found": None if found is None else _values(found),
    }


def _context(request: Request) -> Mapping[str, list[str]]:
    keys = sorted(request.context)[:MOST_KEYS]
    return {
        key: list(_HIDDEN) if key.lower() in _CONFIDENTIAL else _values(request.values(key.lower()) or ())
        for key in keys
    }


def _values(values: Iterable[str]) -> list[str]:
    cut = [value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…" for value in values]
    more = len(cut) - MOST_VALUES
    return cut if more <= 0 else [*cut[:MOST_VALUES], f"… and {more} more"]
