"""Security findings: what the account's self-check says, as far as the reader may read what it looks at."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from access.self_check.accepting import arn_of
from access.self_check.checks import CHECKS, READS
from access.self_check.downloads import as_csv, as_json
from access.self_check.finding import KINDS, SEVERITIES, Check
from access.self_check.report import Found, Report, make_report
from audit.actions import signed_in
from audit.http import ConsoleRequest
from identities.panels import Panel, panel

ACCEPT, REOPEN = "iamconsole:AcceptFinding", "iamconsole:ReopenFinding"
ROWS, FIRST = 50, 3
OPEN_TO_ALL = "everybody may look; each check is shown to those only who may read what it looks at"


@dataclass(frozen=True, slots=True)
class Row:
    """One finding as the page shows it: with the page on which it is mended, and what the reader may do about it."""

    found: Found
    id: str
    link: str
    may_accept: bool
    may_reopen: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one check. `count` counts all that are open, of which `rows` may be the first."""

    check: Check
    rows: Sequence[Row]
    count: int


@signed_in(OPEN_TO_ALL, also=(*READS, ACCEPT, REOPEN))
@require_safe
def security_findings(request: ConsoleRequest) -> HttpResponse:
    panels = panels_of(request)
    report = report_for(request, panels)
    words = _words(request)
    shows_accepted = request.GET.get("show") == "accepted"
    found = [each for each in (report.accepted if shows_accepted else report.open) if _fits(each, words)]
    page = None
    if shows_accepted or words["q"] or words["check"]:
        page = Paginator(found, ROWS).get_page(request.GET.get("page"))
    context = {
        **words,
        "report": report,
        "shows_accepted": shows_accepted,
        "page": page,
        "groups": list(_groups(request, report, found, page)),
        "sound": [check for check, rows in report.by_check() if not rows],
        "kinds": KINDS.items(),
        "severities": SEVERITIES,
        "filtered": any(words.values()),
        "not_shown": len(CHECKS) - len(report.checked),
        "missing": [each for each in panels.values() if not each.allowed],
    }
    return render(request, "access/security_findings.html" + ("#found" if request.htmx else ""), context)


@signed_in(OPEN_TO_ALL, also=READS)
@require_safe
def count_security_findings(request: ConsoleRequest) -> HttpResponse:
    """The numbers beside the dashboard's link, so that the dashboard waits for no self-check."""
    report = report_for(request, panels_of(request))
    return render(request, "access/count_security_findings.html", {"report": report})


@signed_in(OPEN_TO_ALL, also=READS)
@require_safe
def security_findings_csv(request: ConsoleRequest) -> HttpResponse:
    report = report_for(request, panels_of(request))
    return HttpResponse(as_csv(report), content_type="text/csv; charset=utf-8", headers=_attached(report, "csv"))


@signed_in(OPEN_TO_ALL, also=READS)
@require_safe
def security_findings_json(request: ConsoleRequest) -> HttpResponse:
    report = report_for(request, panels_of(request))
    return JsonResponse(as_json(report), headers=_attached(report, "json"))


def panels_of(request: ConsoleRequest) -> dict[str, Panel]:
    return {action: panel(request.gate, action, "*") for action in READS}


def report_for(request: ConsoleRequest, panels: dict[str, Panel]) -> Report:
    allowed = {action for action, asked in panels.items() if asked.allowed}
    return make_report(request.principal.account_id, allowed)


def row_of(request: ConsoleRequest, report: Report, found: Found) -> Row:
    arn = arn_of(found, report.account_id)
    return Row(
        found,
        found.id_in(report.account_id),
        reverse(found.finding.link[0], args=found.finding.link[1:]),
        found.accepted is None and request.gate.may(ACCEPT, arn).allowed,
        found.accepted is not None and request.gate.may(REOPEN, arn).allowed,
    )


def _attached(report: Report, kind: str) -> dict[str, str]:
    name = f"security-findings_{report.account_id}_{report.at:%Y-%m-%dT%H-%M-%SZ}.{kind}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _words(request: ConsoleRequest) -> dict[str, str]:
    """What is looked for; a word that means nothing is left out."""
    known: dict[str, Iterable[str]] = {
        "severity": SEVERITIES,
        "kind": KINDS,
        "check": (check.code for check in CHECKS),
    }
    words = {name: value if (value := request.GET.get(name, "")) in names else "" for name, names in known.items()}
    return {**words, "q": request.GET.get("q", "").strip()[:128]}


def _fits(found: Found, words: dict[str, str]) -> bool:
    check = found.check
    if any(words[name] not in ("", value) for name, value in _names(check)):
        return False
    wanted = words["q"].lower()
    return not wanted or wanted in found.finding.subject.lower() or wanted in check.title.lower()


def _names(check: Check) -> tuple[tuple[str, str], ...]:
    return (("severity", check.severity), ("kind", check.kind), ("check", check.code))


def _groups(request: ConsoleRequest, report: Report, found: Sequence[Found], page: Any) -> Iterator[Group]:
    """The findings of a page by check; without a page, the first of each check."""
    counts = {check.code: len(rows) for check, rows in report.by_check()}
    for check, members in groupby(found if page is None else page, key=lambda each: each.check):
        shown = list(members) if page is not None else [each for each, _ in zip(members, range(FIRST), strict=False)]
        yield Group(check, [row_of(request, report, each) for each in shown], counts[check.code])
