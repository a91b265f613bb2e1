from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.form_fields import TEXT_INPUT
from federation.models import EncryptionMode
from federation.services import oidc_providers, oidc_sign_in, saml_providers

_CHECK = {"class": "form-check-input"}
_LONGEST_METADATA = 900_000


def _area(rows: int) -> forms.Textarea:
    return forms.Textarea({"class": "form-control secret", "rows": rows, "spellcheck": "false"})


class _Encryption(forms.Form):
    """How assertions are encrypted, and a key of ours to decrypt them with."""

    encryption_mode = forms.ChoiceField(
        label="Encrypted assertions",
        required=False,
        choices=[("", "Not used"), (EncryptionMode.ALLOWED, "Allowed"), (EncryptionMode.REQUIRED, "Required")],
        widget=forms.Select({"class": "form-select"}),
    )
    private_key = forms.CharField(
        label="Private key to decrypt with",
        required=False,
        max_length=16384,
        widget=_area(4),
        help_text="RSA, 2048 bits or more, as PEM without a password. The provider gets the certificate to it. It is "
        "kept sealed and never shown again.",
    )


class NewSAMLProviderForm(_Encryption):
    name = forms.CharField(
        label="Name",
        max_length=saml_providers.NAME_LIMIT,
        widget=forms.TextInput(TEXT_INPUT),
        help_text="Letters, digits and . _ - such as CorpLogin. Trust policies name it; it can't be changed.",
    )
    metadata = forms.CharField(
        label="Metadata of the provider",
        strip=False,
        max_length=_LONGEST_METADATA,
        widget=_area(10),
        help_text="The XML that the provider's administrator gives out: who it is, where it signs people in, and the "
        "certificates that its signatures are checked with.",
        error_messages={"required": "Paste the metadata of the provider."},
    )
    field_order = ("name", "metadata", "encryption_mode", "private_key")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if problem := saml_providers.name_problem(name):
            raise ValidationError(problem)
        if not name.strip("."):
            # A browser takes these for folders, so such a provider's page could never be opened.
            raise ValidationError("A name needs more than dots.")
        return name


class SAMLProviderForm(_Encryption):
    """What can be changed. Metadata left empty stays as it is; a private key is added, one may be removed."""

    metadata = forms.CharField(
        label="New metadata",
        required=False,
        strip=False,
        max_length=_LONGEST_METADATA,
        widget=_area(8),
        help_text="Takes the place of the present metadata with all its certificates. Leave it empty to keep that.",
    )
    remove_private_key = forms.ChoiceField(
        label="Private key to remove", required=False, widget=forms.Select({"class": "form-select"})
    )
    enabled = forms.BooleanField(
        label="Believe this provider",
        required=False,
        widget=forms.CheckboxInput(_CHECK),
        help_text="Switched off, nobody comes in through it from the next moment on, and whoever came in is out. "
        "Nothing is lost.",
    )
    starts_sign_in = forms.BooleanField(
        label="Let people begin at the provider's own pages",
        required=False,
        widget=forms.CheckboxInput(_CHECK),
        help_text="Without it, a sign-in has to begin here. Sign-ins that begin elsewhere can be foisted on somebody.",
    )
    field_order = ("enabled", "starts_sign_in", "metadata", "encryption_mode", "private_key", "remove_private_key")

    def __init__(self, *args: Any, key_ids: list[str], **more: Any) -> None:
        super().__init__(*args, **more)
        choices = [("", "None"), *((key_id, key_id) for key_id in key_ids)]
        self.fields["remove_private_key"].choices = choices  # type: ignore[attr-defined] # a ChoiceField


class NewOIDCProviderForm(forms.Form):
    url = forms.CharField(
        label="Issuer URL",
        max_length=oidc_providers.URL_LIMIT,
        widget=forms.URLInput({**TEXT_INPUT, "placeholder": "https://id.example.com"}),
        help_text="Exactly as in the iss claim of its tokens. It can't be changed later.",
    )
    client_ids = forms.CharField(
        label="Audiences (client IDs)",
        required=False,
        max_length=26_000,
        widget=_area(3),
        help_text="One on each line: the applications whose tokens are accepted. More can be added later.",
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if problem := oidc_providers.url_problem(url):
            raise ValidationError(problem)
        return url

    def clean_client_ids(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["client_ids"].splitlines() if line.strip()]


class ClientIdForm(forms.Form):
    client_id = forms.CharField(label="Audience (client ID)", max_length=255, widget=forms.TextInput(TEXT_INPUT))


class ConsoleSignInForm(forms.Form):
    """How people of an OpenID Connect provider come into the console; the secret is taken and never shown."""

    client = forms.ChoiceField(
        label="Client ID",
        widget=forms.Select({"class": "form-select"}),
        help_text="What the provider calls this console: one of the audiences above.",
    )
    secret = forms.CharField(
        label="Client secret",
        required=False,
        strip=False,
        max_length=oidc_sign_in.SECRET_LIMIT,
        widget=forms.PasswordInput({**TEXT_INPUT, "autocomplete": "new-password"}),
        help_text="Kept sealed and never shown again. Left empty, the present one stays while the client ID does.",
    )
    no_secret = forms.BooleanField(
        label="This client has no secret",
        required=False,
        widget=forms.CheckboxInput(_CHECK),
        help_text="For a provider that knows this console as a public client. One that is kept here is removed.",
    )
    scopes = forms.CharField(
        label="Scopes",
        max_length=oidc_sign_in.SCOPES_LIMIT,
        widget=forms.TextInput(TEXT_INPUT),
        help_text="openid, and whatever your trust policies need the claims of.",
    )
    enabled = forms.BooleanField(
        label="Let people sign in to the console through this provider",
        required=False,
        widget=forms.CheckboxInput(_CHECK),
    )
    listed = forms.BooleanField(
        label="Offer it on the account's sign-in page",
        required=False,
        widget=forms.CheckboxInput(_CHECK),
        help_text="Everybody who opens that page then sees that the account is there, and this provider's address.",
    )

    def __init__(self, *args: Any, client_ids: list[str], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["client"].choices = [(each, each) for each in client_ids]  # type: ignore[attr-defined] # as above

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("no_secret") and data.get("secret"):
            self.add_error("secret", "Type a secret or say that there is none, not both.")
        return data


class ThumbprintsForm(forms.Form):
    thumbprints = forms.CharField(
        label="Thumbprints",
        required=False,
        max_length=1000,
        widget=_area(3),
        help_text="One on each line, 40 hexadecimal digits, five at most. Kept for programs that ask for them; "
        "certificates are always checked by the authorities that this server trusts.",
    )

    def clean_thumbprints(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["thumbprints"].splitlines() if line.strip()]
