"""Credentials for one service: a user name and a password, or an API key. A secret leaves this module once."""

import base64
import hashlib
import secrets
from collections.abc import Container
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.ids import new_unique_id
from accounts.slots import create_in_free_slot, lowest_free
from audit import clock
from audit.errors import NoSuchEntity, ServiceError, ValidationError
from audit.principal import Principal
from audit.services import record
from identities.models import ServiceSpecificCredential, User
from identities.models.credentials import KeyStatus
from identities.services.locks import locked_user_for_credentials, refuse_locked_down
from identities.services.notices import notify_change


@dataclass(frozen=True, slots=True)
class Service:
    """`api_key_prefix`: the service takes one API key, which may expire; without it, a user name and a password."""

    label: str
    api_key_prefix: str = ""


SERVICES = {
    "codecommit.amazonaws.com": Service("AWS CodeCommit (Git)"),
    "cassandra.amazonaws.com": Service("Amazon Keyspaces (Cassandra)"),
    "bedrock.amazonaws.com": Service("Amazon Bedrock", "ABSK"),
    "logs.amazonaws.com": Service("Amazon CloudWatch Logs", "ACWL"),
}


class NotSupportedService(ServiceError):
    """The service takes no such credentials."""

    code: ClassVar[str] = "NotSupportedService"
    field = "service"


def check_service(name: str) -> Service:
    """Raises NotSupportedService."""
    if name not in SERVICES:
        raise NotSupportedService(f"The service {name[:64]} does not support service-specific credentials.")
    return SERVICES[name]


@transaction.atomic
def create_service_specific_credential(
    *, by: Principal, user: User, service: str, age_days: int | None = None
) -> tuple[ServiceSpecificCredential, str]:
    """Make an active credential. Returns it with its password or API key, the only time.

    Raises NotSupportedService, ValidationError, LimitExceeded, EntityTemporarilyUnmodifiable.
    """
    if age_days is not None and not check_service(service).api_key_prefix:
        raise ValidationError(f"CredentialAgeDays can't be given for {service}: its passwords don't expire.")
    expires_at = clock.now() + timedelta(days=age_days) if age_days is not None else None
    check_service(service)
    # One at a time for each user, so that no two take the same alias.
    user = locked_user_for_credentials(user, "account__root_user")
    taken = list(_siblings(user, service).values_list("user_id", "slot", "alias"))
    alias = _free_alias(user, {alias for _, _, alias in taken})
    secret = _new_secret(service, alias)

    def insert(slot: int) -> ServiceSpecificCredential:
        return ServiceSpecificCredential.objects.create(
            credential_id=new_unique_id("ACCA"),
            account_id=user.account_id,
            user=user,
            service=service,
            slot=slot,
            alias=alias,
            secret_hash=_hashed(secret),
            expires_at=expires_at,
        )

    row = create_in_free_slot(
        lowest_free(slot for user_id, slot, _ in taken if user_id == user.pk),
        user.account.quota("service_specific_credentials"),
        insert,
        quota_name="ServiceSpecificCredentialsPerUser",
    )
    record(by, "iam:CreateServiceSpecificCredential", user.arn, credential_id=row.pk, service=service)
    _notify(by, row, f"The credential {row.pk} for {service} was made")
    return row, secret


@transaction.atomic
def reset_service_specific_credential(*, by: Principal, credential: ServiceSpecificCredential) -> str:
    """Replace the password or API key; the old one is worth nothing from now on. Raises NoSuchEntity."""
    secret = _new_secret(credential.service, credential.alias)
    if not ServiceSpecificCredential.objects.filter(pk=credential.pk).update(secret_hash=_hashed(secret)):
        raise no_such_credential(credential.pk)
    record(by, "iam:ResetServiceSpecificCredential", credential.user.arn, credential_id=credential.pk)
    _notify(by, credential, f"The credential {credential.pk} for {credential.service} was given a new secret")
    return secret


@transaction.atomic
def update_service_specific_credential(
    *, by: Principal, credential: ServiceSpecificCredential, status: str
) -> ServiceSpecificCredential:
    """Activate or deactivate a credential. Raises ValidationError, NoSuchEntity, EntityTemporarilyUnmodifiable."""
    if status not in KeyStatus.values:
        raise ValidationError(f"“{status[:40]}” can't be set as status of a credential: use Active or Inactive.")
    if status == KeyStatus.ACTIVE:
        refuse_locked_down(credential.user)
    before = credential.status
    if not ServiceSpecificCredential.objects.filter(pk=credential.pk).update(status=status):
        raise no_such_credential(credential.pk)
    credential.status = status
    record(
        by,
        "iam:UpdateServiceSpecificCredential",
        credential.user.arn,
        credential_id=credential.pk,
        before=before,
        after=status,
    )
    return credential


@transaction.atomic
def delete_service_specific_credential(*, by: Principal, credential: ServiceSpecificCredential) -> None:
    """Take a credential away for good. Raises NoSuchEntity."""
    if not ServiceSpecificCredential.objects.filter(pk=credential.pk).delete()[0]:
        raise no_such_credential(credential.pk)
    record(
        by,
        "iam:DeleteServiceSpecificCredential",
        credential.user.arn,
        credential_id=credential.pk,
        service=credential.service,
    )


def no_such_credential(credential_id: str) -> NoSuchEntity:
    return NoSuchEntity(f"The service specific credential with id {credential_id} cannot be found.")


def _siblings(user: User, service: str) -> QuerySet[ServiceSpecificCredential]:
    """Those whose slots, and those whose aliases, a new one must not take."""
    its_own, alike = Q(user=user), Q(account_id=user.account_id, alias__startswith=user.name)
    return ServiceSpecificCredential.objects.filter(its_own | alike, service=service)


def _free_alias(user: User, taken: Container[str]) -> str:
    """`jane-at-123456789012`, then `jane+1-at-…`: a user who was renamed may still hold the first one."""
    number, alias = 0, f"{user.name}-at-{user.account_id}"
    while alias in taken:
        number += 1
        alias = f"{user.name}+{number}-at-{user.account_id}"
    return alias


def _new_secret(service: str, alias: str) -> str:
    """256 random bits; an API key carries its alias, so that one word says who calls."""
    secret = base64.b64encode(secrets.token_bytes(32)).decode()
    prefix = SERVICES[service].api_key_prefix
    return prefix + base64.b64encode(f"{alias}:{secret}".encode()).decode() if prefix else secret


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _notify(by: Principal, row: ServiceSpecificCredential, what: str) -> None:
    notify_change(
        by=by,
        user=row.user,
        account=row.user.account,
        what=f"{what} for IAM user {row.user.name}",
        advice="If you did not expect this, delete it and look at the audit trail.",
    )
