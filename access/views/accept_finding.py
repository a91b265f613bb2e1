"""Accepting a finding for a while, and taking that back."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from access.forms.security_findings import AcceptFindingForm
from access.self_check import accepting
from access.self_check.checks import READS
from access.self_check.report import Found, Report
from access.views.security_findings import ACCEPT, REOPEN, panels_of, report_for, row_of
from audit.actions import requires
from audit.errors import EntityAlreadyExists, ServiceError
from audit.http import ConsoleRequest


@requires(ACCEPT, creates=True, also=READS)
@require_http_methods(["GET", "HEAD", "POST"])
def accept_finding(request: ConsoleRequest, finding_id: str) -> HttpResponse:
    report, found = _found(request, finding_id)
    request.gate.require(ACCEPT, accepting.arn_of(found, report.account_id))
    if found.accepted is not None:
        raise EntityAlreadyExists("Somebody has accepted this finding already.")
    form = AcceptFindingForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        words = {"reason": form.cleaned_data["reason"], "until": form.until_moment}
        try:
            accepting.accept_finding(by=request.principal, found=found, **words)
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            until = form.cleaned_data["until"]
            messages.success(request, f"The finding about {found.finding.subject} is accepted until {until:%Y-%m-%d}.")
            return redirect("access:security-findings")
    return render(request, "access/accept_finding.html", {"form": form, "row": row_of(request, report, found)})


@requires(REOPEN, creates=True, also=READS)
@require_POST
def reopen_finding(request: ConsoleRequest, finding_id: str) -> HttpResponse:
    report, found = _found(request, finding_id)
    request.gate.require(REOPEN, accepting.arn_of(found, report.account_id))
    accepting.reopen_finding(by=request.principal, found=found)
    messages.success(request, f"The finding about {found.finding.subject} is open again.")
    return redirect("access:security-findings")


def _found(request: ConsoleRequest, finding_id: str) -> tuple[Report, Found]:
    """Among what the reader may see: whether there is such a finding is told to nobody else."""
    report = report_for(request, panels_of(request))
    if found := report.find(finding_id):
        return report, found
    raise Http404("There is no such finding, or not any more.")
