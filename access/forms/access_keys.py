from django import forms

from access.key_traces import LENGTH, found_in

LONGEST = 4000


class FindKeyForm(forms.Form):
    """Takes a whole line of a log or a mail: the first access key id in it counts."""

    text = forms.CharField(
        label="Access key id",
        max_length=LONGEST,
        help_text="Such as AKIAIOSFODNN7EXAMPLE. A whole line of a log or a mail will do.",
        widget=forms.TextInput({"class": "form-control secret", "autocomplete": "off", "spellcheck": "false"}),
        error_messages={
            "required": "Paste an access key id, or a line that holds one.",
            "max_length": f"Paste the line with the access key id: this is longer than {LONGEST} characters.",
        },
    )

    def clean_text(self) -> str:
        if found := found_in(self.cleaned_data["text"]):
            return found
        if len(self.cleaned_data["text"]) > LENGTH:
            # No mistyped id: it may be a secret, which should not lie about in pages.
            self.data = {}
        raise forms.ValidationError(
            "There is no access key id in this: it has 20 characters, AKIA or ASIA and 16 capital letters and digits."
        )
