"""What somebody can do about a refusal, in sentences. Pure."""

from collections.abc import Iterable
from typing import Any

_LAYER_OWNERS = {
    "boundary": "the permissions boundary",
    "session": "the session policy, which whoever opened the session gave",
    "resource": "the policy of the resource",
    "service control": "the organization's service control policies",
    "resource control": "the organization's resource control policies",
    "endpoint": "the policy of the network endpoint",
}
_OF_LOCKDOWN = "arn:aws:iam::aws:policy/IAMUserLockdown"
# Conditions that the person can meet without anybody's help.
_OWN_DOING = {
    "aws:multifactorauthpresent": "Sign in with a second factor: a statement asks for it.",
    "aws:multifactorauthage": "Sign in with your second factor again: a statement asks for a recent one.",
    "aws:sourceip": "Try from a network that the statement allows: it compares your address.",
    "aws:securetransport": "Use https: a statement asks for an encrypted connection.",
    "aws:currenttime": "Look at the times in the statement: it holds at certain times only.",
}


def advice(explanation: dict[str, Any], action: str, resource: str, keys: Iterable[str]) -> list[str]:
    """Sentences, the most useful first; `keys` are those on which a statement that would allow it failed."""
    if explanation["outcome"] == "Allowed":
        return []
    if explanation["outcome"] == "ExplicitlyDenied":
        return _about_denial(explanation)
    found = [_OWN_DOING[key] for key in dict.fromkeys(key.lower() for key in keys) if key.lower() in _OWN_DOING]
    layer = explanation["layer"]
    if layer == "trust":
        return [*found, "Ask whoever looks after the role: only its trust policy says who may take it on."]
    if layer in _LAYER_OWNERS:
        return [*found, f"Ask for {_LAYER_OWNERS[layer]} to allow {action} too: one Allow elsewhere is not enough."]
    return [*found, f"Ask an administrator for a policy that allows {action} on {resource}."]


def _about_denial(explanation: dict[str, Any]) -> list[str]:
    if explanation["reason"] == "unreadable document":
        return ["A policy that can't be read denies everything. Ask an administrator to repair it."]
    policies, statements = explanation["policies"], explanation["statements"]
    if any(policies[line["policy"]]["source"] == _OF_LOCKDOWN for line in statements if line["decided"]):
        return [
            "The user is locked down; their page says why. Nothing helps before somebody who may lifts the lockdown."
        ]
    return ["A Deny beats every Allow. Ask an administrator whether it is meant for you, and to change it if not."]
