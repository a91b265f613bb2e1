"""The request as views see it: a principal and the gate, bound to it by `access.guard`. No cookies, no sessions."""

from collections.abc import Mapping
from typing import Any, Protocol

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from audit.errors import AccessDenied
from audit.principal import Principal
from policies.engine import Decision


class Gate(Protocol):
    """The one gate, already knowing who asks."""

    def may(self, action: str, resource: str, context: Mapping[str, Any] | None = None) -> Decision:
        """Ask without recording; for showing or hiding a part of a page."""
        ...

    def require(self, action: str, resource: str, context: Mapping[str, Any] | None = None) -> None:
        """Ask for something about to be done; raises `audit.errors.AccessDenied`, which the guard shows and records."""
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
    """A denied caller is told the ARN made from the address: the path in a real one would say that the thing exists."""
    decision = request.gate.may(action, arn or asked, context)
    if not decision.allowed:
        raise AccessDenied(request.principal.arn, action, asked, decision, decided_on=arn or asked, context=context)
