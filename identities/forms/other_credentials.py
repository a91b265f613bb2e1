"""Forms for SSH public keys, signing certificates and credentials of single services."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from identities.models import ServiceSpecificCredential
from identities.services.service_credentials import SERVICES

Data = Mapping[str, Any] | None
# As long as the API takes them (iam service model).
LONGEST_BODY = 16_384
MOST_DAYS = 36_600


def pem_field(
    label: str, help_text: str, *, rows: int = 8, required: bool = True, longest: int = LONGEST_BODY, **more: Any
) -> forms.CharField:
    """A text that is pasted, such as a certificate."""
    attributes = {"class": "form-control secret", "rows": rows, "autocomplete": "off", "spellcheck": "false", **more}
    return forms.CharField(
        label=label,
        required=required,
        max_length=longest,
        widget=forms.Textarea(attributes),
        help_text=help_text,
    )


class SSHPublicKeyForm(forms.Form):
    body = pem_field(
        "Public key",
        "RSA, 2048 bits or more: the one line of a file such as ~/.ssh/id_rsa.pub, or PEM. Never the private key.",
        rows=6,
        placeholder="ssh-rsa AAAAB3NzaC1yc2E… jane@laptop",
    )

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"]
        if "PRIVATE KEY" in body:
            # Not shown again: it should be nowhere but where it was made.
            self.data = {}
            raise forms.ValidationError(
                "This is a private key, and it was not kept. Paste the public key, from the file that ends with .pub; "
                "if others may have seen the private key here, make a new pair."
            )
        return body


class SigningCertificateForm(forms.Form):
    body = pem_field(
        "Certificate",
        "One X.509 certificate as PEM, valid now. The private key to it stays with whoever signs.",
        rows=10,
        placeholder="-----BEGIN CERTIFICATE-----",
    )


class ServiceCredentialForm(forms.Form):
    """`seen` holds the credentials there were when the form was opened, as in `NewAccessKeyForm`: sending it again must
    not make another one."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    service = forms.ChoiceField(
        label="Service",
        widget=forms.RadioSelect({"class": "form-check-input"}),
        error_messages={"required": "Choose the service that the credential is for."},
    )
    age_days = forms.IntegerField(
        label="Days until it expires",
        required=False,
        min_value=1,
        max_value=MOST_DAYS,
        help_text=f"1 to {MOST_DAYS}; empty for never. For API keys only: passwords don't expire.",
        widget=forms.NumberInput({"class": "form-control", "inputmode": "numeric"}),
    )

    def __init__(
        self, data: Data = None, *, services: Iterable[str], present: Iterable[ServiceSpecificCredential]
    ) -> None:
        self.present = " ".join(sorted(row.pk for row in present))
        super().__init__(data)
        self.fields["service"].choices = [(name, _label(name)) for name in services]  # type: ignore[attr-defined] # a ChoiceField

    def clean_seen(self) -> str:
        seen: str = self.cleaned_data["seen"]
        if seen != self.present:
            raise forms.ValidationError(
                "The credentials have changed since this page was opened; a secret is never shown again. "
                "Look at those there are now before you make another one."
            )
        return seen

    def clean(self) -> dict[str, Any]:
        service, days = self.cleaned_data.get("service"), self.cleaned_data.get("age_days")
        if service and days and not SERVICES[service].api_key_prefix:
            self.add_error("age_days", "Passwords of this service don't expire: leave this empty.")
        return self.cleaned_data


def _label(service: str) -> str:
    known = SERVICES[service]
    return f"{known.label}: {'an API key' if known.api_key_prefix else 'a user name and a password'}"


class ResetCredentialForm(forms.Form):
    """`seen` stands for the secret there was when the page was opened: reloading the page that shows the new one must
    not replace it again."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Data = None, *, credential: ServiceSpecificCredential) -> None:
        self.present = hashlib.sha256(credential.secret_hash.encode()).hexdigest()[:16]
        super().__init__(data)

    def clean_seen(self) -> str:
        seen: str = self.cleaned_data["seen"]
        if seen != self.present:
            raise forms.ValidationError(
                "The secret was replaced since this page was opened, and is never shown again. "
                "Reset it once more only if nobody has saved the present one."
            )
        return seen
