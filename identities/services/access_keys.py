"""Access keys of users and of root (`user` empty). A secret leaves this module once, when it is made."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from accounts.ids import new_access_key_id, new_secret_access_key
from accounts.models import Account
from accounts.slots import create_in_free_slot, lowest_free
from audit import clock
from audit.errors import NoSuchEntity, ValidationError
from audit.principal import Principal, root_arn
from audit.services import record
from database.inserts import PreparedInsert
from identities.models import AccessKey, User
from identities.models.credentials import KeyStatus
from identities.sealed import box
from identities.services.locks import locked_user_for_credentials, refuse_locked_down
from identities.services.notices import notify_change

# AWS notes several uses within 15 minutes as the first of them.
USE_WINDOW = timedelta(minutes=15)
_KEYS = PreparedInsert(AccessKey)


@transaction.atomic
def create_access_key(*, by: Principal, user: User | None) -> tuple[AccessKey, str]:
    """Make an active key for a user, or for root where `user` is None. Returns it with its secret, the only time.

    Raises LimitExceeded when the owner has as many keys as the quota allows, EntityTemporarilyUnmodifiable when the
    owner is locked down.
    """
    secret = new_secret_access_key()
    user = locked_user_for_credentials(user, "account__root_user") if user else None
    account = user.account if user else Account.objects.select_for_update().get(pk=by.account_id)

    def insert(slot: int) -> AccessKey:
        key = AccessKey(access_key_id=new_access_key_id(account.id), account=account, user=user, slot=slot)
        key.secret_encrypted = box().seal(secret, key.sealed_row)
        return _KEYS.insert(key)

    free = lowest_free(AccessKey.objects.filter(account=account, user=user).values_list("slot", flat=True))
    key = create_in_free_slot(free, account.quota("access_keys"), insert, quota_name="AccessKeysPerUser")
    record(by, "iam:CreateAccessKey", owner_arn(key), access_key_id=key.access_key_id)
    _notify(by, key, f"The access key {key.access_key_id} was made")
    return key, secret


def get_access_key(account_id: str, access_key_id: str) -> AccessKey:
    """Raises NoSuchEntity for a key that does not exist and for one of another account alike."""
    key = AccessKey.objects.select_related("user").filter(account_id=account_id, pk=access_key_id).first()
    if key is None:
        raise NoSuchEntity(f"The Access Key with id {access_key_id} cannot be found.")
    return key


@transaction.atomic
def update_access_key(*, by: Principal, key: AccessKey, status: str) -> AccessKey:
    """Activate or deactivate a key; it counts at the next request signed with it.

    Raises ValidationError, NoSuchEntity, EntityTemporarilyUnmodifiable.
    """
    if status not in KeyStatus.values:
        raise ValidationError(f"“{status[:40]}” is not a status of an access key: use Active or Inactive.")
    if status == KeyStatus.ACTIVE:
        refuse_locked_down(key.user)
    before, key.status = key.status, KeyStatus(status)
    if before != key.status:
        key.status_changed_at = clock.now()
    if not AccessKey.objects.filter(pk=key.pk).update(status=key.status, status_changed_at=key.status_changed_at):
        raise NoSuchEntity(f"The Access Key with id {key.pk} cannot be found.")
    record(by, "iam:UpdateAccessKey", owner_arn(key), access_key_id=key.pk, before=before, after=key.status)
    if before != key.status:
        _notify(by, key, f"The access key {key.pk} was {'activated' if key.is_active else 'deactivated'}")
    return key


@transaction.atomic
def delete_access_key(*, by: Principal, key: AccessKey) -> None:
    """Delete a key for good. (That it is inactive first is asked by the console's pages, not by AWS's API.)"""
    if not AccessKey.objects.filter(pk=key.pk).delete()[0]:
        raise NoSuchEntity(f"The Access Key with id {key.pk} cannot be found.")
    record(by, "iam:DeleteAccessKey", owner_arn(key), access_key_id=key.pk)
    _notify(by, key, f"The access key {key.pk} was deleted")


def note_use(key: AccessKey, *, service: str, region: str, address: str) -> None:
    """Remember that the key was used now, unless a use of the last 15 minutes is already noted."""
    now = clock.now()
    if key.last_used_at is not None and now - key.last_used_at < USE_WINDOW:
        return
    due = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_WINDOW)
    AccessKey.objects.filter(due, pk=key.pk).update(
        last_used_at=now,
        last_used_service=service[:64],
        last_used_region=region[:64],
        last_used_address=address[:64],
    )


def owner_arn(key: AccessKey) -> str:
    return key.user.arn if key.user else root_arn(key.account_id)


def _notify(by: Principal, key: AccessKey, what: str) -> None:
    notify_change(
        by=by,
        user=key.user,
        account=key.account,
        what=f"{what} for {f'IAM user {key.user.name}' if key.user else 'the root user'}",
        advice="If you did not expect this, deactivate the owner's access keys and look at the audit trail.",
    )
