from django import forms

_TEXT = {"class": "form-control", "autocomplete": "off", "spellcheck": "false"}


class CheckForm(forms.Form):
    """One user of the account, and what they would show when they ask for the role."""

    user = forms.CharField(label="User name", max_length=64, widget=forms.TextInput(_TEXT))
    external_id = forms.CharField(
        label="External id they would give", required=False, max_length=1224, widget=forms.TextInput(_TEXT)
    )
    mfa = forms.BooleanField(
        label="They signed in with MFA", required=False, widget=forms.CheckboxInput({"class": "form-check-input"})
    )
