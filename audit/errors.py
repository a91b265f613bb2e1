"""What services raise: AWS's own error code and a sentence for a person. Pure; who answers decides the status."""

from collections.abc import Iterable, Mapping
from typing import ClassVar
from uuid import UUID

from policies.engine import AttachedPolicy, Decision


class ServiceError(Exception):
    """An expected refusal. `code` is AWS's error code, `field` the form field it belongs to ('' = the whole form)."""

    code: ClassVar[str] = "ServiceFailure"
    field: str = ""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        if field:
            self.field = field


class NoSuchEntity(ServiceError):
    code = "NoSuchEntity"


class EntityAlreadyExists(ServiceError):
    code = "EntityAlreadyExists"


class LimitExceeded(ServiceError):
    code = "LimitExceeded"


class DeleteConflict(ServiceError):
    code = "DeleteConflict"


class InvalidInput(ServiceError):
    code = "InvalidInput"


class ValidationError(ServiceError):
    code = "ValidationError"


class MalformedPolicyDocument(ServiceError):
    code = "MalformedPolicyDocument"


class PasswordPolicyViolation(ServiceError):
    code = "PasswordPolicyViolation"


class InvalidAuthenticationCode(ServiceError):
    code = "InvalidAuthenticationCode"


class InvalidUserType(ServiceError):
    code = "InvalidUserType"


class UnmodifiableEntity(ServiceError):
    code = "UnmodifiableEntity"


class EntityTemporarilyUnmodifiable(ServiceError):
    """It can be changed again when something else is over."""

    code = "EntityTemporarilyUnmodifiable"


class PolicyNotAttachable(ServiceError):
    code = "PolicyNotAttachable"


class ConcurrentModification(ServiceError):
    """A page or a caller worked from a state that somebody else has changed since."""

    code = "ConcurrentModification"


class AccessDenied(ServiceError):
    """The gate said no. Carries what was asked and the Decision, so that the page can say why.

    `resource` is what the caller is told; `decided_on`, `context` and `resource_policy` are what the gate was asked
    with, for the explanation. Once the refusal is recorded, `event_id` is its audit event and `encoded` points a
    program to it.
    """

    code = "AccessDenied"

    def __init__(
        self,
        principal_arn: str,
        action: str,
        resource: str,
        decision: Decision,
        *,
        decided_on: str = "",
        context: Mapping[str, str | Iterable[str]] | None = None,
        resource_policy: AttachedPolicy | None = None,
    ) -> None:
        self.principal_arn = principal_arn
        self.action = action
        self.resource = resource
        self.decision = decision
        self.decided_on = decided_on or resource
        self.context = dict(context or {})
        self.resource_policy = resource_policy
        self.event_id: UUID | None = None
        self.encoded = ""
        super().__init__(denial_message(principal_arn, action, resource, decision))


_LAYER_NAMES = {
    "identity": "identity-based policy",
    "boundary": "permissions boundary",
    "session": "session policy",
    "resource": "resource-based policy",
    "service control": "service control policy",
    "resource control": "resource control policy",
}


def denial_message(principal_arn: str, action: str, resource: str, decision: Decision) -> str:
    """AWS's sentence for a denial (troubleshoot_access-denied), naming the kind of policy that decided."""
    kind = _LAYER_NAMES.get(decision.layer, "identity-based policy")
    if decision.outcome == "ExplicitlyDenied":
        article = "an" if kind[0] in "aeiou" else "a"
        reason = f"with an explicit deny in {article} {kind}"
    else:
        reason = f"because no {kind} allows the {action} action"
    return f"User: {principal_arn} is not authorized to perform: {action} on resource: {resource} {reason}"
