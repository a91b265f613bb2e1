from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from identities.models import AccessKey

Data = Mapping[str, Any] | None


def key_names(keys: Iterable[AccessKey]) -> str:
    return " ".join(sorted(key.access_key_id for key in keys))


class NewAccessKeyForm(forms.Form):
    """`seen` holds the keys there were when the form was opened: sending it again, by reloading the page that shows
    the secret, must not make another key. Pages write `present` into it, so that a second try knows what there is."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    understood = forms.BooleanField(
        label="I understand that nothing can limit a root access key, and want one all the same",
        error_messages={"required": "Tick the box, or give a program an IAM user's key instead."},
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )

    def __init__(self, data: Data = None, *, keys: Iterable[AccessKey], for_root: bool = False) -> None:
        self.present = key_names(keys)
        super().__init__(data, initial={"seen": self.present})
        if not for_root:
            del self.fields["understood"]

    def clean_seen(self) -> str:
        seen: str = self.cleaned_data["seen"]
        if seen != self.present:
            raise forms.ValidationError(
                "The access keys have changed since this page was opened; a secret is never shown again. "
                "Look at the keys there are now before you make another one."
            )
        return seen


class DeleteAccessKeyForm(forms.Form):
    confirmation = forms.CharField(
        required=False,
        widget=forms.TextInput(attrs={"class": "form-control secret", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Data = None, *, key: AccessKey) -> None:
        self.key = key
        super().__init__(data)
        self.fields["confirmation"].label = f"Type {key.access_key_id} to confirm"
        self.fields["confirmation"].widget.attrs["data-confirm-text"] = key.access_key_id

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if typed.strip() != self.key.access_key_id:
            raise forms.ValidationError(f"“{typed}” is not this key's id; type {self.key.access_key_id}.")
        return typed

    def clean(self) -> dict[str, Any]:
        if self.key.is_active:
            raise forms.ValidationError("The key is active. Deactivate it first, and see whether something misses it.")
        return self.cleaned_data
