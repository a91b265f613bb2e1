import colorsys
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
# AWS's own five, as its links give them: paler, and not quite of the same hues.
_AWS = {"f2b0a9": "b5301c", "fbbf93": "a85400", "fad791": "7a6400", "b7ca9d": "1d7a3c", "99bce3": "064f96"}
_NAMED = {name.lower(): value for value, name in COLORS}
_HUES = {value: value for value, _ in COLORS if value} | _AWS
_HEX = re.compile(r"#?([0-9a-f]{6})")
# Below this there is no telling what colour a grey has.
_GREY = 0.1


def nearest_color(given: str) -> str:
    """Which of ours a link means: by our value, AWS's, a name, or the nearest hue of any other; '' for none."""
    word = given.strip().lower()
    if word in _NAMED:
        return _NAMED[word]
    found = _HEX.fullmatch(word)
    if found is None or _hue_and_saturation(found[1])[1] < _GREY:
        return ""
    hue = _hue_and_saturation(found[1])[0]
    nearest = min(_HUES, key=lambda known: _apart(hue, _hue_and_saturation(known)[0]))
    return _HUES[nearest]


def _hue_and_saturation(value: str) -> tuple[float, float]:
    red, green, blue = (int(value[at : at + 2], 16) / 255 for at in (0, 2, 4))
    hue, saturation, _ = colorsys.rgb_to_hsv(red, green, blue)
    return hue, saturation


def _apart(one: float, other: float) -> float:
    """Hues lie on a circle."""
    return min(abs(one - other), 1 - abs(one - other))


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
