"""The engine's cases as data: one file per topic; each case has a name, a request, policies, and what is expected."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from policies.engine import AttachedPolicy, DocumentKind, PolicySet, Request, RequestPrincipal, parse

ACCOUNT = "111122223333"
_HERE = Path(__file__).parent

Case = dict[str, Any]


def load(topic: str) -> list[Case]:
    cases: list[Case] = json.loads((_HERE / f"{topic}.json").read_text())
    return cases


def name_of(case: Case) -> str:
    return str(case["name"])


def as_text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def make_request(written: Case) -> Request:
    principal = written.get("principal")
    return Request(
        action=written["action"],
        resource=written["resource"],
        context={key: tuple(values) for key, values in written.get("context", {}).items()},
        principal=RequestPrincipal(**principal) if principal else None,
        resource_account=written.get("resource_account", ACCOUNT),
    )


def make_policies(written: Case) -> PolicySet:
    """The policy set of a case; `trust` is the resource's policy when the resource is a role."""
    boundary, session = written.get("boundary"), written.get("session")
    resource, trust, endpoint = written.get("resource"), written.get("trust"), written.get("endpoint")
    return PolicySet(
        identity=_attached(written.get("identity", ()), "identity"),
        boundary=attached(boundary, "boundary") if boundary else None,
        session=None if session is None else _attached(session, "session"),
        resource=attached(resource, "resource") if resource else attached(trust, "trust") if trust else None,
        service_control=tuple(_attached(level, "service_control") for level in written.get("service_control", ())),
        resource_control=tuple(_attached(level, "resource_control") for level in written.get("resource_control", ())),
        endpoint=None if endpoint is None else _attached(endpoint, "endpoint"),
        resource_required=written.get("resource_required", False),
    )


def attached(document: Any, kind: DocumentKind = "identity") -> AttachedPolicy:
    return AttachedPolicy("a policy", f"arn:aws:iam::{ACCOUNT}:user/alice", parse(as_text(document), kind))


def _attached(documents: Iterable[Any], kind: DocumentKind) -> tuple[AttachedPolicy, ...]:
    return tuple(attached(document, kind) for document in documents)


def policy(*statements: Case, version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> Case:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> Case:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}
