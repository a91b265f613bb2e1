"""One table: what went wrong, as AWS's error code and HTTP status."""

import logging
import traceback
from dataclasses import dataclass

from api import shapes
from api.sigv4 import SignatureError
from audit.errors import ServiceError

logger = logging.getLogger("api")

# Errors common to all services of the Query protocol, which the models don't describe.
_COMMON = {
    "AccessDenied": 403,
    "ExpiredToken": 403,
    "IncompleteSignature": 400,
    "InternalFailure": 500,
    "InvalidAction": 400,
    "InvalidClientTokenId": 403,
    "InvalidParameterCombination": 400,
    "InvalidParameterValue": 400,
    "MalformedInput": 400,
    "MalformedQueryString": 400,
    "MissingAction": 400,
    "MissingAuthenticationToken": 403,
    "MissingParameter": 400,
    "RequestExpired": 400,
    "ServiceUnavailable": 503,
    "SignatureDoesNotMatch": 403,
    "Throttling": 400,
    "ValidationError": 400,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the caller is told."""

    code: str
    message: str
    status: int

    @property
    def ours(self) -> bool:
        """Whether the fault is the server's, so that SDKs try again."""
        return self.status >= 500


def status_of(code: str) -> int:
    """The models' own status where they have one; a code that nobody knows is the caller's fault."""
    return shapes.error_statuses().get(code) or _COMMON.get(code, 400)


def refusal(code: str, message: str) -> Refusal:
    return Refusal(code, message, status_of(code))


# What the web server's own refusals are called.
_OF_STATUS = {
    403: "AccessDenied",
    404: "UnknownOperationException",
    411: "MissingContentLength",
    413: "RequestEntityTooLarge",
    414: "RequestUriTooLong",
    431: "RequestHeaderSectionTooLarge",
    500: "InternalFailure",
    501: "NotImplemented",
}


def refusal_of(status: int, message: str) -> Refusal:
    """A refusal that was decided before anybody read what is asked."""
    return Refusal(_OF_STATUS.get(status, "MalformedRequest"), message, status)


def refusal_for(error: Exception, request_id: str) -> Refusal:
    """Expected errors speak for themselves; of any other the caller learns the request id only."""
    if isinstance(error, (ServiceError, SignatureError)):
        return refusal(error.code, error.message)
    _log(error, request_id)
    return refusal("InternalFailure", f"The request could not be processed. Its id is {request_id}.")


def _log(error: Exception, request_id: str) -> None:
    """Where it happened, not what it said: a message may repeat what the caller sent, a password among it."""
    places = "".join(traceback.format_tb(error.__traceback__))
    logger.error("Request %s failed with %s\n%s", request_id, type(error).__name__, places)
