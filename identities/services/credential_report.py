"""The credential report: one line for root and each user, on passwords, keys, devices and certificates.

Columns, order and words follow the user guide (id_credentials_getting-report) and what AWS's own reports look like.
"""

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import transaction

from accounts.models import Account, PasswordPolicy
from audit import clock
from audit.errors import ServiceError
from audit.principal import Principal
from audit.services import record
from identities.models import AccessKey, CredentialReport, SigningCertificate, User

# How long a report is handed out before a new one has to be asked for.
LIFETIME = timedelta(hours=4)
# Users are read in portions, so that an account of any size fits into memory.
_PORTION = 500

_KEY_COLUMNS = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
COLUMNS = (
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    *(f"access_key_{number}_{column}" for number in (1, 2) for column in _KEY_COLUMNS),
    *(f"cert_{number}_{column}" for number in (1, 2) for column in ("active", "last_rotated")),
)


class ReportNotPresent(ServiceError):
    """Nobody asked for a report yet."""

    code: ClassVar[str] = "ReportNotPresent"


class ReportExpired(ServiceError):
    """The report is older than four hours."""

    code: ClassVar[str] = "ReportExpired"


@transaction.atomic
def generate_credential_report(*, by: Principal) -> tuple[CredentialReport, str]:
    """Make a report, unless there is one of the last four hours. Returns it, and why a new one was made ('' if not)."""
    # The lock lets two who ask at once have one report.
    account = Account.objects.select_for_update().get(pk=by.account_id)
    present = CredentialReport.objects.filter(account=account).first()
    if present is not None and not _is_old(present):
        return present, ""
    report = CredentialReport(account=account, content=_content(account), generated_at=clock.now())
    report.save(force_insert=present is None, force_update=present is not None)
    record(by, "iam:GenerateCredentialReport", account.root_arn)
    why = "Report expired" if present else "No report exists"
    return report, f"{why}. Starting a new report generation task"


def get_credential_report(account_id: str) -> CredentialReport:
    """Raises ReportNotPresent, ReportExpired."""
    report = CredentialReport.objects.filter(account_id=account_id).first()
    if report is None:
        raise ReportNotPresent("No report is present. Use GenerateCredentialReport to make one.")
    if _is_old(report):
        raise ReportExpired("The report is older than four hours. Use GenerateCredentialReport to make a new one.")
    return report


def _is_old(report: CredentialReport) -> bool:
    return clock.now() - report.generated_at >= LIFETIME


def _content(account: Account) -> str:
    """Lines end with a line feed, the last one with nothing."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerow(_root_row(account))
    writer.writerows(_user_rows(account))
    return text.getvalue().removesuffix("\n")


def _root_row(account: Account) -> list[str]:
    root = account.root_user
    return [
        "<root_account>",
        account.root_arn,
        _date(account.created_at),
        "not_supported",
        _date(root.password_last_used_at, "no_information"),
        "not_supported",
        "not_supported",
        _word(account.mfa_devices.filter(user=None, enabled_at__isnull=False).exists()),
        *_keys(list(account.access_keys.filter(user=None))),
        *_certificates(list(account.signing_certificates.filter(user=None))),
    ]


def _user_rows(account: Account) -> Iterator[list[str]]:
    policy = PasswordPolicy.objects.filter(account=account).first()
    max_age = policy.max_password_age if policy else 0
    users = User.objects.filter(account=account).select_related("login_profile").order_by("name_key")
    related = ("access_keys", "signing_certificates", "mfa_devices")
    for user in users.prefetch_related(*related).iterator(chunk_size=_PORTION):
        yield _user_row(user, max_age)


def _user_row(user: User, max_age: int) -> list[str]:
    return [
        user.name,
        user.arn,
        _date(user.created_at),
        *_password(user, max_age),
        _word(any(device.enabled_at for device in user.mfa_devices.all())),
        *_keys(list(user.access_keys.all())),
        *_certificates(list(user.signing_certificates.all())),
    ]


def _password(user: User, max_age: int) -> list[str]:
    """Whether there is one, when it was used and changed, and when it has to be changed."""
    profile = getattr(user, "login_profile", None)
    if profile is None:
        return ["false", "N/A", "N/A", "N/A"]
    changed = profile.password_changed_at
    due = changed + timedelta(days=max_age) if max_age else None
    return ["true", _date(user.password_last_used_at, "no_information"), _date(changed), _date(due)]


def _keys(keys: list[AccessKey]) -> Iterator[str]:
    """Five columns each for the older and the newer key; a key that is off keeps its dates."""
    rows = sorted(keys, key=lambda key: (key.created_at, key.slot))[:2]
    for key in rows:
        yield _word(key.is_active)
        yield _date(max(key.created_at, key.status_changed_at))
        yield _date(key.last_used_at)
        yield key.last_used_region or "N/A"
        yield key.last_used_service or "N/A"
    for _ in range(2 - len(rows)):
        yield from ("false", "N/A", "N/A", "N/A", "N/A")


def _certificates(certificates: list[SigningCertificate]) -> Iterator[str]:
    rows = sorted(certificates, key=lambda row: (row.uploaded_at, row.slot))[:2]
    for row in rows:
        yield _word(row.is_active)
        yield _date(max(row.uploaded_at, row.status_changed_at))
    for _ in range(2 - len(rows)):
        yield from ("false", "N/A")


def _date(moment: datetime | None, otherwise: str = "N/A") -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else otherwise


def _word(fact: bool) -> str:
    return "true" if fact else "false"
