from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from accounts import rules
from accounts.form_fields import TEXT_INPUT, cleaned_name, cleaned_path
from identities.services.users import NAME_LIMIT

_TICK = {"class": "form-check-input"}
# The flow's state stands in the address, which servers and proxies cut at about 8,000 characters.
_TAGS_LENGTH = 1500
TAGS_HELP = "One on each line, as Key=Value. Policies can refer to them."
_MOST_CHOICES = 100


def _name_field(**more: Any) -> forms.CharField:
    return forms.CharField(
        label="User name", max_length=NAME_LIMIT, strip=True, widget=forms.TextInput(TEXT_INPUT), **more
    )


def _path_field() -> forms.CharField:
    return forms.CharField(
        label="Path",
        required=False,
        max_length=512,
        widget=forms.TextInput(TEXT_INPUT),
        help_text="Orders users like folders, such as /engineering/. Leave it at / if you are not sure.",
    )


class NewUserForm(forms.Form):
    """The first step of creating a user: who it is, and whether it may sign in to the console."""

    name = _name_field(help_text=f"Up to 64 {rules.NAME_LETTERS}. Names ignore case: Ana and ana are the same user.")
    path = _path_field()
    tags = forms.CharField(
        label="Tags",
        required=False,
        widget=forms.Textarea(TEXT_INPUT | {"rows": 3, "placeholder": "Team=Storage"}),
        help_text=TAGS_HELP,
    )
    console = forms.BooleanField(
        label="Give this user access to the console",
        required=False,
        widget=forms.CheckboxInput(_TICK),
        help_text="A password is generated and shown to you once. Leave it off for a program.",
    )
    reset = forms.BooleanField(
        label="The password must be changed at the first sign-in", required=False, widget=forms.CheckboxInput(_TICK)
    )
    self_manage = forms.BooleanField(
        label="The user may manage their own password, MFA devices, keys and other credentials",
        required=False,
        widget=forms.CheckboxInput(_TICK),
        help_text="Attaches the policy IAMSelfManageCredentials.",
    )

    def clean_name(self) -> str:
        return cleaned_name(self.cleaned_data["name"], NAME_LIMIT, "user name")

    def clean_path(self) -> str:
        return cleaned_path(self.cleaned_data["path"])

    def clean_tags(self) -> dict[str, str]:
        text = self.cleaned_data["tags"]
        if len(text.encode()) > _TAGS_LENGTH:
            raise ValidationError("That is a lot of text for this step: add the longer tags later, on the Tags tab.")
        return tags_of_text(text)


def tags_of_text(text: str) -> dict[str, str]:
    """Tags as people write them, one on each line. Raises ValidationError."""
    tags: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        key, sign, value = line.partition("=")
        if not sign:
            raise ValidationError(f"“{line}” is not a tag; write it as Key=Value.")
        if any(key.strip().casefold() == other.casefold() for other in tags):
            raise ValidationError(f"The tag key “{key.strip()}” is there twice; keys ignore case.")
        tags[key.strip()] = value.strip()
    if problem := rules.tags_problem(tags, 50):
        raise ValidationError(problem)
    return tags


@dataclass(frozen=True, slots=True)
class Choices:
    """The second step's state as the address carries it: names only; what they stand for is looked up and asked for."""

    groups: tuple[str, ...]
    policies: tuple[str, ...]
    boundary: str
    source: str
    items: tuple[str, ...]
    reviewed: str

    @classmethod
    def of(cls, query: QueryDict) -> "Choices":
        def several(name: str) -> tuple[str, ...]:
            return tuple(dict.fromkeys(filter(None, query.getlist(name))))[:_MOST_CHOICES]

        return cls(
            groups=several("groups"),
            policies=several("policies"),
            boundary=query.get("boundary", ""),
            source=query.get("source", ""),
            items=several("items"),
            reviewed=query.get("reviewed", ""),
        )

    @property
    def has_reviewed(self) -> bool:
        """Whether the ticks are about this source; another one is shown with its own list first."""
        return bool(self.source) and self.reviewed == self.source


class UpdateUserForm(forms.Form):
    """`opened_path` is what the page showed when it was opened, to notice when somebody else changed it since."""

    name = _name_field()
    path = _path_field()
    opened_path = forms.CharField(required=False, max_length=512, widget=forms.HiddenInput)

    def clean_name(self) -> str:
        return cleaned_name(self.cleaned_data["name"], NAME_LIMIT, "user name")

    def clean_path(self) -> str:
        return cleaned_path(self.cleaned_data["path"])
