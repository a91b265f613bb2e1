"""Locking a user down, when a laptop is stolen or a key has leaked: nothing of theirs works from that moment on, until
it is lifted. AWS has no such operation; what it does is told in AWS's own: inactive keys, and a policy that denies all.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from access.models import ConsoleSession, SignInAttempt
from audit import clock
from audit.errors import ConcurrentModification, InvalidInput, NoSuchEntity, UnmodifiableEntity, ValidationError
from audit.principal import Principal
from audit.services import record
from identities.models import Lockdown, ServiceSpecificCredential, User
from identities.models.credentials import KeyStatus
from identities.models.lockdowns import LOCKDOWN_POLICY, LOCKDOWN_SLOT
from identities.resource_tags import service_key
from identities.services.access_keys import update_access_key
from identities.services.locks import locked_user
from identities.services.notices import notify_change
from identities.services.service_credentials import update_service_specific_credential
from identities.services.signing_certificates import update_signing_certificate
from identities.services.ssh_public_keys import update_ssh_public_key
from policies.models import ManagedPolicy

LOCK, LIFT = "iam:LockDownUser", "iam:LiftUserLockdown"
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of credential that can be inactive: where a user's are found, and what changes one of them."""

    relation: str
    name: str
    lists: str
    updates: str
    update: Callable[[Principal, Any, str], object]


KINDS = (
    Kind(
        "access_keys",
        "access key",
        "iam:ListAccessKeys",
        "iam:UpdateAccessKey",
        lambda by, row, status: update_access_key(by=by, key=row, status=status),
    ),
    Kind(
        "signing_certificates",
        "signing certificate",
        "iam:ListSigningCertificates",
        "iam:UpdateSigningCertificate",
        lambda by, row, status: update_signing_certificate(by=by, certificate=row, status=status),
    ),
    Kind(
        "ssh_public_keys",
        "SSH public key",
        "iam:ListSSHPublicKeys",
        "iam:UpdateSSHPublicKey",
        lambda by, row, status: update_ssh_public_key(by=by, key=row, status=status),
    ),
    Kind(
        "service_specific_credentials",
        "service-specific credential",
        "iam:ListServiceSpecificCredentials",
        "iam:UpdateServiceSpecificCredential",
        lambda by, row, status: update_service_specific_credential(by=by, credential=row, status=status),
    ),
)


@dataclass(frozen=True, slots=True)
class Credential:
    """One row of a kind."""

    kind: Kind
    row: Any

    @property
    def keys(self) -> dict[str, str]:
        """The condition keys that it brings to a change of its own, beside its user's tags."""
        return service_key(self.row.service) if isinstance(self.row, ServiceSpecificCredential) else {}

    @property
    def id(self) -> str:
        return str(self.row.pk)

    def turn(self, by: Principal, status: str) -> None:
        self.kind.update(by, self.row, status)


def is_oneself(by: Principal, user: User) -> bool:
    """Whether `user` is who acts: as themselves, in a role that they took on, or as a federated user of theirs."""
    return user.unique_id in (by.unique_id, by.begun_by, by.issuer_id)


def active_credentials(user: User, kind: Kind) -> list[Credential]:
    """Those that a lockdown would make inactive."""
    rows = getattr(user, kind.relation).filter(status=KeyStatus.ACTIVE).order_by("slot", "pk")
    return [Credential(kind, row) for row in rows]


def offered(user: User, lockdown: Lockdown) -> list[Credential]:
    """What the lockdown made inactive and is still there: nothing else becomes active by lifting it."""
    return list(_offered(user, [(str(name), str(pk)) for name, pk in lockdown.deactivated]))


def _offered(user: User, deactivated: Sequence[tuple[str, str]]) -> Iterator[Credential]:
    for kind in KINDS:
        ids = [pk for name, pk in deactivated if name == kind.relation]
        rows = getattr(user, kind.relation).filter(pk__in=ids).order_by("slot", "pk") if ids else ()
        yield from (Credential(kind, row) for row in rows)


