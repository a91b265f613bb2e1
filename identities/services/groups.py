"""User groups and who is in them. A group carries policies for its users; it is no identity of its own."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts import ids, rules
from accounts.room import room_for
from accounts.slots import create_in_free_slot, free_slot
from accounts.taken_names import taken_name_refused
from audit.errors import (
    ConcurrentModification,
    NoSuchEntity,
    ServiceError,
    ValidationError,
)
from audit.principal import Principal
from audit.services import record
from database.inserts import PreparedInsert
from database.prepared import Param
from identities.models import Group, Membership, User
from identities.services import attachments, inline_policies
from identities.services.deletion import delete_if_unused
from identities.services.locks import locked_group, locked_user, locked_user_named

NAME_LIMIT = 128
_GROUPS, _MEMBERSHIPS = PreparedInsert(Group), PreparedInsert(Membership)


def get_group(account_id: str, name: str) -> Group:
    """The account's group of that name, in any case. Raises NoSuchEntity."""
    group = Group.objects.filter(account_id=account_id, name_key=name.lower()).first()
    if group is None:
        raise NoSuchEntity(f"The group with name {name} cannot be found.")
    return group


@transaction.atomic
def create_group(*, by: Principal, name: str, path: str = "/") -> Group:
    """Create a group without users and without policies. Raises ValidationError, EntityAlreadyExists, LimitExceeded."""
    room = room_for(by.account_id, "groups")
    _check_shape(name, path)
    room.check("GroupsPerAccount")
    group = Group(account=room.account, name=name, path=path, unique_id=ids.new_unique_id("AGPA"))
    with taken_name_refused(f"Group with name {name} already exists."):
        _GROUPS.insert(group)
    record(by, "iam:CreateGroup", group.arn, after=_facts(group))
    return group


@transaction.atomic
def update_group(*, by: Principal, group: Group, new_name: str | None = None, new_path: str | None = None) -> Group:
    """Rename a group or move it to another path; its unique id, users and policies stay.

    Raises ValidationError, EntityAlreadyExists, NoSuchEntity.
    """
    group = locked_group(group)
    before, old_arn = _facts(group), group.arn
    group.name = group.name if new_name is None else new_name
    group.path = group.path if new_path is None else new_path
    _check_shape(group.name, group.path)
    with taken_name_refused(f"Group with name {group.name} already exists."):
        group.save()
    record(by, "iam:UpdateGroup", old_arn, before=before, after=_facts(group))
    return group


@transaction.atomic
def delete_group(*, by: Principal, group: Group) -> None:
    """Delete a group that nothing hangs on any more, as the API does. Raises DeleteConflict naming what is left."""
    group = locked_group(group)
    delete_if_unused(
        group,
        {
            "remove users from group": group.memberships.all(),
            "delete policies": group.inline_policies.all(),
            "detach all policies": group.attachments.all(),
        },
    )
    record(by, "iam:DeleteGroup", group.arn, before=_facts(group))


@transaction.atomic
def delete_group_with_everything(*, by: Principal, group: Group, seen: str | None = None) -> None:
    """Take out its users, take off its policies, one recorded change each, and delete it: what the console does.

    `seen` is the `fingerprint` of what somebody was shown before they agreed; None does not ask.
    Raises ConcurrentModification when something else would go now, NoSuchEntity.
    """
    group = locked_group(group)
    if seen is not None and seen != fingerprint(group):
        raise ConcurrentModification(
            "Somebody changed the users or policies of this group since you looked. Look at the list again."
        )
    memberships = group.memberships.select_related("user")
    _record_removals(by, group, [membership.user for membership in memberships])
    memberships.all().delete()
    for attachment in group.attachments.select_related("policy"):
        attachments.detach_group_policy(by=by, group=group, policy=attachment.policy)
    for inline in group.inline_policies.all():
        inline_policies.delete_group_policy(by=by, group=group, name=inline.name)
    delete_group(by=by, group=group)


