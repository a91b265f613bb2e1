from collections.abc import Mapping
from typing import Any

from django import forms

from accounts import rules
from accounts.form_fields import TEXT_INPUT, cleaned_name, cleaned_path
from policies import visual
from policies.definitions import BadDefinition, Definition, from_json, from_lines, to_lines
from policies.models import RegisteredService
from policies.own_services import NAME_LIMIT as SERVICE_NAME_LIMIT
from policies.services import DESCRIPTION_LIMIT, NAME_LIMIT


class DocumentWidget(forms.Textarea):
    """A text field, or the fields of the visual view, which change the text that they were made from."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        text = super().value_from_datadict(data, files, name)
        return visual.applied(text.replace("\r\n", "\n"), data) if text and visual.MARKER in data else text


class DocumentField(forms.CharField):
    """A policy document as it was typed; line ends as the browser sends them are made the usual ones."""

    def __init__(self, **more: Any) -> None:
        attributes = {"class": "form-control document-text", "rows": 18, "spellcheck": "false", "data-editor": ""}
        super().__init__(
            label="Document",
            strip=False,
            widget=DocumentWidget(attributes),
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
        widget=forms.TextInput(TEXT_INPUT),
        help_text=f"Up to 128 {rules.NAME_LETTERS}. It can't be changed later.",
    )
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=DESCRIPTION_LIMIT,
        widget=forms.TextInput(TEXT_INPUT),
        help_text="What it is for. It can't be changed later.",
    )
    path = forms.CharField(
        label="Path",
        required=False,
        max_length=512,
        widget=forms.TextInput(TEXT_INPUT),
        help_text="Orders policies like folders, such as /engineering/. Leave it at / if you are not sure.",
    )
    document = DocumentField()

    def clean_name(self) -> str:
        return cleaned_name(self.cleaned_data["name"], NAME_LIMIT, "policy name")

    def clean_path(self) -> str:
        return cleaned_path(self.cleaned_data["path"], for_policy=True)


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


class ValidateForm(forms.Form):
    """A document as it is being written, what its size is measured against, and whether it is a trust policy."""

    document = DocumentField(required=False)
    limit = forms.IntegerField(required=False, min_value=0, max_value=131_072)
    used = forms.IntegerField(required=False, min_value=0, max_value=1_000_000)
    kind = forms.CharField(required=False, max_length=16)


def _lines(label: str, rows: int, help_text: str, example: str = "") -> forms.CharField:
    attributes = {"class": "form-control font-monospace", "rows": rows, "spellcheck": "false", "placeholder": example}
    return forms.CharField(
        label=label, required=False, help_text=help_text, max_length=100_000, widget=forms.Textarea(attributes)
    )


class ServiceForm(forms.Form):
    """A service of the account's own: as lines, or as JSON, which takes the place of the lines."""

    service_prefix = forms.CharField(
        label="Prefix",
        max_length=63,
        widget=forms.TextInput(TEXT_INPUT),
        help_text="What stands before the colon in its actions, as garden in garden:Plant. It can't be changed later.",
    )
    name = forms.CharField(
        label="Name",
        max_length=SERVICE_NAME_LIMIT,
        widget=forms.TextInput(TEXT_INPUT),
        help_text="What people call it.",
    )
    actions = _lines(
        "Actions",
        8,
        "One a line: name | access level | description | resource types | condition keys. "
        "Only the name is needed. Access levels are List, Read, Write, Tagging, Permissions management.",
        "Plant | Write | Put something into a bed | bed | garden:Season",
    )
    resource_types = _lines(
        "Kinds of resources",
        4,
        "One a line: name | ARN, with ${…} for what differs.",
        "bed | arn:aws:garden::${Account}:bed/${BedName}",
    )
    condition_keys = _lines(
        "Condition keys",
        4,
        "One a line: name | type | several, the last for a key that can have several values.",
        "garden:Season | String",
    )
    pasted = _lines("Or paste it as JSON", 6, "It takes the place of the three lists above.")

    def __init__(self, data: Mapping[str, Any] | None = None, *, service: RegisteredService | None = None) -> None:
        initial = {"name": service.name, **to_lines(service.definition)} if service else {}
        super().__init__(data, initial=initial)
        if service is not None:
            del self.fields["service_prefix"]

    def clean_service_prefix(self) -> str:
        prefix: str = self.cleaned_data["service_prefix"]
        return prefix.lower()

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if self.errors:
            return data
        try:
            data["definition"] = self._definition(data)
        except BadDefinition as error:
            self.add_error(error.field, str(error))
        return data

    def _definition(self, data: dict[str, Any]) -> Definition:
        if data["pasted"].strip():
            return from_json(data["pasted"])
        return from_lines(data["actions"], data["resource_types"], data["condition_keys"])


class ValidationSettingsForm(forms.Form):
    warn_about_unknown_services = forms.BooleanField(
        label="Warn about services that are not in the catalogue",
        required=False,
        widget=forms.CheckboxInput({"class": "form-check-input"}),
        help_text="Turn it off if policies of this account name services that nobody registers here.",
    )
