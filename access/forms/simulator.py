"""What is to be simulated: actions, resources, documents, values of condition keys; one per line."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from access.simulation_inputs import LONGEST_VALUE
from policies.engine.catalog import BUILT_IN, Catalog

MOST_ACTIONS = 60
MOST_RESOURCES = 20
MOST_CELLS = 400
_LINES = {"class": "form-control document-text", "spellcheck": "false", "autocomplete": "off"}


def _lines(text: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


class TextField(forms.CharField):
    """Line ends as the browser sends them are made the usual ones, so that lines are counted as everywhere."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


def _documents(label: str, help_text: str, *, required: bool = False, rows: int = 6) -> TextField:
    return TextField(
        label=label,
        required=required,
        max_length=400_000,
        widget=forms.Textarea({**_LINES, "rows": rows}),
        help_text=help_text,
    )


class SimulationForm(forms.Form):
    """Shared by both ways: the policies of somebody, or documents brought along."""

    actions = forms.CharField(
        label="Actions",
        max_length=20_000,
        widget=forms.Textarea({**_LINES, "rows": 4, "data-lines": ""}),
        help_text="One per line, such as s3:GetObject. With * all that the catalogue knows: iam:List*.",
        error_messages={"required": "Write at least one action, such as iam:GetUser."},
    )
    resources = forms.CharField(
        label="Resources",
        required=False,
        max_length=40_000,
        widget=forms.Textarea({**_LINES, "rows": 4}),
        help_text="One ARN per line. Leave it empty to ask about all resources (*).",
    )
    context = forms.CharField(
        label="More condition keys",
        required=False,
        max_length=40_000,
        widget=forms.Textarea({**_LINES, "rows": 2}),
        help_text="One per line, key = value. A key that stands on several lines has several values.",
    )
    session = _documents("Session policy", "Limits the session: both it and the policies have to allow.")
    boundary = _documents("Permissions boundary", "Takes the place of the boundary that is set.")
    resource_policy = _documents(
        "Policy of the resource", "For a role that you may read, its trust policy is asked anyway."
    )

    def __init__(self, *words: Any, catalog: Catalog = BUILT_IN, **more: Any) -> None:
        super().__init__(*words, **more)
        self.catalog = catalog

    def clean_actions(self) -> list[str]:
        found: dict[str, None] = {}
        for line in _lines(self.cleaned_data["actions"]):
            found.update(dict.fromkeys(_named(line, self.catalog)))
        if len(found) > MOST_ACTIONS:
            raise ValidationError(f"These are {len(found)} actions; at most {MOST_ACTIONS} are simulated at once.")
        return list(found)

    def clean_resources(self) -> list[str]:
        found = _lines(self.cleaned_data["resources"]) or ["*"]
        if len(found) > MOST_RESOURCES:
            raise ValidationError(f"These are {len(found)} resources; at most {MOST_RESOURCES} are simulated at once.")
        wrong = next((line for line in found if line != "*" and not line.startswith("arn:")), None)
        if wrong is not None:
            raise ValidationError(f"“{wrong[:80]}” is neither an ARN nor *.")
        return found

    def clean_context(self) -> dict[str, tuple[str, ...]]:
        values: dict[str, tuple[str, ...]] = {}
        for line in _lines(self.cleaned_data["context"]):
            key, sign, value = line.partition("=")
            if not sign or ":" not in key:
                raise ValidationError(f"“{line[:80]}” is not of the form key = value, with a key such as aws:SourceIp.")
            if len(value) > LONGEST_VALUE:
                raise ValidationError(f"The value of “{key[:80]}” has more than {LONGEST_VALUE} characters.")
            values[key.strip()] = (*values.get(key.strip(), ()), value.strip())
        return values

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        cells = len(data.get("actions", ())) * len(data.get("resources", ()))
        if cells > MOST_CELLS:
            raise ValidationError(f"These are {cells} decisions; at most {MOST_CELLS} are simulated at once.")
        return data


def _named(line: str, catalog: Catalog) -> list[str]:
    """The actions that a line names. A pattern is looked up; a plain name may be one that nobody knows."""
    service, _, name = line.partition(":")
    if not service or not name or " " in line:
        raise ValidationError(f"“{line[:80]}” is no action. Write service:Action, such as iam:GetUser.")
    if "*" not in line and "?" not in line:
        return [line]
    found = sorted(action.full_name for action in catalog.matching(line))
    if not found:
        raise ValidationError(f"The catalogue knows no action that fits “{line[:80]}”.")
    return found


class PrincipalForm(SimulationForm):
    principal = forms.CharField(
        label="Whose policies",
        max_length=2048,
        widget=forms.TextInput({"class": "form-control", "list": "principals", "autocomplete": "off"}),
        help_text="The name of a user, or the ARN of a user, group or role.",
        error_messages={"required": "Choose whose policies are asked."},
    )
    field_order = ("principal",)


class CustomForm(SimulationForm):
    documents = _documents("Policies", "One document, or several with a line --- between them.", required=True, rows=12)
    caller = forms.CharField(
        label="As which user",
        required=False,
        max_length=2048,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
        help_text="The ARN of a user, for ${aws:username} and for policies of resources. The user need not exist.",
    )
    field_order = ("documents", "caller")

    def clean_documents(self) -> list[str]:
        texts: list[list[str]] = [[]]
        for line in self.cleaned_data["documents"].split("\n"):
            if line.strip() == "---":
                texts.append([])
            else:
                texts[-1].append(line)
        return [text for lines in texts if (text := "\n".join(lines)).strip()]
