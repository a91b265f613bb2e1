"""What is asked while a role is made: who will use it, what it is called, what it may."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from access import role_uses
from accounts import rules
from accounts.form_fields import TEXT_INPUT, cleaned_name, cleaned_path
from federation.oidc import COGNITO, GOOGLE
from identities.forms.roles import SESSION_HELP, description_field, session_choices
from identities.forms.users import TAGS_HELP, tags_of_text
from identities.services.roles import NAME_LIMIT, SHORTEST_SESSION

_TICK = {"class": "form-check-input"}
_SELECT = {"class": "form-select"}
_TAGS_LENGTH = 1000
_EXTERNAL_ID = re.compile(r"[\w+=,.@:\\/-]{2,1224}", re.ASCII)


class UseForm(forms.Form):
    """The questions about one use. `document` writes the trust policy from the answers."""

    account_id = ""

    def document(self) -> str:
        """Each use has its own; this class is never a form by itself."""
        raise NotImplementedError  # Abstract; ABC can't say so beside the metaclass of Django's forms.


def _mfa_field() -> forms.BooleanField:
    return forms.BooleanField(
        label="They must have signed in with MFA",
        required=False,
        widget=forms.CheckboxInput(_TICK),
        help_text="Ask for it wherever the role can do harm.",
    )


class UsersForm(UseForm):
    """`arns` are those of the ticked users."""

    arns: Sequence[str] = ()
    mfa = _mfa_field()

    def document(self) -> str:
        return role_uses.for_users(self.account_id, self.arns, mfa=self.cleaned_data["mfa"])


class BrokerForm(UseForm):
    """`arns` are those of the ticked users: whoever has the program's access key takes on the role for all people."""

    arns: Sequence[str] = ()

    def clean(self) -> dict[str, Any]:
        if not self.arns:
            raise ValidationError("Tick the user whose access key the program has. If there is none yet, create it.")
        return super().clean() or {}

    def document(self) -> str:
        return role_uses.for_users(self.account_id, self.arns, mfa=False)


class AccountForm(UseForm):
    account = forms.CharField(
        label="Account id",
        max_length=14,
        widget=forms.TextInput(TEXT_INPUT | {"inputmode": "numeric"}),
        help_text="Twelve digits; the other account has to be on this server.",
    )
    external_id = forms.CharField(
        label="External id",
        required=False,
        max_length=1224,
        widget=forms.TextInput(TEXT_INPUT),
        help_text="For a company that works for many customers: it gives each a different one, and yours opens only "
        "your role. It is no secret. People can't switch to such a role in the console, only programs take it on.",
    )
    mfa = _mfa_field()

    def clean_account(self) -> str:
        account = re.sub(r"[\s-]", "", self.cleaned_data["account"])
        if not re.fullmatch(r"[0-9]{12}", account):
            raise ValidationError("An account id has twelve digits.")
        if account == self.account_id:
            raise ValidationError("That is this account: go back and choose “A user of this account”.")
        return account

    def clean_external_id(self) -> str:
        external_id: str = self.cleaned_data["external_id"]
        if external_id and not _EXTERNAL_ID.fullmatch(external_id):
            raise ValidationError("An external id has 2 to 1224 letters, digits and _ + = , . @ : \\ / -.")
        return external_id

    def document(self) -> str:
        data = self.cleaned_data
        return role_uses.for_account(data["account"], external_id=data["external_id"], mfa=data["mfa"])


class _ProviderForm(UseForm):
    provider = forms.ChoiceField(label="Provider", widget=forms.Select(_SELECT))

    def offer(self, providers: Sequence[tuple[str, str]]) -> None:
        self.fields["provider"].choices = list(providers)  # type: ignore[attr-defined] # a choice field


class WebForm(_ProviderForm):
    BUILT_IN = ((GOOGLE, "Google (built in)"), (COGNITO, "Amazon Cognito (built in)"))

    audience = forms.CharField(
        label="Audience",
        max_length=255,
        widget=forms.TextInput(TEXT_INPUT),
        help_text="The client id of your app at the provider: a token made for another app opens nothing.",
    )
    subject = forms.CharField(
        label="Subject",
        required=False,
        max_length=255,
        widget=forms.TextInput(TEXT_INPUT),
        help_text="What its tokens call the person or program (sub). Left empty, everybody who can sign in to your app "
        "gets the role; "
        "* stands for anything, as in repo:acme/*.",
    )

    def document(self) -> str:
        data = self.cleaned_data
        return role_uses.for_web(data["provider"], audience=data["audience"], subject=data["subject"])


class SAMLForm(_ProviderForm):
    def document(self) -> str:
        return role_uses.for_saml(self.cleaned_data["provider"])


FORMS: Mapping[str, type[UseForm]] = {
    "user": UsersForm,
    "account": AccountForm,
    "web": WebForm,
    "saml": SAMLForm,
    "broker": BrokerForm,
}


class NewRoleForm(forms.Form):
    """`profile` is there for machines only."""

    name = forms.CharField(
        label="Role name",
        max_length=NAME_LIMIT,
        widget=forms.TextInput(TEXT_INPUT),
        help_text=f"Up to {NAME_LIMIT} {rules.NAME_LETTERS}. It can't be changed later.",
    )
    description = description_field()
    hours = forms.TypedChoiceField(
        label="Maximum session duration",
        coerce=int,
        choices=session_choices,
        widget=forms.Select(_SELECT),
        help_text=SESSION_HELP,
        required=False,
        empty_value=str(SHORTEST_SESSION),
    )
    path = forms.CharField(
        label="Path",
        required=False,
        max_length=512,
        widget=forms.TextInput(TEXT_INPUT),
        help_text="Orders roles like folders, such as /engineering/. Leave it at / if you are not sure.",
    )
    tags = forms.CharField(
        label="Tags",
        required=False,
        widget=forms.Textarea(TEXT_INPUT | {"rows": 3, "placeholder": "Team=Storage"}),
        help_text=TAGS_HELP,
    )
    profile = forms.BooleanField(
        label="Make an instance profile of the same name and put the role into it",
        required=False,
        widget=forms.CheckboxInput(_TICK),
        help_text="A machine is given an instance profile; through it, its applications get the role.",
    )

    def __init__(
        self, data: Any = None, *, initial: Mapping[str, Any] | None = None, for_machine: bool = False
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        if not for_machine:
            del self.fields["profile"]

    def clean_name(self) -> str:
        return cleaned_name(self.cleaned_data["name"], NAME_LIMIT, "role name")

    def clean_hours(self) -> int:
        return int(self.cleaned_data["hours"])

    def clean_path(self) -> str:
        path = cleaned_path(self.cleaned_data["path"])
        if path.startswith("/aws-service-role/"):
            raise ValidationError("The path /aws-service-role/ is kept for service-linked roles.")
        return path

    def clean_description(self) -> str:
        description: str = self.cleaned_data["description"].replace("\r\n", "\n")
        return description

    def clean_tags(self) -> dict[str, str]:
        text = self.cleaned_data["tags"]
        if len(text.encode()) > _TAGS_LENGTH:
            raise ValidationError("That is a lot of text for this step: add the longer tags later, on the Tags tab.")
        return tags_of_text(text)
