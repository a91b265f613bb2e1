from typing import Any

from django import forms

from access.forms.sign_in import NewPasswordForm, password_field


class ChangePasswordForm(NewPasswordForm):
    """One's own password: the present one, and the new one twice."""

    old_password = password_field("Current password")
    field_order = ("old_password", "password", "password_again")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The present password has no business at the estimate.
        self.fields["password"].widget.attrs["hx-params"] = "password"


class NewDeviceForm(forms.Form):
    name = forms.CharField(
        label="Device name",
        max_length=226,
        help_text="So that you know it in the list later. Letters, digits and _ + = , . @ -; once in this account.",
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off", "spellcheck": "false"}),
    )


def _code_field(label: str) -> forms.CharField:
    attributes = {"class": "form-control secret", "autocomplete": "one-time-code", "inputmode": "numeric"}
    return forms.CharField(label=label, max_length=16, widget=forms.TextInput(attrs=attributes))


class TwoCodesForm(forms.Form):
    code1 = _code_field("First code")
    code2 = _code_field("Next code, about 30 seconds later")
