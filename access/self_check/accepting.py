"""Accepting a finding for a while: it is not told until then, and comes back afterwards."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from access.models import AcceptedFinding
from access.self_check.report import Found
from audit import clock
from audit.errors import EntityAlreadyExists, NoSuchEntity, ValidationError
from audit.principal import Principal
from audit.services import record

LONGEST = timedelta(days=366)
LONGEST_REASON = 500


def finding_arn(account_id: str, code: str, finding_id: str) -> str:
    return f"arn:aws:iamconsole::{account_id}:finding/{code}/{finding_id}"


def arn_of(found: Found, account_id: str) -> str:
    return finding_arn(account_id, found.check.code, found.id_in(account_id))


@transaction.atomic
def accept_finding(*, by: Principal, found: Found, reason: str, until: datetime) -> AcceptedFinding:
    """Suppress a finding until a moment, at most a year from now. Raises ValidationError, EntityAlreadyExists."""
    now, reason = clock.now(), reason.strip()
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise ValidationError(f"Give a reason of 1 to {LONGEST_REASON} characters.", field="reason")
    if not now < until <= now + LONGEST:
        raise ValidationError("Choose today or a later day, at most a year from now.", field="until")
    AcceptedFinding.objects.filter(account_id=by.account_id, until__lte=now).delete()
    row = AcceptedFinding(
        account_id=by.account_id,
        code=found.check.code,
        key=found.finding.key,
        reason=reason,
        until=until,
        accepted_by=by.arn,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise EntityAlreadyExists("Somebody has accepted this finding already.") from error
    record(by, "iamconsole:AcceptFinding", arn_of(found, by.account_id), after=_facts(found, row))
    return row


@transaction.atomic
def reopen_finding(*, by: Principal, found: Found) -> None:
    """Tell an accepted finding again before its time. Raises NoSuchEntity."""
    rows = AcceptedFinding.objects.select_for_update()
    row = rows.filter(account_id=by.account_id, code=found.check.code, key=found.finding.key).first()
    if row is None:
        raise NoSuchEntity("Nobody has accepted this finding, or it was taken back already.")
    row.delete()
    record(by, "iamconsole:ReopenFinding", arn_of(found, by.account_id), before=_facts(found, row))


def _facts(found: Found, row: AcceptedFinding) -> dict[str, str]:
    return {
        "check": found.check.code,
        "subject": f"{found.finding.what} {found.finding.subject}",
        "reason": row.reason,
        "until": row.until.isoformat(),
        "accepted_by": row.accepted_by,
    }
