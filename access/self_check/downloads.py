"""The findings as files: CSV for people, JSON for programs."""

import csv
import io
from typing import Any

from access.self_check.report import Found, Report
from identities.credential_files import text_cell

COLUMNS = (
    "severity",
    "check",
    "title",
    "subject_type",
    "subject",
    "finding",
    "remedy",
    "accepted_until",
    "accepted_by",
    "reason",
)


def as_csv(report: Report) -> str:
    """Names and reasons are never formulas."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for each in (*report.open, *report.accepted):
        facts = _facts(each)
        writer.writerow([text_cell(str(facts[column])) for column in COLUMNS])
    return text.getvalue()


def as_json(report: Report) -> dict[str, Any]:
    return {
        "account": report.account_id,
        "checked_at": report.at.isoformat(),
        "checks": [check.code for check in report.checked],
        "documents_not_looked_at": report.unread,
        "findings": [_facts(each) for each in (*report.open, *report.accepted)],
    }


def _facts(found: Found) -> dict[str, str]:
    check, finding, accepted = found.check, found.finding, found.accepted
    return {
        "severity": check.severity,
        "check": check.code,
        "title": check.title,
        "subject_type": finding.what,
        "subject": finding.subject,
        "finding": finding.sentence,
        "remedy": check.remedy,
        "accepted_until": accepted.until.isoformat() if accepted else "",
        "accepted_by": accepted.accepted_by if accepted else "",
        "reason": accepted.reason if accepted else "",
    }
