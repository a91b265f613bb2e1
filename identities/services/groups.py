"""User groups and who is in them. A group carries policies for its users; it is no identity of its own."""

from typing import Any

from django.db import IntegrityError, transaction

from accounts import ids, rules
from accounts.models import Account
from audit.errors import DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity, ValidationError
from audit.principal import Principal
from audit.services import record
from identities.models import Group, Membership, User
from identities.services import attachments, inline_policies
from identities.slots import create_in_slot

NAME_LIMIT = 128


def get_group(account_id: str, name: str) -> Group:
    """The account's group of that name, in any case. Raises NoSuchEntity."""
    group = Group.objects.filter(account_id=account_id, name_key=name.lower()).first()
    if group is None:
        raise NoSuchEntity(f"The group with name {name} cannot be found.")
    return group


@transaction.atomic
def create_group(*, by: Principal, name: str, path: str = "/") -> Group:
    """Create a group without users and without policies. Raises ValidationError, EntityAlreadyExists, LimitExceeded."""
    # The lock makes counting safe: of two who take the last place, the second waits and then sees it taken.
    account = Account.objects.select_for_update().get(pk=by.account_id)
    _check_shape(name, path)
    quota = account.quota("groups")
    if account.groups.count() >= quota:
        raise LimitExceeded(f"Cannot exceed quota for GroupsPerAccount: {quota}")
    group = Group(account=account, name=name, path=path, unique_id=ids.new_unique_id("AGPA"))
    _save_new_name(group)
    record(by, "iam:CreateGroup", group.arn, after=_facts(group))
    return group


@transaction.atomic
def update_group(*, by: Principal, group: Group, new_name: str | None = None, new_path: str | None = None) -> Group:
    """Rename a group or move it to another path; its unique id, users and policies stay.

    Raises ValidationError, EntityAlreadyExists, NoSuchEntity.
    """
    group = _locked(group)
    before, old_arn = _facts(group), group.arn
    group.name = group.name if new_name is None else new_name
    group.path = group.path if new_path is None else new_path
    _check_shape(group.name, group.path)
    _save_new_name(group)
    record(by, "iam:UpdateGroup", old_arn, before=before, after=_facts(group))
    return group


@transaction.atomic
def delete_group(*, by: Principal, group: Group) -> None:
    """Delete a group that nothing hangs on any more, as the API does. Raises DeleteConflict naming what is left."""
    group = _locked(group)
    left = {
        "remove users from group": group.memberships.exists(),
        "delete policies": group.inline_policies.exists(),
        "detach all policies": group.attachments.exists(),
    }
    for what, is_left in left.items():
        if is_left:
            raise DeleteConflict(f"Cannot delete entity, must {what} first.")
    before, arn = _facts(group), group.arn
    group.delete()
    record(by, "iam:DeleteGroup", arn, before=before)


@transaction.atomic
def delete_group_with_everything(*, by: Principal, group: Group) -> None:
    """Take out its users, take off its policies, one recorded change each, and delete it: what the console does."""
    group = _locked(group)
    for membership in group.memberships.select_related("user"):
        remove_user_from_group(by=by, group=group, user=membership.user)
    for attachment in group.attachments.select_related("policy"):
        attachments.detach_group_policy(by=by, group=group, policy=attachment.policy)
    for inline in group.inline_policies.all():
        inline_policies.delete_group_policy(by=by, group=group, name=inline.name)
    delete_group(by=by, group=group)


@transaction.atomic
def add_user_to_group(*, by: Principal, group: Group, user: User) -> None:
    """Put a user into a group; nothing happens when they are in it. Raises LimitExceeded at ten groups."""
    if Membership.objects.filter(user=user, group=group).exists():
        return
    create_in_slot(
        Membership.objects.filter(user=user),
        user.account.quota("groups_per_user"),
        lambda slot: Membership.objects.create(user=user, group=group, slot=slot),
        quota_name="GroupsPerUser",
    )
    record(by, "iam:AddUserToGroup", group.arn, user=user.arn)


@transaction.atomic
def remove_user_from_group(*, by: Principal, group: Group, user: User) -> None:
    """Take a user out of a group; nothing happens when they are not in it."""
    deleted, _ = Membership.objects.filter(user=user, group=group).delete()
    if deleted:
        record(by, "iam:RemoveUserFromGroup", group.arn, user=user.arn)


def _check_shape(name: str, path: str) -> None:
    if problem := rules.name_problem(name, NAME_LIMIT, "group name"):
        raise ValidationError(problem, field="name")
    if problem := rules.path_problem(path):
        raise ValidationError(problem, field="path")


def _locked(group: Group) -> Group:
    """The row as it is now; a group that somebody deleted meanwhile is a NoSuchEntity, not a crash."""
    row = Group.objects.select_for_update().filter(pk=group.pk).first()
    if row is None:
        raise NoSuchEntity(f"The group with name {group.name} cannot be found.")
    return row


def _save_new_name(group: Group) -> None:
    try:
        with transaction.atomic():
            group.save()
    except IntegrityError as error:
        raise EntityAlreadyExists(f"Group with name {group.name} already exists.", field="name") from error


def _facts(group: Group) -> dict[str, Any]:
    return {"name": group.name, "path": group.path, "unique_id": group.unique_id}
