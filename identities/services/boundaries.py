"""Permissions boundaries: the managed policy that limits what the other policies of a user or role can give. Groups
have none."""

from django.db import transaction

from audit.principal import Principal
from audit.services import record
from identities.models import Role, User
from identities.services.locks import locked_own_role, locked_policy, locked_user
from policies.models import ManagedPolicy


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
