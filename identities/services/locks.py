"""Rows as they are now, kept from others until the transaction ends; always owner first, then policy."""

from audit.errors import NoSuchEntity
from identities.models import Group, User
from policies.models import ManagedPolicy


def locked_user(user: User) -> User:
    """Raises NoSuchEntity when it has gone."""
    found = User.objects.select_for_update().filter(pk=user.pk).first()
    if found is None:
        raise NoSuchEntity(f"The user with name {user.name} cannot be found.")
    return found


def locked_group(group: Group) -> Group:
    """Raises NoSuchEntity when it has gone."""
    found = Group.objects.select_for_update().filter(pk=group.pk).first()
    if found is None:
        raise NoSuchEntity(f"The group with name {group.name} cannot be found.")
    return found


def locked_policy(policy: ManagedPolicy, account_id: str) -> ManagedPolicy:
    """A policy that may be attached in the account. Raises NoSuchEntity, also for another account's.

    Built-in ones are shared by all accounts and never deleted: waiting for each other there would gain nothing.
    """
    if policy.is_built_in:
        return policy
    own = ManagedPolicy.objects.select_for_update().filter(pk=policy.pk, account_id=account_id).first()
    if own is None:
        raise NoSuchEntity(f"Policy {policy.arn} does not exist or is not attachable.")
    return own
