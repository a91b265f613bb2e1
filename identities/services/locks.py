"""Rows as they are now, kept from others until the transaction ends; always owner first, then policy."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

from django.db import IntegrityError
from django.db.models import Model, QuerySet

from accounts.room import Annotations
from audit.errors import EntityTemporarilyUnmodifiable, NoSuchEntity, PolicyNotAttachable, UnmodifiableEntity
from database.prepared import Param, Prepared
from identities.models import Group, InstanceProfile, Role, User
from identities.models.lockdowns import LOCKDOWN_POLICY
from policies.models import ManagedPolicy

Row = TypeVar("Row", bound=Model)
# How PostgreSQL and SQLite call what names a row that is not there.
_FOREIGN_KEY_VIOLATIONS = ("23503", "SQLITE_CONSTRAINT_FOREIGNKEY")
_BUILT_IN = "arn:aws:iam::aws:policy/"


def _locking(rows: QuerySet[Row], *related: str) -> QuerySet[Row]:
    """With its account, whose quotas most changes ask for; that one is not kept from others."""
    return rows.select_for_update(of=("self",)).select_related("account", *related)


@cache
def _users(*related: str) -> Prepared[User]:
    return Prepared(lambda: _locking(User.objects.filter(unique_id=Param("unique_id")), "boundary", *related))


def _users_named() -> QuerySet[User]:
    named = User.objects.filter(account_id=Param("account_id"), name_key=Param("name_key"))
    return _locking(named, "boundary")


def _roles() -> QuerySet[Role]:
    return _locking(Role.objects.filter(unique_id=Param("unique_id")), "boundary")


@cache
def _groups(annotations: Annotations) -> Prepared[Group]:
    return Prepared(lambda: _locking(Group.objects.filter(unique_id=Param("unique_id")).annotate(**annotations())))


@cache
def _policies(annotations: Annotations, is_built_in: bool) -> Prepared[ManagedPolicy]:
    """Built-in ones are shared by all accounts and never deleted: waiting for each other there would gain nothing."""

    def build() -> QuerySet[ManagedPolicy]:
        account_id = None if is_built_in else Param("account_id")
        rows = ManagedPolicy.objects.filter(account_id=account_id, name_key=Param("name_key")).annotate(**annotations())
        return rows if is_built_in else rows.select_for_update(of=("self",))

    return Prepared(build)


_USERS_NAMED = Prepared(_users_named)
_ROLES = Prepared(_roles)


@contextmanager
def missing_reference_refused(otherwise: str, *, field: str = "") -> Iterator[None]:
    """Around a transaction that refers to a row without locking it, because too many refer to it at once, or another
    query would be too much: if it was deleted meanwhile, its foreign key refuses the transaction. Then raises
    NoSuchEntity with the message `otherwise`."""
    try:
        yield
    except IntegrityError as error:
        cause = error.__cause__
        if getattr(cause, "sqlstate", getattr(cause, "sqlite_errorname", "")) not in _FOREIGN_KEY_VIOLATIONS:
            raise
        raise NoSuchEntity(otherwise, field=field) from error


def locked_user(user: User, *related: str) -> User:
    """The user, locked, with the rows of the `related` foreign keys. Raises NoSuchEntity when it has gone."""
    return _found_user(_users(*related).rows(unique_id=user.unique_id), user.name)


def locked_user_named(account_id: str, name: str) -> User:
    """Raises NoSuchEntity."""
    return _found_user(_USERS_NAMED.rows(account_id=account_id, name_key=name.lower()), name)


def locked_user_for_credentials(user: User, *related: str) -> User:
    """A user who may be given a credential that counts, or have one of theirs count again: kept from others, so that a
    lockdown comes before it or finds it. Raises NoSuchEntity, EntityTemporarilyUnmodifiable."""
    user = locked_user(user, *related)
    if user.is_locked_down:
        raise EntityTemporarilyUnmodifiable(
            f"The user {user.name} is locked down: no credential can be made or activated before that is lifted."
        )
    return user


def refuse_locked_down(user: User | None) -> None:
    """Lock the owner of a credential that is to count again, and refuse one who is locked down. Root, where `user` is
    None, is never locked down. Raises NoSuchEntity, EntityTemporarilyUnmodifiable."""
    if user is not None:
        locked_user_for_credentials(user)


def _found_user(found: list[User], name: str) -> User:
    if not found:
        raise NoSuchEntity(f"The user with name {name} cannot be found.")
    return found[0]


def locked_group(group: Group, annotations: Annotations = dict, **given: str) -> Group:
    """The group, locked; `annotations` are made in the same query, with the values `given` for its Params. Raises
    NoSuchEntity when it has gone."""
    found = _groups(annotations).rows(unique_id=group.unique_id, **given)
    if not found:
        raise NoSuchEntity(f"The group with name {group.name} cannot be found.")
    return found[0]


def locked_role(role: Role) -> Role:
    """Raises NoSuchEntity when it has gone."""
    found = _ROLES.rows(unique_id=role.unique_id)
    if not found:
        raise NoSuchEntity(f"The role with name {role.name} cannot be found.")
    return found[0]


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
    found = _locking(InstanceProfile.objects.filter(pk=profile.pk), "role").first()
    if found is None:
        raise NoSuchEntity(f"Instance Profile {profile.name} cannot be found.")
    return found


def locked_policy(
    policy: ManagedPolicy | str, account_id: str, annotations: Annotations = dict, **given: str
) -> ManagedPolicy:
    """A policy that may be attached in the account, given as a row or by its ARN; `annotations` as for `locked_group`.
    Raises NoSuchEntity, also for another account's, and PolicyNotAttachable for the one of lockdowns."""
    arn = policy if isinstance(policy, str) else policy.arn
    name, is_built_in = arn.rpartition("/")[2].lower(), arn.startswith(_BUILT_IN)
    found = _policies(annotations, is_built_in).rows(account_id=account_id, name_key=name, **given)
    if not found or found[0].arn != arn:
        raise NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
    if is_built_in and found[0].name == LOCKDOWN_POLICY:
        raise PolicyNotAttachable(f"Policy {arn} is attached by locking a user down, and not by hand.")
    return found[0]
