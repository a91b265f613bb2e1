from django import forms

from accounts import rules
from accounts.form_fields import TEXT_INPUT, cleaned_name
from identities.services.inline_policies import NAME_LIMIT
from policies.forms import DocumentField


class InlinePolicyForm(forms.Form):
    """An inline policy. `digest_seen` names the document that the page was opened with; empty for a new policy."""

    name = forms.CharField(
        label="Name",
        max_length=NAME_LIMIT,
        widget=forms.TextInput(TEXT_INPUT),
        help_text=f"Up to 128 {rules.NAME_LETTERS}.",
    )
    document = DocumentField()
    digest_seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def clean_name(self) -> str:
        return cleaned_name(self.cleaned_data["name"], NAME_LIMIT, "policy name")
