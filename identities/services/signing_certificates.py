"""X.509 signing certificates of users and of root (`user` empty)."""

import secrets
from typing import ClassVar

from cryptography.hazmat.primitives import hashes
from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import Account
from accounts.slots import create_in_slot, lowest_free
from audit import clock
from audit.errors import InvalidInput, NoSuchEntity, ServiceError
from audit.principal import Principal
from audit.services import record
from identities.models import SigningCertificate, User
from identities.models.credentials import KeyStatus
from identities.public_keys import MalformedCertificate, check_dates, read_certificate
from identities.services.locks import locked_user_for_credentials, refuse_locked_down
from identities.services.notices import notify_change

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class DuplicateCertificate(ServiceError):
    """Somebody in the account has it already."""

    code: ClassVar[str] = "DuplicateCertificate"
    field = "body"


class InvalidCertificate(ServiceError):
    """A certificate, but not one that counts now."""

    code: ClassVar[str] = "InvalidCertificate"
    field = "body"


def upload_signing_certificate(*, by: Principal, user: User | None, body: str) -> SigningCertificate:
    """Give a certificate to a user, or to root where `user` is None; it is active at once.

    Raises MalformedCertificate, InvalidCertificate, DuplicateCertificate, LimitExceeded, EntityTemporarilyUnmodifiable.
    """
    return _upload(by, user, body, _fingerprint(body))


@transaction.atomic
def _upload(by: Principal, user: User | None, body: str, fingerprint: str) -> SigningCertificate:
    user = locked_user_for_credentials(user, "account__root_user") if user else None
    account = user.account if user else Account.objects.select_related("root_user").get(pk=by.account_id)

    def insert(slot: int) -> SigningCertificate:
        certificate_id = "".join(secrets.choice(_LETTERS) for _ in range(32))
        return SigningCertificate.objects.create(
            certificate_id=certificate_id,
            account=account,
            user=user,
            slot=slot,
            body=body.strip(),
            fingerprint=fingerprint,
        )

    siblings = SigningCertificate.objects.filter(account=account, user=user)
    quota = account.quota("signing_certificates")
    same_or_sibling = Q(fingerprint=fingerprint) | Q(user=user)
    taken = dict(SigningCertificate.objects.filter(same_or_sibling, account=account).values_list("fingerprint", "slot"))
    if fingerprint in taken:
        raise _duplicate()
    first = lowest_free(taken.values())
    try:
        row = create_in_slot(siblings, quota, insert, quota_name="CertificatesPerUser", first=first)
    except IntegrityError:
        _refuse_duplicate(account, fingerprint)
        raise
    record(by, "iam:UploadSigningCertificate", row.owner_arn, certificate_id=row.pk)
    _notify(by, row, f"The signing certificate {row.pk} was added")
    return row


@transaction.atomic
def update_signing_certificate(*, by: Principal, certificate: SigningCertificate, status: str) -> SigningCertificate:
    """Activate or deactivate a certificate. Raises InvalidInput, NoSuchEntity, EntityTemporarilyUnmodifiable."""
    if status not in KeyStatus.values:
        raise InvalidInput(f"“{status[:40]}” can't be set as status of a signing certificate: use Active or Inactive.")
    if status == KeyStatus.ACTIVE:
        refuse_locked_down(certificate.user)
    before, changed = certificate.status, {"status": status}
    if before != status:
        changed["status_changed_at"] = clock.now()  # type: ignore[assignment] # columns of two types
    if not SigningCertificate.objects.filter(pk=certificate.pk).update(**changed):
        raise no_such_certificate(certificate.pk)
    certificate.status = status
    record(
        by,
        "iam:UpdateSigningCertificate",
        certificate.owner_arn,
        certificate_id=certificate.pk,
        before=before,
        after=status,
    )
    return certificate


@transaction.atomic
def delete_signing_certificate(*, by: Principal, certificate: SigningCertificate) -> None:
    """Take a certificate away for good. Raises NoSuchEntity."""
    if not SigningCertificate.objects.filter(pk=certificate.pk).delete()[0]:
        raise no_such_certificate(certificate.pk)
    record(by, "iam:DeleteSigningCertificate", certificate.owner_arn, certificate_id=certificate.pk)


def no_such_certificate(certificate_id: str) -> NoSuchEntity:
    return NoSuchEntity(f"The Certificate with id {certificate_id} cannot be found.")


def _fingerprint(body: str) -> str:
    certificate = read_certificate(body)
    try:
        check_dates(certificate, clock.now())
    except MalformedCertificate as error:
        raise InvalidCertificate(error.message) from error
    return certificate.fingerprint(hashes.SHA256()).hex()


def _refuse_duplicate(account: Account, fingerprint: str) -> None:
    if SigningCertificate.objects.filter(account=account, fingerprint=fingerprint).exists():
        raise _duplicate()


def _duplicate() -> DuplicateCertificate:
    return DuplicateCertificate("The same certificate is associated with an IAM user in the account.")


def _notify(by: Principal, row: SigningCertificate, what: str) -> None:
    notify_change(
        by=by,
        user=row.user,
        account=row.account,
        what=f"{what} for {f'IAM user {row.user.name}' if row.user else 'the root user'}",
        advice="If you did not expect this, delete it and look at the audit trail.",
    )
