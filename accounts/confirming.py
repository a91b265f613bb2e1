"""What is typed before something goes for good: its name."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.form_fields import TEXT_INPUT

Data = Mapping[str, Any] | None


class TypedNameForm(forms.Form):
    """`what` says what kind of name it is, `otherwise` that it was not typed and what that means."""

    otherwise = "nothing was deleted"

    confirmation = forms.CharField(required=False, widget=forms.TextInput(TEXT_INPUT))

    def __init__(
        self, data: Data = None, *, name: str, what: str = "name", initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.name, self.what = name, what
        self.fields["confirmation"].label = f"Type {name} to confirm"
        self.fields["confirmation"].widget.attrs["data-confirm-text"] = name

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if typed != self.name:
            raise ValidationError(f"Type the {self.what} {self.name} exactly; {self.otherwise}.")
        return typed


class TypedNameOfWhatIsListedForm(TypedNameForm):
    """`seen` is the fingerprint of what the page said would go, to notice when more has come since."""

    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Data = None, *, name: str, seen: str) -> None:
        super().__init__(data, name=name, initial={"seen": seen})
