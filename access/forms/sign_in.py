from copy import deepcopy
from typing import Any

from django import forms

from accounts.passwords import MAXIMUM_LENGTH

_LOGIN_NAME = {"class": "form-control", "autocapitalize": "none", "spellcheck": "false"}


def password_field(label: str, autocomplete: str = "current-password", **attributes: Any) -> forms.CharField:
    """Never trimmed, never sent back. What is longer than any password is refused here, before it is hashed."""
    widget = forms.PasswordInput({"class": "form-control", "autocomplete": autocomplete, **attributes})
    return forms.CharField(
        label=label,
        strip=False,
        max_length=MAXIMUM_LENGTH,
        widget=widget,
        error_messages={"max_length": f"A password has at most {MAXIMUM_LENGTH} characters."},
    )


class UserSignInForm(forms.Form):
    account = forms.CharField(
        label="Account id or alias",
        max_length=63,
        widget=forms.TextInput({**_LOGIN_NAME, "autocomplete": "organization"}),
    )
    user_name = forms.CharField(
        label="IAM user name", max_length=64, widget=forms.TextInput({**_LOGIN_NAME, "autocomplete": "username"})
    )
    password = password_field("Password")


class RootEmailForm(forms.Form):
    """Its shape is judged by nothing but its length: an answer must not differ for what can't exist."""

    email = forms.CharField(
        label="Root user's e-mail address",
        max_length=254,
        widget=forms.EmailInput({**_LOGIN_NAME, "autocomplete": "username", "autofocus": True}),
    )


class PasswordForm(forms.Form):
    password = password_field("Password", autofocus=True)


class CodeForm(forms.Form):
    code = forms.CharField(
        label="MFA code",
        max_length=16,
        help_text="The six digits that your authenticator app shows now.",
        widget=forms.TextInput(
            {"class": "form-control secret", "autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
    )


class ConfirmForm(PasswordForm):
    """The password once more, and a code where the person has MFA."""

    def __init__(self, *args: Any, with_code: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if with_code:
            self.fields["code"] = deepcopy(CodeForm.base_fields["code"])
            self.fields["code"].widget.attrs.pop("autofocus")


class NewPasswordForm(forms.Form):
    """A new password twice. `rules` says in words what it needs; `strength` is the address that estimates it."""

    password = password_field("New password", "new-password")
    password_again = password_field("Confirm the new password", "new-password")

    def __init__(self, *args: Any, rules: str, strength: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = rules
        estimate_while_typing(self.fields["password"], strength)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        check_repeated(self, data)
        return data


def estimate_while_typing(field: forms.Field, strength: str) -> None:
    field.widget.attrs |= {
        "hx-post": strength,
        "hx-trigger": "input changed delay:300ms",
        "hx-target": "#strength",
        "hx-params": "not password_again",
    }


def check_repeated(form: forms.Form, data: dict[str, Any]) -> None:
    """Both were typed by the same person just now, so that comparing them plainly tells nobody anything."""
    if data.get("password") and "password_again" in data and data["password"] != data["password_again"]:
        form.add_error("password_again", "The two passwords differ. Type the same one twice.")
