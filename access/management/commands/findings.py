import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from access.self_check.checks import READS
from access.self_check.downloads import as_json
from access.self_check.finding import SEVERITIES
from access.self_check.report import Report, make_report
from accounts.models import Account

_EVERY_DOCUMENT = sys.maxsize


class Command(BaseCommand):
    help = (
        "Check an account and list its open security findings, the gravest first. The exit status is 1 when one is as "
        "grave as --fail-on says, so that a nightly job notices."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account_id", help="12-digit account id")
        parser.add_argument("--json", action="store_true", help="the same as the file of the page")
        parser.add_argument("--fail-on", choices=SEVERITIES, default="high", help="default: high")

    def handle(self, *args: Any, **options: Any) -> None:
        if not Account.objects.filter(pk=options["account_id"]).exists():
            raise CommandError(f"There is no account {options['account_id']}.", returncode=2)
        report = make_report(options["account_id"], READS, most=_EVERY_DOCUMENT)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(report), indent=2))
        else:
            self._list(report)
        grave = SEVERITIES[: SEVERITIES.index(options["fail_on"]) + 1]
        if any(each.check.severity in grave for each in report.open):
            sys.exit(1)

    def _list(self, report: Report) -> None:
        for each in report.open:
            severity, finding = each.check.severity, each.finding
            self.stdout.write(
                f"{severity:<9} {each.check.code:<20} {finding.what} {finding.subject}: {finding.sentence}"
            )
        accepted = f", {len(report.accepted)} accepted for a while" if report.accepted else ""
        self.stdout.write(f"{len(report.open)} open findings of {len(report.checked)} checks{accepted}.")
