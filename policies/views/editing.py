"""What every page with a document editor has: findings with their lines, and the size against the quota."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django import forms
from django.forms import BoundField
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from audit.actions import requires
from audit.errors import ServiceError
from audit.http import ConsoleRequest
from policies.documents import DocumentRefused, findings_of
from policies.engine import DocumentKind, Finding, size
from policies.forms import ValidateForm
from policies.views.catalog import catalog_for
from policies.visual import MARKER
from policies.visual_panels import OFFERED, OPERATOR_GROUPS, StatementPanel, panels_of

VALIDATE = "access-analyzer:ValidatePolicy"
# The buttons that go over to the other view, or change the visual one, have this name.
SWITCH = "editor"

Form = TypeVar("Form", bound=forms.Form)


@dataclass(frozen=True, slots=True)
class Editor:
    """`used` are the characters that other documents have taken of the same quota. `panels` are the visual view, where
    it is wanted and the document has one; `text` is the document as it is now."""

    field: BoundField
    limit: int
    used: int
    size: int
    findings: Sequence[Finding]
    may_validate: bool
    kind: DocumentKind = "identity"
    panels: Sequence[StatementPanel] | None = None
    wants_visual: bool = False

    @property
    def text(self) -> str:
        return self.field.value() or ""

    @property
    def total(self) -> int:
        return self.used + self.size

    @property
    def operators(self) -> Sequence[tuple[str, Sequence[str]]]:
        return OPERATOR_GROUPS

    @property
    def offered_operators(self) -> Collection[str]:
        return OFFERED

    @property
    def by_fields(self) -> bool:
        """Whether the visual view is shown, or asks."""
        return self.panels is not None

    @property
    def errors(self) -> int:
        return sum(finding.severity == "error" for finding in self.findings)


def editor(
    request: ConsoleRequest,
    form: forms.Form,
    limit: int,
    *,
    used: int = 0,
    findings: Sequence[Finding] | None = None,
    kind: DocumentKind = "identity",
) -> Editor:
    """The editor of a form's document. `findings` are those of a refusal; else the text is looked at here, if the
    caller may have documents checked."""
    may_validate = request.gate.may(VALIDATE, "*").allowed
    text = form["document"].value() or ""
    if findings is None:
        account_id = request.principal.account_id
        findings = findings_of(text, kind, account_id=account_id) if may_validate and text else ()
    visual = wants_visual(request)
    panels = panels_of(text, request.POST, catalog_for(request)) if visual else None
    return Editor(form["document"], limit, used, size(text), findings, may_validate, kind, panels, visual)


def wants_visual(request: ConsoleRequest) -> bool:
    """The visual view was asked for, or the form came from it and nobody asked for the text."""
    asked = request.POST.get(SWITCH, "")
    return asked in ("visual", "add") or (MARKER in request.POST and asked != "text")


def kept(request: ConsoleRequest, form: Form) -> Form:
    """The form itself, or, when somebody only went over to the other view, one that holds what was typed so far."""
    if request.method != "POST" or SWITCH not in request.POST:
        return form
    return type(form)(initial={name: form[name].data for name in form.fields})


def refuse_on_form(form: forms.Form, error: ServiceError) -> Sequence[Finding] | None:
    """Put a service's refusal at its field. Returns the findings when it was about the document's content."""
    field = error.field if error.field in form.fields else None
    if not isinstance(error, DocumentRefused):
        form.add_error(field, error.message)
        return None
    errors = sum(finding.severity == "error" for finding in error.findings)
    what = "One thing has" if errors == 1 else f"{errors} things have"
    form.add_error(field, f"The document was not saved. {what} to be changed; they are listed below the document.")
    return error.findings


def typed(form: forms.Form) -> dict[str, str]:
    """What somebody typed, for showing the form again with something of it changed."""
    return {name: form[name].data for name in form.fields if name in form.data}


@requires(VALIDATE)
@require_POST
def validate_policy(request: ConsoleRequest) -> HttpResponse:
    form = ValidateForm(request.POST)
    form.is_valid()
    text = form.cleaned_data.get("document", "")
    kind: DocumentKind = "trust" if form.cleaned_data.get("kind") == "trust" else "identity"
    shown = Editor(
        field=form["document"],
        limit=form.cleaned_data.get("limit") or 0,
        used=form.cleaned_data.get("used") or 0,
        size=size(text),
        findings=findings_of(text, kind, account_id=request.principal.account_id) if text.strip() else (),
        may_validate=True,
        panels=() if MARKER in request.POST else None,
        kind=kind,
    )
    return render(request, "policies/findings.html", {"editor": shown})
