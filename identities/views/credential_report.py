"""The credential report: what it says in short, and the file."""

import csv
import io
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from audit import clock
from audit.actions import requires
from audit.http import ConsoleRequest
from identities.credential_files import text_cell
from identities.models import CredentialReport
from identities.services import credential_report

GENERATE = "iam:GenerateCredentialReport"
OLD = timedelta(days=90)
NAMED = 20
Row = Mapping[str, str]


@requires("iam:GetCredentialReport", also=(GENERATE,))
@require_safe
def get_credential_report(request: ConsoleRequest) -> HttpResponse:
    report = CredentialReport.objects.filter(account_id=request.principal.account_id).first()
    is_fresh = report is not None and clock.now() - report.generated_at < credential_report.LIFETIME
    context = {
        "report": report if is_fresh else None,
        "findings": findings(report.content, report.generated_at) if report and is_fresh else [],
        "may_generate": request.gate.may(GENERATE, "*").allowed,
        "columns": credential_report.COLUMNS,
    }
    return render(request, "identities/credential_report.html", context)


@requires(GENERATE)
@require_POST
def generate_credential_report(request: ConsoleRequest) -> HttpResponse:
    _, why = credential_report.generate_credential_report(by=request.principal)
    messages.success(request, "The report is made." if why else "There is a report of the last four hours already.")
    return redirect("identities:get-credential-report")


@requires("iam:GetCredentialReport")
@require_safe
def get_credential_report_file(request: ConsoleRequest) -> HttpResponse:
    report = credential_report.get_credential_report(request.principal.account_id)
    name = f"status_reports_{report.generated_at:%Y-%m-%dT%H-%M-%SZ}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(for_spreadsheets(report.content), content_type="text/csv; charset=utf-8", headers=headers)


def for_spreadsheets(content: str) -> str:
    """The report as people open it: a user's name is never a formula. Programs get it by the API, as it is."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [text_cell(name), *facts] for name, *facts in csv.reader(io.StringIO(content))
    )
    return text.getvalue()


def findings(content: str, made_at: datetime) -> list[dict[str, object]]:
    """What to look at first, each with how many it is true of and the first of their names."""
    rows = list(csv.DictReader(io.StringIO(content)))
    checks: list[tuple[str, Callable[[Row], bool]]] = [
        ("A password and no MFA", _without_mfa),
        (
            "An active access key older than 90 days",
            lambda row: any(_is_old(row, number, made_at) for number in (1, 2)),
        ),
        ("An active access key that was never used", lambda row: any(_is_unused(row, number) for number in (1, 2))),
        ("A password not used for 90 days", lambda row: _is_idle(row, made_at)),
    ]
    found = [(title, [row["user"] for row in rows if check(row)]) for title, check in checks]
    return [{"title": title, "count": len(names), "names": names[:NAMED]} for title, names in found]


def _without_mfa(row: Row) -> bool:
    has_password = _says_yes(row, "password_enabled") or row["user"] == "<root_account>"
    return has_password and not _says_yes(row, "mfa_active")


def _is_old(row: Row, number: int, made_at: datetime) -> bool:
    key = f"access_key_{number}"
    return _says_yes(row, f"{key}_active") and made_at - _moment(row[f"{key}_last_rotated"]) > OLD


def _is_unused(row: Row, number: int) -> bool:
    return _says_yes(row, f"access_key_{number}_active") and row[f"access_key_{number}_last_used_date"] == "N/A"


def _is_idle(row: Row, made_at: datetime) -> bool:
    """A password that was never used counts from the day it was set."""
    if not _says_yes(row, "password_enabled"):
        return False
    used = row["password_last_used"]
    since = row["password_last_changed"] if used == "no_information" else used
    return made_at - _moment(since) > OLD


def _says_yes(row: Row, column: str) -> bool:
    return row[column] == "true"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
