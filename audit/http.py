"""The request as views see it: a principal and the gate, bound to it by `access.guard`. No cookies, no sessions."""

from collections.abc import Mapping
from typing import Any, Protocol

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from audit.principal import Principal
from policies.engine import Decision


class Gate(Protocol):
    """The one gate, already knowing who asks."""

    def may(self, action: str, resource: str, context: Mapping[str, Any] | None = None) -> Decision:
        """Ask without recording; for showing or hiding a part of a page."""
        ...

    def require(self, action: str, resource: str, context: Mapping[str, Any] | None = None, *, asked: str = "") -> None:
        """Ask for something about to be done; raises `audit.errors.AccessDenied`, which the guard shows and records.

        `asked` is what a denied caller is told instead of `resource`: the ARN as the caller could know it, where the
        path in the real one would say that the thing exists.
        """
        ...

    def might(self, action: str) -> bool:
        """Whether the action could be allowed on anything at all; for showing a link or a form."""
        ...


class MailCount(Protocol):
    def __call__(self, *, by: Principal, to: str) -> None:
        """Before a mail goes to an address that was typed; raises an error when too many did."""
        ...


class ConsoleRequest(HttpRequest):
    """What the guard hands to a view."""

    principal: Principal
    gate: Gate
    count_mail: MailCount
    htmx: HtmxDetails


def require_hiding(
    request: ConsoleRequest, action: str, arn: str | None, asked: str, context: Mapping[str, Any]
) -> None:
    """Ask for something that may not be there (`arn` is None then); a denied caller is told of `asked` only."""
    request.gate.require(action, arn or asked, context, asked=asked)
