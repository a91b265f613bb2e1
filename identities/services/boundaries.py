"""Permissions boundaries: the managed policy that limits what a user's other policies can give. Groups have none."""

from django.db import transaction

from audit.principal import Principal
from audit.services import record
from identities.models import User
from identities.services.locks import locked_policy, locked_user
from policies.models import ManagedPolicy


@transaction.atomic
def put_user_permissions_boundary(*, by: Principal, user: User, policy: ManagedPolicy) -> None:
    """Set a user's boundary, in the place of the one that is there. Raises NoSuchEntity."""
    user = locked_user(user)
    policy = locked_policy(policy, user.account_id)
    before = _boundary_arn(user)
    user.boundary = policy
    user.save(update_fields=["boundary"])
    record(by, "iam:PutUserPermissionsBoundary", user.arn, before=before, after=policy.arn)


@transaction.atomic
def delete_user_permissions_boundary(*, by: Principal, user: User) -> None:
    """Take a user's boundary away: its policies count in full again. No error where there is none."""
    user = locked_user(user)
    before = _boundary_arn(user)
    user.boundary = None
    user.save(update_fields=["boundary"])
    record(by, "iam:DeleteUserPermissionsBoundary", user.arn, before=before, after=None)


def _boundary_arn(user: User) -> str | None:
    return user.boundary.arn if user.boundary else None
