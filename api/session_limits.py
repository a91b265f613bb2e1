"""What temporary credentials can't call, whatever their policies say (IAM User Guide, "Comparing AWS STS API
operations"). In AWS's words and codes: for IAM they are simply no credentials."""

from typing import ClassVar

from api.shapes import Operation
from audit.errors import ServiceError
from audit.principal import Principal

# What a session may call of STS, by the operation that made it.
_OF_STS = {
    "GetSessionToken": frozenset(("AssumeRole", "GetCallerIdentity")),
    "GetFederationToken": frozenset(("GetCallerIdentity",)),
}
_LONG_TERM_ONLY = frozenset(("GetSessionToken", "GetFederationToken"))


class InvalidClientTokenId(ServiceError):
    """Credentials that are none for this call."""

    code: ClassVar[str] = "InvalidClientTokenId"


class NotForSessions(ServiceError):
    """A call that wants long-term credentials, or others than these."""

    code: ClassVar[str] = "AccessDenied"


def check_session(principal: Principal, operation: Operation) -> None:
    """Raises InvalidClientTokenId or NotForSessions; long-term credentials pass."""
    if not principal.is_temporary:
        return
    if operation.service == "iam":
        _check_iam(principal)
    elif operation.name not in _OF_STS.get(principal.made_by, {operation.name} - _LONG_TERM_ONLY):
        raise NotForSessions(f"Cannot call {operation.name} with session credentials")


def _check_iam(principal: Principal) -> None:
    without_mfa = principal.made_by == "GetSessionToken" and not principal.mfa
    if without_mfa or principal.type == "federated-user":
        raise InvalidClientTokenId("The security token included in the request is invalid")
