from collections.abc import Mapping
from typing import Any

from django import forms

from accounts.form_fields import TEXT_INPUT
from identities.models import Role
from identities.services.roles import DESCRIPTION_LIMIT, LONGEST_SESSION, SHORTEST_SESSION
from policies.forms import DocumentField

HOUR = 3600
SESSION_HELP = "How long one session may last at most, before it has to be begun anew."


def in_words(seconds: int) -> str:
    """3600 → 1 hour; 5400 → 1 hour 30 minutes."""
    hours, rest = divmod(seconds, HOUR)
    minutes, odd = divmod(rest, 60)
    parts = ((hours, "hour"), (minutes, "minute"), (odd, "second"))
    return " ".join(f"{number} {word}{'' if number == 1 else 's'}" for number, word in parts if number)


def session_choices(present: int = 0) -> list[tuple[int, str]]:
    """Whole hours, and what a role has that is none."""
    hours = {*range(SHORTEST_SESSION, LONGEST_SESSION + 1, HOUR), *([present] if present else [])}
    return [(seconds, in_words(seconds)) for seconds in sorted(hours)]


def description_field() -> forms.CharField:
    return forms.CharField(
        label="Description",
        required=False,
        max_length=DESCRIPTION_LIMIT,
        widget=forms.Textarea(TEXT_INPUT | {"rows": 2}),
        help_text="What the role is for, and whom to ask about it.",
    )


class UpdateRoleForm(forms.Form):
    description = description_field()
    hours = forms.TypedChoiceField(
        label="Maximum session duration",
        coerce=int,
        widget=forms.Select({"class": "form-select"}),
        help_text=SESSION_HELP,
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, present: Role, initial: Mapping[str, Any]) -> None:
        super().__init__(data, initial=dict(initial))
        self.fields["hours"].choices = session_choices(present.max_session_seconds)  # type: ignore[attr-defined] # a choice field

    @property
    def changes(self) -> dict[str, Any]:
        """What the service is given. Line ends as the browser sends them are made the usual ones."""
        data = self.cleaned_data
        return {"description": data["description"].replace("\r\n", "\n"), "max_session_seconds": data["hours"]}


class TrustForm(forms.Form):
    """A trust policy. `digest_seen` names the document that the page was opened with."""

    document = DocumentField()
    digest_seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
