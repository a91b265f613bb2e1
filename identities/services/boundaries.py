"""Permissions boundaries: the managed policy that limits what the other policies of a user or role can give. Groups
have none."""

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery

from accounts.room import Room, room_for
from audit.errors import NoSuchEntity
from audit.principal import Principal
from audit.services import record
from database.prepared import Param
from identities.models import Role, User
from identities.services.locks import locked_own_role, locked_policy, locked_user, missing_reference_refused
from policies.models import AWS, ManagedPolicy

# To stand around a transaction that makes a user or role with a boundary.
missing_boundary_refused = partial(
    missing_reference_refused,
    "The policy for the permissions boundary does not exist or is not attachable.",
    field="boundary",
)


def room_and_boundary(
    account_id: str, relation: str, boundary: ManagedPolicy | str | None
) -> tuple[Room, ManagedPolicy | None]:
    """For a user or role that is to be born with a boundary, given as a row or by its ARN: then both are found out in
    one query. Raises NoSuchEntity, also for another account's."""
    if not isinstance(boundary, str):
        if boundary is not None and boundary.account_id not in (None, account_id):
            raise NoSuchEntity(f"Policy {boundary.arn} was not found.", field="boundary")
        return room_for(account_id, relation), boundary
    scope, _, place = boundary.removeprefix("arn:aws:iam::").partition(":policy")
    path, slash, name = place.rpartition("/")
    named = ManagedPolicy(account_id=None if scope == AWS else scope, path=path + slash, name=name)
    annotations = _built_in_key if named.is_built_in else _own_key
    room = room_for(account_id, relation, annotations=annotations, path=named.path, name=name, name_key=name.lower())
    named.pk = room.account.boundary_key  # type: ignore[attr-defined] # annotated below
    if named.pk is None or named.account_id not in (None, account_id) or named.arn != boundary:
        raise NoSuchEntity(f"Policy {boundary} does not exist or is not attachable.", field="boundary")
    return room, named


def _own_key() -> dict[str, Any]:
    return _key(OuterRef("pk"))


def _built_in_key() -> dict[str, Any]:
    return _key(None)


def _key(account_id: OuterRef | None) -> dict[str, Any]:
    """The key of the policy whose ARN has these parts, which are compared exactly."""
    parts = {name: Param(name) for name in ("path", "name", "name_key")}
    return {"boundary_key": Subquery(ManagedPolicy.objects.filter(account_id=account_id, **parts).values("pk"))}


@transaction.atomic
def put_user_permissions_boundary(*, by: Principal, user: User, policy: ManagedPolicy | str) -> None:
    """Set a user's boundary, given as a row or by its ARN, in the place of the one that is there. Raises
    NoSuchEntity."""
    user = locked_user(user)
    _set(by, "iam:PutUserPermissionsBoundary", user, locked_policy(policy, user.account_id))


@transaction.atomic
def delete_user_permissions_boundary(*, by: Principal, user: User) -> None:
    """Take a user's boundary away: its policies count in full again. No error where there is none."""
    _set(by, "iam:DeleteUserPermissionsBoundary", locked_user(user), None)


@transaction.atomic
def put_role_permissions_boundary(*, by: Principal, role: Role, policy: ManagedPolicy | str) -> None:
    """Set a role's boundary, in the place of the one that is there. Raises NoSuchEntity, UnmodifiableEntity."""
    role = locked_own_role(role)
    _set(by, "iam:PutRolePermissionsBoundary", role, locked_policy(policy, role.account_id))


@transaction.atomic
def delete_role_permissions_boundary(*, by: Principal, role: Role) -> None:
    """Take a role's boundary away. No error where there is none. Raises UnmodifiableEntity."""
    _set(by, "iam:DeleteRolePermissionsBoundary", locked_own_role(role), None)


def _set(by: Principal, action: str, holder: User | Role, policy: ManagedPolicy | None) -> None:
    before = holder.boundary.arn if holder.boundary else None
    holder.boundary = policy
    holder.save(update_fields=["boundary"])
    record(by, action, holder.arn, before=before, after=policy.arn if policy else None)
