from typing import Any

from django import forms

from access.forms.sign_in import check_repeated, estimate_while_typing, password_field
from accounts.passwords import rules_in_words
from accounts.rules import alias_problem, email_problem
from accounts.services import NAME_LIMIT


class SetUpForm(forms.Form):
    name = forms.CharField(
        label="Account name",
        max_length=NAME_LIMIT,
        help_text="What people call it, such as your company or team. You can change it later.",
        widget=forms.TextInput({"class": "form-control", "autocomplete": "organization", "autofocus": True}),
    )
    email = forms.CharField(
        label="Root user's e-mail address",
        max_length=254,
        help_text="It signs the root user in, and gets the mails about the account's security.",
        widget=forms.EmailInput({"class": "form-control", "autocomplete": "username", "spellcheck": "false"}),
    )
    password = password_field("Root user's password", "new-password")
    password_again = password_field("Confirm the password", "new-password")
    alias = forms.CharField(
        label="Account alias (optional)",
        required=False,
        max_length=63,
        help_text="A short word that people type when signing in, instead of the 12 digits of the account id.",
        widget=forms.TextInput({"class": "form-control", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, strength: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = rules_in_words(None, has_mfa=False)
        estimate_while_typing(self.fields["password"], strength)

    def clean_email(self) -> str:
        return _checked(self.cleaned_data["email"], email_problem)

    def clean_alias(self) -> str:
        alias = self.cleaned_data["alias"]
        return _checked(alias, alias_problem) if alias else ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        check_repeated(self, data)
        return data


def _checked(value: str, problem_of: Any) -> str:
    if problem := problem_of(value):
        raise forms.ValidationError(problem)
    return value
