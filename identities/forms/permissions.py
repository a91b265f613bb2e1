from django import forms
from django.core.exceptions import ValidationError

from accounts import rules
from identities.services.inline_policies import NAME_LIMIT
from policies.forms import DocumentField

_TEXT = {"class": "form-control", "autocomplete": "off", "spellcheck": "false"}


class InlinePolicyForm(forms.Form):
    """An inline policy. `digest_seen` names the document that the page was opened with; empty for a new policy."""

    name = forms.CharField(
        label="Name",
        max_length=NAME_LIMIT,
        widget=forms.TextInput(_TEXT),
        help_text=f"Up to 128 {rules.NAME_LETTERS}.",
    )
    document = DocumentField()
    digest_seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        problem = rules.name_problem(name, NAME_LIMIT, "policy name")
        if not problem and not name.strip("."):
            # A browser takes these for folders, so such a policy's page could never be opened.
            problem = "A policy name needs more than dots."
        if problem:
            raise ValidationError(problem)
        return name
