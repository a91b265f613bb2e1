"""Rows as they are now, kept from others until the transaction ends; always owner first, then policy."""

from functools import cache
from typing import Any

from django.db import connection

from audit.errors import NoSuchEntity, UnmodifiableEntity
from identities.models import Group, InstanceProfile, Role, User
from policies.models import ManagedPolicy


@cache
def most_at_once() -> int:
    """How many transactions can be under way at the same time: one on SQLite, where a writer has the file to itself,
    and one for each connection on PostgreSQL."""
    if connection.vendor != "postgresql":
        return 1
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_connections")
        row: Any = cursor.fetchone()
    return int(row[0])


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


def locked_role(role: Role) -> Role:
    """Raises NoSuchEntity when it has gone."""
    found = Role.objects.select_for_update().filter(pk=role.pk).first()
    if found is None:
        raise NoSuchEntity(f"The role with name {role.name} cannot be found.")
    return found


def locked_own_role(role: Role) -> Role:
    """A role that the account may change. Raises NoSuchEntity, and UnmodifiableEntity for a service-linked one."""
    role = locked_role(role)
    if role.is_service_linked:
        raise UnmodifiableEntity(
            f"Cannot perform the operation on the protected role '{role.name}' - this role is only modifiable by AWS"
        )
    return role


def locked_instance_profile(profile: InstanceProfile) -> InstanceProfile:
    """Raises NoSuchEntity when it has gone."""
    found = InstanceProfile.objects.select_for_update().filter(pk=profile.pk).first()
    if found is None:
        raise NoSuchEntity(f"Instance Profile {profile.name} cannot be found.")
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