@transaction.atomic
def lock_down(*, by: Principal, user: User, reason: str) -> Lockdown:
    """Lock a user down. Doing it again changes nothing, and leaves an event that says so.

    Raises UnmodifiableEntity for oneself, ValidationError without a reason, NoSuchEntity.
    """
    if is_oneself(by, user):
        raise UnmodifiableEntity("You can't lock yourself down: somebody else has to, who can lift it again.")
    reason = _checked(reason)
    user = locked_user(user, "account__root_user")
    # Asked for by itself: what is read along with a row that was waited for is as it was before.
    if user.lockdown is not None:
        record(by, LOCK, user.arn, reason=reason, changed=False)
        return user.lockdown
    lockdown = _begin(by, user, reason)
    credentials = [each for kind in KINDS for each in active_credentials(user, kind)]
    for credential in credentials:
        credential.turn(by, KeyStatus.INACTIVE)
    lockdown.deactivated = [[each.kind.relation, each.id] for each in credentials]
    lockdown.save(update_fields=["deactivated"])
    record(
        by,
        LOCK,
        user.arn,
        reason=reason,
        changed=True,
        sessions_ended=_end_sessions(user),
        deactivated=[each.id for each in credentials],
    )
    _notify(by, user, f"IAM user {user.name} was locked down", f"The reason given: {reason}")
    return lockdown


def _begin(by: Principal, user: User, reason: str) -> Lockdown:
    now = clock.now()
    lockdown = Lockdown.objects.create(
        account_id=user.account_id, unique_id=user.unique_id, reason=reason, locked_at=now, locked_by=_name(by)
    )
    _mark(user, lockdown, now)
    policy = ManagedPolicy.objects.get(account=None, name=LOCKDOWN_POLICY)
    user.attachments.create(policy=policy, slot=LOCKDOWN_SLOT)
    record(by, "iam:AttachUserPolicy", user.arn, policy=policy.arn, changed=True)
    return lockdown


@transaction.atomic
def lift(*, by: Principal, user: User, restore: Collection[str] = ()) -> None:
    """Lift a lockdown. Of what it made inactive becomes active again what `restore` names; sessions and temporary
    credentials from before stay ended.

    Raises UnmodifiableEntity for oneself, NoSuchEntity when there is none, ConcurrentModification.
    """
    if is_oneself(by, user):
        raise UnmodifiableEntity("You can't lift your own lockdown: somebody else has to.")
    user = locked_user(user, "account__root_user")
    lockdown = user.lockdown
    if lockdown is None:
        raise NoSuchEntity(f"The user {user.name} is not locked down.")
    wanted = [each for each in offered(user, lockdown) if each.id in restore]
    if len(wanted) < len(set(restore)):
        raise ConcurrentModification("The credentials of the user have changed since you looked. Look at them again.")
    _end(by, user, lockdown)
    for credential in wanted:
        credential.turn(by, KeyStatus.ACTIVE)
    record(by, LIFT, user.arn, reason=lockdown.reason, restored=[each.id for each in wanted])
    restored = ", ".join(each.id for each in wanted) or "none"
    _notify(by, user, f"The lockdown of IAM user {user.name} was lifted", f"Credentials made active again: {restored}.")


def _end(by: Principal, user: User, lockdown: Lockdown) -> None:
    lockdown.lifted_at, lockdown.lifted_by = clock.now(), _name(by)
    lockdown.save(update_fields=["lifted_at", "lifted_by"])
    _mark(user, None, lockdown.lifted_at)
    for attachment in user.attachments.filter(slot=LOCKDOWN_SLOT).select_related("policy"):
        attachment.delete()
        record(by, "iam:DetachUserPolicy", user.arn, policy=attachment.policy.arn)
    _end_sessions(user)


def _mark(user: User, lockdown: Lockdown | None, moment: datetime) -> None:
    user.lockdown, user.sessions_valid_from = lockdown, moment
    user.save(update_fields=["lockdown", "sessions_valid_from"])


def _end_sessions(user: User) -> int:
    SignInAttempt.objects.filter(user=user).delete()
    return ConsoleSession.objects.filter(user=user).delete()[0]


def _checked(reason: str) -> str:
    reason = " ".join(reason.split())
    if not reason:
        raise ValidationError("Say why: whoever lifts the lockdown has to know.", field="reason")
    if len(reason) > LONGEST_REASON:
        raise InvalidInput(f"The reason has {len(reason)} characters; at most {LONGEST_REASON}.", field="reason")
    return reason


def _name(by: Principal) -> str:
    return by.arn or by.name


def _notify(by: Principal, user: User, what: str, more: str) -> None:
    notify_change(
        by=by,
        user=user,
        account=user.account,
        what=what,
        advice=f"{more}\n\nWhat the user did before is in the audit trail.",
    )
