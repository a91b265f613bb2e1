"""Why something was refused, or what allowed it: the explanation of a decision."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access import explaining
from access.denials import explain_denial
from access.explaining import EXPLAIN, Reader
from access.http import AccessRequest
from access.policy_texts import look_up
from access.refused_questions import opened
from audit.actions import signed_in
from audit.errors import AccessDenied
from audit.models import Event
from audit.principal import Principal


@signed_in(
    "everybody may read why they themselves were refused; the decisions of others are asked for one by one",
    also=(EXPLAIN,),
)
@require_safe
def why(request: AccessRequest, event_id: UUID) -> HttpResponse:
    events = Event.objects.of_account(request.principal.account_id).filter(event_id=event_id)
    event = events.exclude(explanation={}).first()
    own = event is not None and is_own(event, request.principal)
    if not own:
        _require(request, event)
    if event is None:
        raise Http404("There is no decision of that id in this account.")
    reader = Reader(request.gate, event.account_id)
    explained = explaining.shown(event.explanation, event.action, reader, principal_arn=event.principal_arn, own=own)
    context = {"event": event, "own": own, "why": explained}
    return render(request, "access/why.html", context)


@signed_in("everybody may read why they themselves were refused; the address is sealed for whoever got it")
@require_safe
def why_refused(request: AccessRequest) -> HttpResponse:
    """For a part of a page, which leaves no event: decided anew, by the policies as they are now."""
    question = opened(request.GET.get("ask", ""), request.principal)
    if question is None:
        raise Http404("This link is not for you, or too old.")
    gate: Any = request.gate
    decision = gate.decide(question.action, question.decided_on, question.context)
    asked = AccessDenied(
        request.principal.arn,
        question.action,
        question.resource,
        decision,
        decided_on=question.decided_on,
        context=question.context,
    )
    reader = Reader(request.gate, request.principal.account_id)
    explained = explaining.shown(explain_denial(gate, asked), question.action, reader)
    return render(request, "access/why.html", {"event": None, "own": True, "why": explained})


def is_own(event: Event, principal: Principal) -> bool:
    return (event.principal_type, event.principal_id) == (principal.type, principal.unique_id)


def _require(request: AccessRequest, event: Event | None) -> None:
    """On the principal whose decision it was. Who may not is told the same whether there is such an event or not."""
    arn = (event and event.principal_arn) or "*"
    keys = look_up(request.principal.account_id, (), [arn]).keys.get(arn, {})
    request.gate.require(EXPLAIN, arn, keys, asked="*")
