from dataclasses import dataclass

from django import forms
from django.http import QueryDict

from accounts import rules
from accounts.form_fields import TEXT_INPUT, cleaned_name, cleaned_path
from identities.services.groups import NAME_LIMIT

# The choices stand in the address, which servers and proxies cut at about 8,000 characters.
MOST_CHOICES = 50


def chosen_names(query: QueryDict, field: str) -> tuple[str, ...]:
    """The names ticked on a page, each once. Whoever ticks more than a page holds is not a browser."""
    return tuple(dict.fromkeys(name[:512] for name in query.getlist(field) if name))[: 2 * MOST_CHOICES]


class NewGroupForm(forms.Form):
    name = forms.CharField(
        label="Group name",
        max_length=NAME_LIMIT,
        widget=forms.TextInput(TEXT_INPUT),
        help_text=f"Up to {NAME_LIMIT} {rules.NAME_LETTERS}. Names ignore case: Admins and admins are the same group.",
    )
    path = forms.CharField(
        label="Path",
        required=False,
        max_length=512,
        widget=forms.TextInput(TEXT_INPUT),
        help_text="Orders groups like folders, such as /engineering/. Leave it at / if you are not sure.",
    )

    def clean_name(self) -> str:
        return cleaned_name(self.cleaned_data["name"], NAME_LIMIT, "group name")

    def clean_path(self) -> str:
        return cleaned_path(self.cleaned_data["path"])


class UpdateGroupForm(NewGroupForm):
    """`opened_path` is what the page showed when it was opened, to notice when somebody else changed it since."""

    opened_path = forms.CharField(required=False, max_length=512, widget=forms.HiddenInput)


@dataclass(frozen=True, slots=True)
class GroupChoices:
    """What was ticked while creating a group, as the address carries it: names only."""

    policies: tuple[str, ...]
    users: tuple[str, ...]

    @classmethod
    def of(cls, query: QueryDict) -> "GroupChoices":
        return cls(chosen_names(query, "policies"), chosen_names(query, "users"))

    @property
    def problem(self) -> str:
        """'' or what is too much to carry from step to step."""
        if len(self.users) > MOST_CHOICES:
            return f"Choose at most {MOST_CHOICES} users here; the others can join on the group's page."
        return ""
