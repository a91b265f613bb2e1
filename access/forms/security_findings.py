from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms

from access.self_check.accepting import LONGEST_REASON
from audit import clock

_USUAL = timedelta(days=90)


class AcceptFindingForm(forms.Form):
    """Why a finding is accepted, and until when: the end of that day, UTC."""

    reason = forms.CharField(
        label="Why it is accepted",
        max_length=LONGEST_REASON,
        widget=forms.Textarea({"class": "form-control", "rows": 3}),
        help_text="Whoever reads the findings later shall understand it. It stands in the audit trail, too.",
    )
    until = forms.DateField(
        label="Until the end of",
        widget=forms.DateInput({"class": "form-control w-auto", "type": "date"}, format="%Y-%m-%d"),
        help_text="At most a year from now (UTC). Then the finding comes back.",
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"until": (clock.now() + _USUAL).date()})

    @property
    def until_moment(self) -> datetime:
        day: date = self.cleaned_data["until"]
        return datetime.combine(day, time(23, 59, 59), tzinfo=clock.now().tzinfo)
