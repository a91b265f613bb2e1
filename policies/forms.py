from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts import rules
from policies.services import DESCRIPTION_LIMIT, NAME_LIMIT

_TEXT = {"class": "form-control", "autocomplete": "off", "spellcheck": "false"}


class DocumentField(forms.CharField):
    """A policy document as it was typed; line ends as the browser sends them are made the usual ones."""

    def __init__(self, **more: Any) -> None:
        attributes = {"class": "form-control document-text", "rows": 18, "spellcheck": "false", "data-editor": ""}
        super().__init__(
            label="Document",
            strip=False,
            widget=forms.Textarea(attributes),
            error_messages={"required": "Write a document, or start from a template."},
            **more,
        )

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class PolicyForm(forms.Form):
    """A new managed policy."""

    name = forms.CharField(
        label="Name",
        max_length=NAME_LIMIT,
        widget=forms.TextInput(_TEXT),
        help_text=f"Up to 128 {rules.NAME_LETTERS}. It can't be changed later.",
    )
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=DESCRIPTION_LIMIT,
        widget=forms.TextInput(_TEXT),
        help_text="What it is for. It can't be changed later.",
    )
    path = forms.CharField(
        label="Path",
        required=False,
        max_length=512,
        widget=forms.TextInput(_TEXT),
        help_text="Orders policies like folders, such as /engineering/. Leave it at / if you are not sure.",
    )
    document = DocumentField()

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        problem = rules.name_problem(name, NAME_LIMIT, "policy name")
        if not problem and not name.strip("."):
            # A browser takes these for folders, so such a policy's page could never be opened.
            problem = "A policy name needs more than dots."
        if problem:
            raise ValidationError(problem)
        return name

    def clean_path(self) -> str:
        path = self.cleaned_data["path"] or "/"
        if problem := rules.path_problem(path, for_policy=True):
            raise ValidationError(problem)
        return path


class VersionForm(forms.Form):
    """A new version of a policy. `newest_seen` is the newest one when the page was opened."""

    document = DocumentField()
    set_as_default = forms.BooleanField(
        label="Let this version count from now on (make it the default)",
        required=False,
        widget=forms.CheckboxInput({"class": "form-check-input"}),
        help_text="Without this it is only stored, to be looked at and made the default later.",
    )
    newest_seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


class DeletePolicyForm(forms.Form):
    confirmation = forms.CharField(required=False, widget=forms.TextInput(_TEXT))

    def __init__(self, data: Mapping[str, Any] | None = None, *, name: str) -> None:
        super().__init__(data)
        self.name = name
        self.fields["confirmation"].label = f"Type {name} to confirm"
        self.fields["confirmation"].widget.attrs["data-confirm-text"] = name

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if typed != self.name:
            raise ValidationError(f"Type the name {self.name} exactly; nothing was deleted.")
        return typed


class ValidateForm(forms.Form):
    """A document as it is being written, and what its size is measured against."""

    document = DocumentField(required=False)
    limit = forms.IntegerField(required=False, min_value=0, max_value=131_072)
    used = forms.IntegerField(required=False, min_value=0, max_value=1_000_000)
