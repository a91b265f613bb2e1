"""What STS answers when an outside proof is not accepted (AssumeRoleWithSAML, AssumeRoleWithWebIdentity)."""

from typing import ClassVar

from audit.errors import ServiceError


class InvalidIdentityToken(ServiceError):
    """`detail` is for the audit trail: an outsider learns only what AWS tells."""

    code: ClassVar[str] = "InvalidIdentityToken"

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail or message


class UnprovenToken(InvalidIdentityToken):
    """Nothing shows that the provider said this at all."""


class ExpiredToken(InvalidIdentityToken):
    code: ClassVar[str] = "ExpiredTokenException"


class IDPCommunicationError(InvalidIdentityToken):
    code: ClassVar[str] = "IDPCommunicationError"
