from typing import Any

from django import forms

from accounts import rules
from accounts.form_fields import TEXT_INPUT, cleaned_name, cleaned_path
from identities.forms.other_credentials import pem_field
from identities.forms.users import TAGS_HELP, tags_of_text
from identities.services.server_certificates import NAME_LIMIT

# As the API takes it (iam service model).
_LONGEST_CHAIN = 2_097_152


class UnshownTextarea(forms.Textarea):
    """What was typed is not sent back: a private key should not lie about in pages."""

    def format_value(self, value: Any) -> str:
        return ""


class _NameAndPath(forms.Form):
    name = forms.CharField(
        label="Name",
        max_length=NAME_LIMIT,
        widget=forms.TextInput(TEXT_INPUT),
        help_text=f"Up to {NAME_LIMIT} {rules.NAME_LETTERS}. Names ignore case.",
    )
    path = forms.CharField(
        label="Path",
        required=False,
        max_length=512,
        widget=forms.TextInput(TEXT_INPUT),
        help_text="Orders certificates like folders. Leave it at / if you are not sure.",
    )

    def clean_name(self) -> str:
        return cleaned_name(self.cleaned_data["name"], NAME_LIMIT, "certificate name")

    def clean_path(self) -> str:
        return cleaned_path(self.cleaned_data["path"])


class UploadServerCertificateForm(_NameAndPath):
    body = pem_field(
        "Certificate", "As PEM: the server's own certificate and no other.", placeholder="-----BEGIN CERTIFICATE-----"
    )
    private_key = pem_field(
        "Private key",
        "As PEM, without a password. It is kept sealed and never shown again, not even after a mistake on this page.",
        placeholder="-----BEGIN PRIVATE KEY-----",
    )
    chain = pem_field(
        "Certificate chain",
        "As PEM: first the certificate of whoever issued the server's, then that of its issuer, and so on. Empty for a "
        "certificate that issued itself.",
        required=False,
        longest=_LONGEST_CHAIN,
    )
    tags = forms.CharField(
        label="Tags",
        required=False,
        widget=forms.Textarea(TEXT_INPUT | {"rows": 2, "placeholder": "Team=Storage"}),
        help_text=TAGS_HELP,
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["private_key"].widget = UnshownTextarea(self.fields["private_key"].widget.attrs)

    def clean_tags(self) -> dict[str, str]:
        return tags_of_text(self.cleaned_data["tags"])


class UpdateServerCertificateForm(_NameAndPath):
    """`opened` is the ARN that the page showed, to notice when somebody else changed it since."""

    opened = forms.CharField(required=False, widget=forms.HiddenInput)
