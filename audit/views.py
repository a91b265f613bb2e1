import json
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.actions import requires
from audit.forms import EventFilter
from audit.http import ConsoleRequest
from audit.models import Event

PAGE = 50
_ABBREVIATIONS = {"arn", "ip", "mfa", "oidc", "saml", "sha256", "ssh", "url"}


@requires("cloudtrail:LookupEvents")
@require_safe
def lookup_events(request: ConsoleRequest) -> HttpResponse:
    form = EventFilter(request.GET)
    events = Event.objects.of_account(request.principal.account_id)
    # A date that can't be read filters nothing away silently: the form says so and the list stays empty.
    events = form.found_in(events) if form.is_valid() else events.none()
    context = {
        "form": form,
        "filtered": any(form.data.values()),
        **_page(events, request.GET, request.principal.account_id),
    }
    return render(request, "audit/lookup_events.html" + ("#events" if request.htmx else ""), context)


def _page(events: Any, query: Any, account_id: str) -> dict[str, Any]:
    """One page, newest first, found by its place: as fast at the millionth event as at the first."""
    before = _event_of(account_id, query.get("before", ""))
    if before is not None:
        events = events.filter(id__lt=before.id)
    rows = list(events.order_by("-id")[: PAGE + 1])
    return {"events": rows[:PAGE], "older": rows[PAGE - 1].event_id if len(rows) > PAGE else None, "before": before}


def _event_of(account_id: str, event_id: str) -> Event | None:
    """What is no event's id is no place to go on from: the first page is shown."""
    try:
        return Event.objects.of_account(account_id).filter(event_id=UUID(event_id)).first()
    except ValueError:
        return None


@requires("cloudtrail:LookupEvents")
@require_safe
def lookup_events_entry(request: ConsoleRequest, event_id: UUID) -> HttpResponse:
    event = Event.objects.of_account(request.principal.account_id).filter(event_id=event_id).first()
    if event is None:
        raise Http404("There is no such event in this account.")
    details = [(_label(name), _in_words(value)) for name, value in event.detail.items()]
    return render(request, "audit/event.html", {"event": event, "details": details})


def _label(name: str) -> str:
    words = [word.upper() if word in _ABBREVIATIONS else word for word in name.split("_")]
    return " ".join(words)[:1].upper() + " ".join(words)[1:]


def _in_words(value: Any) -> str:
    """Lists of words as one reads them; what is deeper as JSON, for it has no other form that everybody knows."""
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False, indent=2)
