from django import forms

from accounts.form_fields import TEXT_INPUT


class CheckForm(forms.Form):
    """One user of the account, and what they would show when they ask for the role."""

    user = forms.CharField(label="User name", max_length=64, widget=forms.TextInput(TEXT_INPUT))
    external_id = forms.CharField(
        label="External id they would give", required=False, max_length=1224, widget=forms.TextInput(TEXT_INPUT)
    )
    mfa = forms.BooleanField(
        label="They signed in with MFA", required=False, widget=forms.CheckboxInput({"class": "form-check-input"})
    )
