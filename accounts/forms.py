from typing import Any

from django import forms

from accounts.passwords import SYMBOLS
from accounts.rules import alias_problem, email_problem
from accounts.services import NAME_LIMIT

_TEXT = {"class": "form-control"}


class AccountNameForm(forms.Form):
    name = forms.CharField(
        label="Account name", max_length=NAME_LIMIT, widget=forms.TextInput({**_TEXT, "autocomplete": "organization"})
    )


class AliasForm(forms.Form):
    alias = forms.CharField(
        label="Account alias",
        max_length=63,
        help_text="3 to 63 lower-case letters, digits and single hyphens; no other account may have it.",
        widget=forms.TextInput({**_TEXT, "autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}),
    )

    def clean_alias(self) -> str:
        alias: str = self.cleaned_data["alias"]
        if problem := alias_problem(alias):
            raise forms.ValidationError(problem)
        return alias


class RootEmailForm(forms.Form):
    email = forms.CharField(
        label="New e-mail address",
        max_length=254,
        help_text="A link goes there; the address changes when it is opened.",
        widget=forms.EmailInput({**_TEXT, "autocomplete": "email", "spellcheck": "false"}),
    )

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].strip()
        if problem := email_problem(email):
            raise forms.ValidationError(problem)
        return email


def _switch(label: str, help_text: str = "") -> forms.BooleanField:
    return forms.BooleanField(
        label=label, required=False, help_text=help_text, widget=forms.CheckboxInput({"class": "form-check-input"})
    )


def _number(label: str, least: int, most: int, help_text: str, *, required: bool = False) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=least,
        max_value=most,
        required=required,
        help_text=help_text,
        widget=forms.NumberInput({**_TEXT, "inputmode": "numeric"}),
    )


class PasswordPolicyForm(forms.Form):
    """The fields of UpdateAccountPasswordPolicy. An empty number is off."""

    opened = forms.CharField(required=False, widget=forms.HiddenInput())
    minimum_password_length = _number("Minimum length", 6, 128, "6 to 128 characters.", required=True)
    allow_users_to_change_password = _switch(
        "Users may change their own password",
        "Every user of the account may then do iam:ChangePassword for themselves, without a policy that says so.",
    )
    password_reuse_prevention = _number(
        "Earlier passwords that can't be used again", 1, 24, "1 to 24, the present one included; empty for none."
    )
    require_uppercase_characters = _switch("At least one upper-case letter")
    require_lowercase_characters = _switch("At least one lower-case letter")
    require_numbers = _switch("At least one digit")
    require_symbols = _switch("At least one symbol", f"One of {SYMBOLS}")
    max_password_age = _number("Passwords expire after", 1, 1095, "Days, 1 to 1095; empty for never.")
    hard_expiry = _switch(
        "Only an administrator can replace an expired password",
        "Otherwise whoever signs in with an expired password chooses a new one there.",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("hard_expiry") and not data.get("max_password_age") and not self.errors:
            self.add_error("hard_expiry", "This needs passwords that expire: enter the days above, or untick it.")
        return data
