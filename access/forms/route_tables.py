from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from access.route_tables import NAME_LIMIT
from access.routes import LONGEST_TABLE, RouteProblem, parse_routes
from accounts.form_fields import TEXT_INPUT, cleaned_name

_TEXT = {**TEXT_INPUT, "autocapitalize": "none"}
_METHODS = [(name, name) for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")]


class RouteTableForm(forms.Form):
    """`seen` is the digest of what the page showed when it was opened."""

    signing_name = forms.CharField(
        label="Name in signatures",
        max_length=64,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*$", "Use small letters, digits and hyphens.")],
        widget=forms.TextInput(_TEXT),
        help_text="The service that clients name in their signatures, such as orders. One for another is refused.",
    )
    routes = forms.CharField(
        label="Routes",
        required=False,
        max_length=LONGEST_TABLE,
        strip=False,
        widget=forms.Textarea({"class": "form-control secret", "rows": 10, "spellcheck": "false", "wrap": "off"}),
        help_text="One per line: methods, host, path, action, resource. {name} stands for one part of the path, "
        "{name...} at the end for all the rest, {account} for this account. The first line that fits decides; "
        "what no line fits is refused. # begins a remark.",
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def clean_routes(self) -> str:
        text: str = self.cleaned_data["routes"].replace("\r\n", "\n")
        try:
            parse_routes(text)
        except RouteProblem as problem:
            raise ValidationError(str(problem)) from problem
        return text


class NewRouteTableForm(RouteTableForm):
    name = forms.CharField(
        label="Name",
        max_length=NAME_LIMIT,
        widget=forms.TextInput(_TEXT),
        help_text="What it protects, such as orders-api.",
    )
    field_order = ("name", "signing_name", "routes")

    def clean_name(self) -> str:
        return cleaned_name(self.cleaned_data["name"], NAME_LIMIT, "name of a route table")


class TryRouteForm(forms.Form):
    """A request that was not made, to see what the table makes of it."""

    method = forms.ChoiceField(label="Method", choices=_METHODS, widget=forms.Select({"class": "form-select"}))
    host = forms.CharField(label="Host", max_length=255, widget=forms.TextInput(_TEXT))
    path = forms.CharField(label="Path", max_length=2048, widget=forms.TextInput(_TEXT))
    user = forms.CharField(
        label="As the user (optional)",
        required=False,
        max_length=64,
        widget=forms.TextInput(_TEXT),
        help_text="Shows the decision, too. Takes iam:SimulatePrincipalPolicy on that user.",
    )

    def clean_path(self) -> str:
        return str(self.cleaned_data["path"]).partition("?")[0]
