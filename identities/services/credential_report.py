"""The credential report: one line for root and each user, on passwords, keys, devices and certificates.

Columns, order and words follow the user guide (id_credentials_getting-report) and what AWS's own reports look like.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Account, PasswordPolicy, RootUser
from audit import clock
from audit.errors import ServiceError
from audit.principal import Principal
from audit.services import record
from database.batch import QueryBatch, Rows, by_first
from database.prepared import Param
from identities.models import AccessKey, CredentialReport, MFADevice, SigningCertificate, User
from identities.models.credentials import KeyStatus
from identities.models.users import user_arn

# How long a report is handed out before a new one has to be asked for.
LIFETIME = timedelta(hours=4)

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
    found = _CREDENTIALS.rows(account_id=account.id)
    credentials = _Credentials(found)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    ((root_used_at,),) = found["root"]
    writer.writerow(_root_row(account, root_used_at, credentials))
    max_age = next((days for (days,) in found["policy"]), 0)
    writer.writerows(_user_row(account.id, facts, max_age, credentials) for facts in found["users"])
    return text.getvalue().removesuffix("\n")


def _of_account(model: type[Any], *facts: str, **only: Any) -> Callable[[], QuerySet[Any, Any]]:
    return partial(model.objects.filter(account_id=Param("account_id"), **only).values_list, *facts)


def _users() -> QuerySet[Any, Any]:
    facts = ("pk", "name", "path", "created_at", "password_last_used_at", "login_profile__password_changed_at")
    return User.objects.filter(account_id=Param("account_id")).order_by("name_key").values_list(*facts)


_KEY = ("created_at", "slot", "status", "status_changed_at", "last_used_at", "last_used_region", "last_used_service")
_CERTIFICATE = ("uploaded_at", "slot", "status", "status_changed_at")
# In one statement, so that the report is a picture of one moment. Whose a row is, stands first: None is root.
_CREDENTIALS = QueryBatch(
    {
        "root": _of_account(RootUser, "password_last_used_at"),
        "policy": _of_account(PasswordPolicy, "max_password_age"),
        "users": _users,
        "devices": _of_account(MFADevice, "user_id", enabled_at__isnull=False),
        "keys": _of_account(AccessKey, "user_id", *_KEY),
        "certificates": _of_account(SigningCertificate, "user_id", *_CERTIFICATE),
    }
)


class _Credentials:
    """Who has what of an account, by user; root is None."""

    def __init__(self, found: Mapping[str, Rows]) -> None:
        self._devices = {owner for (owner,) in found["devices"]}
        self._keys, self._certificates = by_first(found["keys"]), by_first(found["certificates"])

    def columns(self, owner: int | None) -> Iterator[str]:
        """From mfa_active to the last."""
        yield _word(owner in self._devices)
        yield from _keys(self._keys.get(owner, []))
        yield from _certificates(self._certificates.get(owner, []))


def _root_row(account: Account, used_at: datetime | None, credentials: _Credentials) -> list[str]:
    return [
        "<root_account>",
        account.root_arn,
        _date(account.created_at),
        "not_supported",
        _date(used_at, "no_information"),
        "not_supported",
        "not_supported",
        *credentials.columns(None),
    ]


def _user_row(account_id: str, facts: tuple[Any, ...], max_age: int, credentials: _Credentials) -> list[str]:
    key, name, path, created_at, used_at, changed_at = facts
    return [
        name,
        user_arn(account_id, path, name),
        _date(created_at),
        *_password(used_at, changed_at, max_age),
        *credentials.columns(key),
    ]


def _password(used_at: datetime | None, changed_at: datetime | None, max_age: int) -> list[str]:
    """Whether there is one, when it was used and changed, and when it has to be changed."""
    if changed_at is None:
        return ["false", "N/A", "N/A", "N/A"]
    due = changed_at + timedelta(days=max_age) if max_age else None
    return ["true", _date(used_at, "no_information"), _date(changed_at), _date(due)]


def _keys(keys: Rows) -> Iterator[str]:
    """Five columns each for the older and the newer key; a key that is off keeps its dates."""
    rows = sorted(keys)[:2]
    for created_at, _, status, changed_at, used_at, region, service in rows:
        yield _word(status == KeyStatus.ACTIVE)
        yield _date(max(created_at, changed_at))
        yield _date(used_at)
        yield region or "N/A"
        yield service or "N/A"
    for _ in range(2 - len(rows)):
        yield from ("false", "N/A", "N/A", "N/A", "N/A")


def _certificates(certificates: Rows) -> Iterator[str]:
    rows = sorted(certificates)[:2]
    for uploaded_at, _, status, changed_at in rows:
        yield _word(status == KeyStatus.ACTIVE)
        yield _date(max(uploaded_at, changed_at))
    for _ in range(2 - len(rows)):
        yield from ("false", "N/A")


def _date(moment: datetime | None, otherwise: str = "N/A") -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else otherwise


def _word(fact: bool) -> str:
    return "true" if fact else "false"
