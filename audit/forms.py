from datetime import datetime, time
from typing import Any

from django import forms
from django.utils import timezone

from audit.models import EventQuerySet, Outcome

_TEXT = {"class": "form-control"}


class EventFilter(forms.Form):
    """What to look for; everything may be left empty."""

    person = forms.CharField(required=False, max_length=128, label="Person", widget=forms.TextInput(_TEXT))
    action = forms.CharField(
        required=False,
        max_length=128,
        label="Action",
        help_text="Its beginning is enough.",
        widget=forms.TextInput({**_TEXT, "placeholder": "iam:CreateUser"}),
    )
    key = forms.CharField(
        required=False,
        max_length=128,
        label="Access key id",
        widget=forms.TextInput({**_TEXT, "autocomplete": "off", "spellcheck": "false"}),
    )
    outcome = forms.ChoiceField(
        required=False,
        label="Outcome",
        choices=[("", "Any"), *Outcome.choices],
        widget=forms.Select({"class": "form-select"}),
    )
    since = forms.DateField(
        required=False, label="From", widget=forms.DateInput({"type": "date", **_TEXT}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        required=False, label="To", widget=forms.DateInput({"type": "date", **_TEXT}, format="%Y-%m-%d")
    )

    def found_in(self, events: EventQuerySet) -> EventQuerySet:
        """The events that fit, by the cleaned fields only."""
        data = self.cleaned_data
        if person := data.get("person"):
            events = events.of_person(person)
        wanted = {
            "action__istartswith": data.get("action"),
            "access_key_id": data.get("key"),
            "outcome": data.get("outcome"),
            "at__gte": _moment(data.get("since"), time.min),
            "at__lte": _moment(data.get("until"), time.max),
        }
        return events.filter(**{name: value for name, value in wanted.items() if value})


def _moment(day: Any, at: time) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, at)) if day else None
