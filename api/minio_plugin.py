"""MinIO's access management plugin (MinIO documentation, "Access management plugin"): may this account do this to this
bucket or object? MinIO has checked the signature; who it names is looked up here, as a user name or an access key."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from access.gate import PrincipalGate
from access.policy_rows import read_key_and_policies
from access.principals import user_principal
from api.service_decisions import origin_for, record_refused_answer
from api.service_questions import Question
from api.wire import WireRequest
from audit.errors import ValidationError
from audit.principal import Origin, Principal, SessionPolicies, root_principal
from identities.models import User
from identities.reading import read_user
from policies.documents import check_document
from policies.engine import Outcome

_ACTION = re.compile(r"[a-z0-9]{1,32}:[A-Za-z0-9*]{1,64}")
_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_GLOBAL = {
    "SourceIp": "aws:SourceIp",
    "UserAgent": "aws:UserAgent",
    "Referer": "aws:Referer",
    "SecureTransport": "aws:SecureTransport",
}
# The only one that has several values of its own.
_OF_MANY = "RequestObjectTagKeys"
# Known here from the user itself, or from the clock.
_OURS = frozenset({"CurrentTime", "EpochTime", "principaltype", "userid", "username", "groups"})
_LONGEST = 2048


def decide(body: bytes, account_id: str, origin: Origin) -> bool:
    """The answer. An empty body is MinIO's look at start-up whether somebody is there. Raises ValidationError."""
    if not body:
        return False
    given = _input(body)
    context = _context(given.get("conditions"))
    principal = _who(given, account_id, origin_for(origin, address="".join(context.get("aws:SourceIp", ())[:1])))
    if principal is None:
        return False
    action, resource = _action(given), _resource(given)
    gate = PrincipalGate(principal)
    decision = gate.decide(action, resource, context)
    if given.get("denyOnly") is True:
        return decision.outcome is not Outcome.EXPLICITLY_DENIED
    if not decision.allowed:
        question = Question(WireRequest("POST", b"", b"", (), b""), "s3", action, resource, context)
        record_refused_answer(gate, question, decision, asked_by="MinIO")
    return decision.allowed


def _input(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)["input"]
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise ValidationError("The body must be MinIO's JSON with an input.") from exc
    if not isinstance(given, dict):
        raise ValidationError("The input must be an object.")
    return given


def _who(given: Mapping[str, Any], account_id: str, origin: Origin) -> Principal | None:
    """MinIO's own root is ours; everybody else is a user, by name or access key. A key made in MinIO is its parent's:
    people choose the names of such keys, which may be those of others. MinIO leaves it to us to hold it to the policy
    that it was made with. Raises ValidationError, MalformedPolicyDocument."""
    claims = given.get("claims") or {}
    if not isinstance(claims, dict):
        raise ValidationError("The claims must be an object.")
    limits = _limits(claims["sessionPolicy"]) if "sessionPolicy" in claims else None
    if given.get("owner") is True:
        return None if limits else root_principal(account_id, origin=origin)
    name = claims["parent"] if "parent" in claims else given.get("account")
    user = _user(account_id, name) if isinstance(name, str) and _NAME.fullmatch(name) else None
    return user_principal(user, origin, session_policies=limits) if user else None


def _limits(claim: Any) -> SessionPolicies:
    try:
        document = base64.b64decode(claim, validate=True).decode()
    except (ValueError, TypeError) as exc:
        raise ValidationError("The sessionPolicy must be a policy in base64.") from exc
    check_document(document, "session")
    return SessionPolicies(document)


def _user(account_id: str, name: str) -> User | None:
    found = read_key_and_policies(name)
    if found is not None and found.row.account_id == account_id and found.row.is_active and found.row.user:
        return found.row.user
    return read_user(account_id, name)


def _action(given: Mapping[str, Any]) -> str:
    action = given.get("action")
    if not isinstance(action, str) or not _ACTION.fullmatch(action):
        raise ValidationError("The input names no action.")
    return action


def _resource(given: Mapping[str, Any]) -> str:
    bucket, name = given.get("bucket") or "", given.get("object") or ""
    if not isinstance(bucket, str) or not isinstance(name, str) or len(bucket) + len(name) > _LONGEST:
        raise ValidationError("Bucket and object must be texts.")
    if not bucket:
        return "*"
    return f"arn:aws:s3:::{bucket}/{name}" if name else f"arn:aws:s3:::{bucket}"


def _context(conditions: Any) -> dict[str, tuple[str, ...]]:
    """MinIO's names of the facts as condition keys: those of S3, but for the few that are global.

    The first value is the one that MinIO knows and acts by. It appends those of the query and of the headers: with
    `?SourceIp=…` anybody could have a second address, and escape a Deny for all but one network."""
    if not isinstance(conditions, dict):
        return {}
    return {
        _GLOBAL.get(name, f"s3:{name}"): tuple(map(str, values if name == _OF_MANY else values[:1]))
        for name, values in conditions.items()
        if name not in _OURS and isinstance(values, list)
    }
