"""Managed policies on users, groups and roles. Attaching twice is no error; detaching what is not attached is one."""

from typing import Any

from django.db import models, transaction
from django.db.models import Exists, OuterRef

from accounts.room import Annotations
from accounts.slots import create_in_free_slot, free_slot
from audit.errors import EntityTemporarilyUnmodifiable, NoSuchEntity
from audit.principal import Principal
from audit.services import record
from database.inserts import PreparedInsert
from database.prepared import Param
from identities.models import Group, GroupAttachment, Role, RoleAttachment, User, UserAttachment
from identities.models.lockdowns import LOCKDOWN_POLICY
from identities.services.locks import locked_group, locked_own_role, locked_policy, locked_user
from policies.models import ManagedPolicy

Attachment = UserAttachment | GroupAttachment | RoleAttachment


def _annotations(kind: type[Attachment], holder: str) -> Annotations:
    """Whether a policy is attached to the holder, and which place that one has free for it."""

    def annotations() -> dict[str, Any]:
        rows: Any = kind._default_manager.filter(**{f"{holder}__unique_id": Param("holder")})
        return {"is_attached": Exists(rows.filter(policy=OuterRef("pk"))), "free": free_slot(rows)}

    return annotations


_ANNOTATIONS = {
    User: _annotations(UserAttachment, "user"),
    Group: _annotations(GroupAttachment, "group"),
    Role: _annotations(RoleAttachment, "role"),
}
_USERS, _GROUPS, _ROLES = (PreparedInsert(each) for each in (UserAttachment, GroupAttachment, RoleAttachment))


@transaction.atomic
def attach_user_policy(*, by: Principal, user: User, policy: ManagedPolicy | str) -> None:
    """Attach a policy of the account, or a built-in one, to a user; it may be given by its ARN. Raises LimitExceeded,
    NoSuchEntity."""
    _attach(by, locked_user(user), policy)


@transaction.atomic
def detach_user_policy(*, by: Principal, user: User, policy: ManagedPolicy) -> None:
    """Take a policy from a user; the policy itself stays. Raises NoSuchEntity when it is not attached, and
    EntityTemporarilyUnmodifiable for the one that goes with the user's lockdown."""
    if policy.is_built_in and policy.name == LOCKDOWN_POLICY and locked_user(user).is_locked_down:
        raise EntityTemporarilyUnmodifiable(
            f"The user {user.name} is locked down: {policy.arn} is detached by lifting the lockdown."
        )
    _detach(by, user, policy)


@transaction.atomic
def attach_group_policy(*, by: Principal, group: Group, policy: ManagedPolicy | str) -> None:
    """Attach a policy to a group, and so to all its users. Raises LimitExceeded, NoSuchEntity."""
    _attach(by, locked_group(group), policy)


@transaction.atomic
def detach_group_policy(*, by: Principal, group: Group, policy: ManagedPolicy) -> None:
    """Take a policy from a group, and so from all its users. Raises NoSuchEntity when it is not attached."""
    _detach(by, group, policy)


@transaction.atomic
def attach_role_policy(*, by: Principal, role: Role, policy: ManagedPolicy | str) -> None:
    """Attach a policy to a role, and so to all its sessions. Raises LimitExceeded, NoSuchEntity, UnmodifiableEntity."""
    _attach(by, locked_own_role(role), policy)


@transaction.atomic
def detach_role_policy(*, by: Principal, role: Role, policy: ManagedPolicy) -> None:
    """Take a policy from a role, and so from its sessions. Raises NoSuchEntity, UnmodifiableEntity."""
    _detach(by, locked_own_role(role), policy)


def _attach(by: Principal, holder: User | Group | Role, policy: ManagedPolicy | str) -> None:
    kind, annotations = type(holder).__name__, _ANNOTATIONS[type(holder)]
    found: Any = locked_policy(policy, holder.account_id, annotations, holder=holder.unique_id)
    if not found.is_attached:
        create_in_free_slot(
            found.free,
            holder.account.quota(f"policies_per_{kind.lower()}"),
            lambda slot: _attached(holder, found, slot),
            quota_name=f"PoliciesPer{kind}",
        )
    record(by, f"iam:Attach{kind}Policy", holder.arn, policy=found.arn, changed=not found.is_attached)


def _detach(by: Principal, holder: User | Group | Role, policy: ManagedPolicy) -> None:
    if not _attachments(holder).filter(policy=policy).delete()[0]:
        raise NoSuchEntity(f"Policy {policy.arn} was not found.")
    record(by, f"iam:Detach{type(holder).__name__}Policy", holder.arn, policy=policy.arn)


def _attached(holder: User | Group | Role, policy: ManagedPolicy, slot: int) -> models.Model:
    if isinstance(holder, User):
        return _USERS.insert(UserAttachment(user=holder, policy=policy, slot=slot))
    if isinstance(holder, Group):
        return _GROUPS.insert(GroupAttachment(group=holder, policy=policy, slot=slot))
    return _ROLES.insert(RoleAttachment(role=holder, policy=policy, slot=slot))


def _attachments(holder: User | Group | Role) -> "models.Manager[Any]":
    """The three relations of this name are made alike."""
    return holder.attachments
