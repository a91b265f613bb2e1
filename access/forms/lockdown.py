from collections.abc import Sequence
from typing import Any

from django import forms

from access.lockdown import LONGEST_REASON, Credential
from accounts.confirming import Data, TypedNameForm

_REASON = {"class": "form-control", "autocomplete": "off"}


class LockDownForm(TypedNameForm):
    """Why, and the user's name typed."""

    otherwise = "nothing has changed"
    reason = forms.CharField(
        label="Reason",
        max_length=LONGEST_REASON,
        help_text="Kept in the audit trail and shown on the user's page.",
        widget=forms.TextInput(_REASON),
        error_messages={"required": "Say why: whoever lifts the lockdown has to know."},
    )
    field_order = ("reason", "confirmation")


class LiftForm(forms.Form):
    """What shall be active again; nothing is ticked, since what leaked must stay off."""

    restore = forms.MultipleChoiceField(
        required=False,
        error_messages={"invalid_choice": "The user's credentials have changed since you looked. Look at them again."},
    )

    def __init__(self, data: Data = None, *, credentials: Sequence[Credential]) -> None:
        super().__init__(data)
        field: Any = self.fields["restore"]
        field.choices = [(each.id, each.id) for each in credentials]
