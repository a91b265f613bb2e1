"""SSH public keys of users."""

import hashlib
from typing import ClassVar

from django.db import IntegrityError, transaction

from accounts.ids import new_unique_id
from accounts.slots import create_in_slot, lowest_free
from audit.errors import InvalidInput, NoSuchEntity, ServiceError
from audit.principal import Principal
from audit.services import record
from identities.models import SSHPublicKey, User
from identities.models.credentials import KeyStatus
from identities.public_keys import as_ssh, md5_fingerprint, read_ssh_key
from identities.services.locks import locked_user_for_credentials, refuse_locked_down
from identities.services.notices import notify_change


class DuplicateSSHPublicKey(ServiceError):
    """The user has it already."""

    code: ClassVar[str] = "DuplicateSSHPublicKey"
    field = "body"


def upload_ssh_public_key(*, by: Principal, user: User, body: str) -> SSHPublicKey:
    """Give a user a key; it is active at once.

    Raises UnrecognizedPublicKeyEncoding, InvalidPublicKey, DuplicateSSHPublicKey, LimitExceeded,
    EntityTemporarilyUnmodifiable.
    """
    key = read_ssh_key(body)
    digest = hashlib.sha256(as_ssh(key).encode()).hexdigest()

    def insert(slot: int) -> SSHPublicKey:
        return SSHPublicKey.objects.create(
            key_id=new_unique_id("APKA"),
            user=user,
            slot=slot,
            body=body.strip(),
            digest=digest,
            fingerprint=md5_fingerprint(key),
        )

    with transaction.atomic():
        user = locked_user_for_credentials(user, "account__root_user")
        taken = dict(user.ssh_public_keys.values_list("slot", "digest"))
        if digest in taken.values():
            raise _duplicate()
        siblings, quota = user.ssh_public_keys.all(), user.account.quota("ssh_public_keys")
        try:
            row = create_in_slot(
                siblings, quota, insert, quota_name="SSHPublicKeysPerUser", first=lowest_free(taken.keys())
            )
        except IntegrityError:
            _refuse_duplicate(user, digest)
            raise
        record(by, "iam:UploadSSHPublicKey", user.arn, key_id=row.pk, fingerprint=row.fingerprint)
        notify_change(
            by=by,
            user=user,
            account=user.account,
            what=f"The SSH public key {row.pk} was added for IAM user {user.name}",
            advice="If you did not expect this, delete it and look at the audit trail.",
        )
    return row


@transaction.atomic
def update_ssh_public_key(*, by: Principal, key: SSHPublicKey, status: str) -> SSHPublicKey:
    """Activate or deactivate a key. Raises InvalidInput, NoSuchEntity, EntityTemporarilyUnmodifiable."""
    if status not in KeyStatus.values:
        raise InvalidInput(f"“{status[:40]}” can't be set as status of an SSH public key: use Active or Inactive.")
    if status == KeyStatus.ACTIVE:
        refuse_locked_down(key.user)
    before = key.status
    if not SSHPublicKey.objects.filter(pk=key.pk).update(status=status):
        raise no_such_key(key.pk)
    key.status = status
    record(by, "iam:UpdateSSHPublicKey", key.user.arn, key_id=key.pk, before=before, after=status)
    return key


@transaction.atomic
def delete_ssh_public_key(*, by: Principal, key: SSHPublicKey) -> None:
    """Take a key away for good. Raises NoSuchEntity."""
    if not SSHPublicKey.objects.filter(pk=key.pk).delete()[0]:
        raise no_such_key(key.pk)
    record(by, "iam:DeleteSSHPublicKey", key.user.arn, key_id=key.pk, fingerprint=key.fingerprint)


def no_such_key(key_id: str) -> NoSuchEntity:
    return NoSuchEntity(f"The Public Key with id {key_id} cannot be found.")


def _refuse_duplicate(user: User, digest: str) -> None:
    if user.ssh_public_keys.filter(digest=digest).exists():
        raise _duplicate()


def _duplicate() -> DuplicateSSHPublicKey:
    return DuplicateSSHPublicKey("The SSH public key is already associated with the specified IAM user.")