def fingerprint(group: Group) -> str:
    """A short text that changes when somebody joins or leaves the group, or a policy comes or goes."""
    rows = [
        sorted(group.memberships.values_list("user_id", flat=True)),
        sorted(group.attachments.values_list("policy_id", flat=True)),
        sorted(group.inline_policies.values_list("name", "digest")),
    ]
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:32]


@transaction.atomic
def add_user_to_group(*, by: Principal, group: Group, user: User | str) -> None:
    """Put a user, who may be given by name, into a group; nothing happens when they are in it. Raises LimitExceeded
    (ten groups), NoSuchEntity."""
    member = locked_user(user) if isinstance(user, User) else locked_user_named(group.account_id, user)
    found: Any = locked_group(group, _membership, user=member.unique_id)
    if member.account_id != found.account_id:
        raise NoSuchEntity(f"The user with name {member.name} cannot be found.")
    if found.is_member:
        return
    create_in_free_slot(
        found.free,
        member.account.quota("groups_per_user"),
        lambda slot: _MEMBERSHIPS.insert(Membership(user=member, group=found, slot=slot)),
        quota_name="GroupsPerUser",
    )
    record(by, "iam:AddUserToGroup", found.arn, user=member.arn, before=False, after=True)


def _membership() -> dict[str, Any]:
    """Whether a user is in the group, and which place they have free for one."""
    siblings = Membership.objects.filter(user__unique_id=Param("user"))
    return {"is_member": Exists(siblings.filter(group=OuterRef("pk"))), "free": free_slot(siblings)}


@transaction.atomic
def add_users_to_group(*, by: Principal, group: Group, users: Iterable[User]) -> None:
    """Put several users into a group, all or none. An error says which user it is about."""
    # First all users in one order, then the group: two who add the same people never wait for each other in a ring.
    for user in [locked_user(user) for user in sorted(users, key=lambda user: user.pk)]:
        try:
            add_user_to_group(by=by, group=group, user=user)
        except ServiceError as error:
            error.message = f"“{user.name}” could not be added: {error.message}"
            raise


@transaction.atomic
def remove_user_from_group(*, by: Principal, group: Group, user: User) -> None:
    """Take a user out of a group; nothing happens when they are not in it."""
    deleted, _ = Membership.objects.filter(user=user, group=group).delete()
    if deleted:
        _record_removals(by, group, [user])


@transaction.atomic
def remove_users_from_group(*, by: Principal, group: Group, users: Iterable[User]) -> None:
    """Take several users out of a group, all or none; those who are not in it are no error."""
    for user in users:
        remove_user_from_group(by=by, group=group, user=user)


@transaction.atomic
def move_user(*, by: Principal, user: User, leave: Iterable[Group], join: Iterable[Group]) -> None:
    """Take a user out of some groups and put it into others, all or nothing: out first, so that a full user can move.

    Raises LimitExceeded or NoSuchEntity, naming the group.
    """
    user = locked_user(user)
    for group in leave:
        remove_user_from_group(by=by, group=group, user=user)
    for group in sorted(join, key=lambda group: group.pk):
        try:
            add_user_to_group(by=by, group=group, user=user)
        except ServiceError as error:
            error.message = f"“{group.name}” could not be joined: {error.message}"
            raise


def _check_shape(name: str, path: str) -> None:
    if problem := rules.name_problem(name, NAME_LIMIT, "group name"):
        raise ValidationError(problem, field="name")
    if problem := rules.path_problem(path):
        raise ValidationError(problem, field="path")


def _record_removals(by: Principal, group: Group, users: Sequence[User]) -> None:
    for user in users:
        record(by, "iam:RemoveUserFromGroup", group.arn, user=user.arn, before=True, after=False)


def _facts(group: Group) -> dict[str, Any]:
    return {"name": group.name, "path": group.path, "unique_id": group.unique_id}
