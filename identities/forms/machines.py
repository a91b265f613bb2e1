from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.form_fields import TEXT_INPUT, cleaned_name
from identities.services.instance_profiles import NAME_LIMIT as PROFILE_NAME_LIMIT
from identities.services.machines import NAME_LIMIT

_TEXT = {**TEXT_INPUT, "autocapitalize": "none"}
PROFILE_CHOICES, ROLE_CHOICES = "profile-choices", "role-choices"


class MachineForm(forms.Form):
    """`offered` are names of profiles, for whoever may list them."""

    name = forms.CharField(
        label="Name",
        max_length=NAME_LIMIT,
        widget=forms.TextInput(_TEXT),
        help_text="What you call the machine, such as build-1. Policies can name it by this name.",
    )
    profile = forms.CharField(
        label="Instance profile",
        required=False,
        max_length=PROFILE_NAME_LIMIT,
        widget=forms.TextInput(_TEXT | {"list": PROFILE_CHOICES}),
        help_text="Its applications get the role in it. Left empty, the machine gets nothing yet.",
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, Any] | None = None,
        offered: Sequence[str] = (),
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.offered = offered

    def clean_name(self) -> str:
        return cleaned_name(self.cleaned_data["name"], NAME_LIMIT, "machine name")


class InstanceProfileForm(forms.Form):
    """`offered` are names of roles that machines may have, for whoever may list roles."""

    name = forms.CharField(
        label="Name",
        max_length=PROFILE_NAME_LIMIT,
        widget=forms.TextInput(_TEXT),
        help_text="Most people call a profile like its role. It can't be changed later.",
    )
    role = forms.CharField(
        label="Role",
        required=False,
        max_length=64,
        widget=forms.TextInput(_TEXT | {"list": ROLE_CHOICES}),
        help_text="What applications on machines with this profile may do. It can be put in later.",
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, Any] | None = None,
        offered: Sequence[str] = (),
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.offered = offered

    def clean_name(self) -> str:
        return cleaned_name(self.cleaned_data["name"], PROFILE_NAME_LIMIT, "instance profile name")


class PutRoleForm(InstanceProfileForm):
    """Putting a role into a profile that has none."""

    name = None  # type: ignore[assignment] # Django's way of leaving a field out

    def __init__(self, data: Mapping[str, Any] | None = None, *, offered: Sequence[str] = ()) -> None:
        super().__init__(data, offered=offered)
        self.fields["role"].required = True
        self.fields["role"].help_text = "Machines that have this profile get it within a minute."


class ConfirmNameForm(forms.Form):
    """The name of what goes, typed."""

    confirmation = forms.CharField(required=False, widget=forms.TextInput(_TEXT))

    def __init__(self, data: Mapping[str, Any] | None = None, *, name: str) -> None:
        super().__init__(data)
        self.name = name
        self.fields["confirmation"].label = f"Type {name} to confirm"
        self.fields["confirmation"].widget.attrs["data-confirm-text"] = name

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if typed != self.name:
            raise ValidationError(f"Type the name {self.name} exactly; nothing was removed.")
        return typed
