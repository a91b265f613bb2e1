import re

from django import forms

from accounts.rules import is_account_id

_NAME = {"class": "form-control", "autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}
_ROLE = re.compile(r"/?(?:[\x21-\x7e]+/)?[\w+=,.@-]{1,64}", re.ASCII)
# Name and value; the value is what an address carries.
COLORS = (
    ("", "None"),
    ("b5301c", "Red"),
    ("a85400", "Orange"),
    ("7a6400", "Yellow"),
    ("1d7a3c", "Green"),
    ("064f96", "Blue"),
)


class RoleForm(forms.Form):
    """Which role, of which account."""

    account = forms.CharField(
        label="Account id or alias",
        max_length=63,
        help_text="The account that the role is in.",
        widget=forms.TextInput(_NAME),
    )
    role_name = forms.CharField(
        label="Role name",
        max_length=576,
        help_text="With its path, if it has one: ops/Deploy.",
        widget=forms.TextInput(_NAME),
    )

    def clean_role_name(self) -> str:
        name = str(self.cleaned_data["role_name"])
        if not _ROLE.fullmatch(name):
            raise forms.ValidationError(
                "A role's name has up to 64 letters, digits and _ + = , . @ -; its path stands before it, with slashes."
            )
        return name.lstrip("/")

    def clean_account(self) -> str:
        name = str(self.cleaned_data["account"]).strip().lower()
        return name.replace("-", "") if is_account_id(name.replace("-", "")) else name


class RoleCredentialsForm(RoleForm):
    """Temporary credentials of a role: for how long, and with what it asks for."""

    seconds = forms.TypedChoiceField(
        label="Good for",
        coerce=int,
        initial=3600,
        choices=[(900, "15 minutes"), (3600, "1 hour"), (14400, "4 hours"), (28800, "8 hours"), (43200, "12 hours")],
        help_text="At most the role's own longest session.",
        widget=forms.Select({"class": "form-select"}),
    )
    external_id = forms.CharField(
        label="External id",
        required=False,
        max_length=1224,
        help_text="Only if the owner of the role gave you one.",
        widget=forms.TextInput(_NAME),
    )


class SwitchRoleForm(RoleForm):
    """A role, and how the bar shows it. An address may fill it in; only the button acts."""

    display_name = forms.CharField(
        label="Shown as",
        required=False,
        max_length=64,
        help_text="How the bar at the top names it; the role's own name if left empty.",
        widget=forms.TextInput({**_NAME, "spellcheck": "true"}),
    )
    color = forms.ChoiceField(
        label="Color of the bar",
        required=False,
        choices=COLORS,
        widget=forms.Select({"class": "form-select"}),
    )
