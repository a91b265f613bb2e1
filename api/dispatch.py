"""From a request on the wire to the answer: who is it, what is asked, may they, do it, say it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from access import encoded_messages, last_accessed
from access.assume_role import NotAllowed
from access.denials import record_denial
from access.gate import PrincipalGate
from access.throttle import Throttled, is_first_unseen
from api import actions, query, serialize, shapes
from api.ahead import look_for_target
from api.authentication import authenticate
from api.errors import Refusal, refusal_for
from api.registry import Action, Call
from api.session_limits import check_session
from api.sigv4 import WrongService, parse
from api.wire import WireRequest
from audit import clock, decisions
from audit.errors import AccessDenied, ServiceError
from audit.models import Outcome
from audit.principal import Origin, anonymous
from audit.services import record
from database.prepared import forget_ahead
from federation.errors import InvalidIdentityToken

XML = "text/xml"
JSON = "application/x-amz-json-1.1"
_READS = ("Decode", "Get", "List", "Simulate")


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back over the wire. `encoded` is for sts:DecodeAuthorizationMessage: it travels in a header, because
    the message of a refusal is AWS's own sentence, which programs read."""

    status: int
    body: str
    request_id: str
    content_type: str = XML
    encoded: str = ""

    def written(self) -> tuple[dict[str, str], bytes]:
        """The headers and the body."""
        body = self.body.encode()
        headers = {"Content-Type": self.content_type, "x-amzn-RequestId": self.request_id, "Cache-Control": "no-store"}
        if self.encoded:
            headers["x-amzn-encoded-authorization-message"] = self.encoded
        headers["Content-Length"] = str(len(body))
        return headers, body


class InvalidAction(ServiceError):
    """Nothing here has this name."""

    code: ClassVar[str] = "InvalidAction"


class MissingAction(ServiceError):
    """The request does not say what it wants."""

    code: ClassVar[str] = "MissingAction"


def answer(request: WireRequest, origin: Origin) -> Reply:
    """Answer one call. Never raises: whatever goes wrong becomes an error that an SDK can read."""
    try:
        with decisions.noting():
            return _answered(request, origin)
    except Exception as error:
        reply = refuse(request, refusal_for(error, origin.request_id), origin.request_id)
        return replace(reply, encoded=error.encoded) if isinstance(error, AccessDenied) else reply
    finally:
        forget_ahead()


def refuse(request: WireRequest, refusal: Refusal, request_id: str) -> Reply:
    """An error in the form that the calling SDK reads: XML, or JSON for those of services that speak it."""
    if (request.header("content-type") or "").startswith("application/x-amz-json"):
        body = json.dumps({"__type": refusal.code, "message": refusal.message})
        return Reply(refusal.status, body, request_id, JSON)
    namespace = shapes.namespace(_service_named(request))
    body = serialize.error(refusal.code, refusal.message, request_id, namespace, ours=refusal.ours)
    return Reply(refusal.status, body, request_id)


def _service_named(request: WireRequest) -> str:
    """The service whose error this is, as far as a request that may be malformed tells."""
    said = (request.header("authorization") or "") + request.query.decode("latin-1").replace("%2F", "/")
    return "sts" if "/sts/aws4_request" in said else "iam"


def _answered(request: WireRequest, origin: Origin) -> Reply:
    table = query.parameters(request.query, request.body)
    gate, service = _caller(request, origin, table)
    operation, action = _operation(service, table)
    check_session(gate.principal, operation)
    call = Call(gate.principal, operation, query.read_input(operation, table), clock.now(), gate)
    last_accessed.note(gate.principal, operation.action)
    try:
        _authorize(call, action)
        values = action.function(call) or {}
    except ServiceError as error:
        _record_refusal(call, error)
        raise
    return Reply(200, serialize.result(operation, values, origin.request_id), origin.request_id)


def _caller(request: WireRequest, origin: Origin, table: Mapping[str, str]) -> tuple[PrincipalGate, str]:
    """Who signed, and for which service. Calls that exchange an outside proof for credentials are not signed."""
    if _is_open(request, table):
        return PrincipalGate(anonymous(origin)), "sts"
    try:
        presented = parse(request)
    except WrongService as error:
        raise InvalidAction(f"This server has no such service; it answers for IAM and STS. {error.message}") from error
    service = presented.scope.service
    return authenticate(presented, origin, prefetch=partial(look_for_target, service, table)), service


def _is_open(request: WireRequest, table: Mapping[str, str]) -> bool:
    operation = shapes.find_operation("sts", table.get("Action", ""))
    return operation is not None and not operation.signed and request.header("authorization") is None


def _operation(service: str, table: Mapping[str, str]) -> tuple[shapes.Operation, Action]:
    name = table.get("Action", "")
    if not name:
        raise MissingAction("The request must contain the parameter Action.")
    operation = shapes.find_operation(service, name)
    version = table.get("Version", operation.version if operation else "")
    action = actions.find(operation.action) if operation and version == operation.version else None
    if operation is None or action is None:
        raise InvalidAction(f"Could not find operation {name} for version {version}.")
    return operation, action


def _authorize(call: Call, action: Action) -> None:
    """Asked before the function runs. The caller is told what was asked for, not what was found."""
    if action.resource is None:
        return
    call.target = action.resource(call)
    context: dict[str, Any] = {**call.target.context, **action.context(call)}
    call.gate.require(action.name, call.target.arn, context, asked=call.target.asked)


def _is_flood(call: Call, error: ServiceError) -> bool:
    """Whether this is one more of a stranger's tries that are not even looked at."""
    principal = call.principal
    if principal.type != "anonymous" or not isinstance(error, Throttled):
        return False
    return not is_first_unseen(account_id=principal.account_id, address=principal.origin.address)


def _record_refusal(call: Call, error: ServiceError) -> None:
    """Every denial, and every change that failed, is in the audit trail; a read that found nothing is not."""
    arn, name = call.target.arn, call.operation.action
    if isinstance(error, AccessDenied):
        event = record_denial(call.gate, error, action=name, resource=arn)
        error.encoded = encoded_messages.encoded(event.account_id, event.id)
    elif not call.operation.name.startswith(_READS) and not _is_flood(call, error):
        outcome = Outcome.DENIED if error.code == "AccessDenied" else Outcome.FAILURE
        # What an outsider is not told stands here, for those who may read the trail.
        why: dict[str, Any] = {"reason": error.detail} if isinstance(error, InvalidIdentityToken) else {}
        explanation = error.explanation if isinstance(error, NotAllowed) else None
        record(call.principal, name, arn, outcome=outcome, error_code=error.code, explanation=explanation, **why)
