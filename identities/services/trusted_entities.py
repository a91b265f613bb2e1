"""Whom a trust policy lets in, in words: what a list of roles shows instead of documents."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.engine.principals import account_named

_GONE = {"AIDA": "deleted user", "AROA": "deleted role"}
# Services whose roles are for applications on machines that are given an instance profile.
MACHINES = ("ec2.amazonaws.com",)
ON_MACHINES = "applications on machines"
_WITH_A_SIGN_IN = frozenset({"user", "role", "this account", "account", "everybody"})


@dataclass(frozen=True, slots=True)
class Trusted:
    """`kind` is what it is, `name` which one; for everybody and machines the kind says it all."""

    kind: str
    name: str = ""

    @property
    def is_of_an_account(self) -> bool:
        """Whether it is somebody who can switch to the role in the console."""
        return self.kind in _WITH_A_SIGN_IN

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


def trusted_entities(document: str, account_id: str) -> list[Trusted]:
    """Everybody whom a document as `trust.shown_trust` gives it can let in, each once, in its order."""
    try:
        content = json.loads(document)
    except ValueError:
        return []
    found = (each for statement in _allowing(content) for each in _named(statement, account_id))
    return list(dict.fromkeys(found))


def trusts_machines(document: str) -> bool:
    """Whether a trust policy speaks of applications on machines at all; its conditions are not looked at."""
    return any(each.kind == ON_MACHINES for each in trusted_entities(document, ""))


def _allowing(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    statements = content.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Effect") == "Allow":
            yield statement


def _named(statement: Mapping[str, Any], account_id: str) -> Iterator[Trusted]:
    principals = statement.get("Principal", {})
    if isinstance(principals, str):
        principals = {"AWS": principals}
    for kind, names in principals.items():
        for name in names if isinstance(names, list) else [names]:
            yield _in_words(kind, name, account_id)


def _in_words(kind: str, name: str, account_id: str) -> Trusted:
    if kind == "AWS":
        return _of_an_account(name, account_id)
    if kind == "Service":
        return Trusted(ON_MACHINES) if name in MACHINES else Trusted("service", name)
    if ":saml-provider/" in name:
        return Trusted("SAML provider", name.partition(":saml-provider/")[2])
    return Trusted("web identity of", name.partition(":oidc-provider/")[2] or name)


def _of_an_account(name: str, account_id: str) -> Trusted:
    if name == "*":
        return Trusted("everybody")
    if gone := _GONE.get(name[:4]):
        return Trusted(gone, name)
    if owner := account_named(name):
        return Trusted("this account") if owner == account_id else Trusted("account", owner)
    fields = name.split(":", 5)
    what, _, path = fields[-1].partition("/")
    kind = {"assumed-role": "session of the role", "federated-user": "federated user"}.get(what, what)
    short = path.partition("/")[0] if what == "assumed-role" else path.rpartition("/")[2]
    return Trusted(kind, short if fields[4] == account_id else f"{short} of account {fields[4]}")
