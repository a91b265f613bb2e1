"""Small helpers of the templates: ages, dates, icons, and links that keep a list's search and sorting."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from access.named_pages import page_of as page_of_arn
from access.refused_questions import Question, sealed
from audit import clock
from audit.models import Event

register = template.Library()

_UNITS = ((timedelta(days=365), "year"), (timedelta(days=30), "month"), (timedelta(days=1), "day"),
          (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))  # fmt: skip


@register.filter
def ago(moment: datetime | None) -> str:
    """“3 days ago”; “never” for nothing."""
    if moment is None:
        return "never"
    age = _age(moment)
    return f"{age} ago" if age else "just now"


def _age(moment: datetime) -> str:
    """“3 days”; nothing for less than a minute."""
    age = clock.now() - moment
    for unit, name in _UNITS:
        if age >= unit:
            count = age // unit
            return f"{count} {name}{'s' if count > 1 else ''}"
    return ""


@register.simple_tag
def when(moment: datetime | None, missing: str = "never", *, as_age: bool = False) -> SafeString:
    """A time element: how long ago (or, under a heading that asks for it, the age), and exactly on hover."""
    if moment is None:
        return format_html('<span class="text-secondary">{}</span>', missing)
    stamp = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    text = (_age(moment) or "new") if as_age else ago(moment)
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), stamp, text)


@register.simple_tag(takes_context=True)
def address_with(context: template.Context, **changes: Any) -> str:
    """This page's query with some values changed; an empty value removes its key."""
    query = context["request"].GET.copy()
    for key, value in changes.items():
        if value in ("", None):
            query.pop(key, None)
        else:
            query[key] = str(value)
    return f"?{query.urlencode()}"


@register.filter
def get_item(mapping: dict[Any, Any], key: Any) -> Any:
    return mapping.get(key)


@register.filter
def starts_with(path: str, beginning: str) -> bool:
    """Whether a page lies below an address of the navigation."""
    return bool(beginning) and path.startswith(beginning)


@register.simple_tag
def page_of(event: Event) -> str:
    """The page of what an event of the audit trail is about."""
    return page_of_arn(event.resource, event.account_id)


@register.simple_tag(takes_context=True)
def why_address(context: template.Context, denial: Any) -> str:
    """The page that explains a refusal: by its event, or, where a part of a page was refused, by the question."""
    if event_id := getattr(denial, "event_id", None):
        return reverse("access:why", args=[event_id])
    told, keys = denial.resource, getattr(denial, "context", {})
    question = Question(denial.action, told, getattr(denial, "decided_on", told), keys)
    token = sealed(question, context["request"].principal)
    return f"{reverse('access:why-refused')}?ask={token}" if token else ""
