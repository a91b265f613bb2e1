"""Managed policies on users and groups. Attaching twice is no error; detaching what is not attached is one."""

from django.db import transaction

from audit.errors import NoSuchEntity
from audit.principal import Principal
from audit.services import record
from identities.models import Group, GroupAttachment, User, UserAttachment
from identities.services.locks import locked_group, locked_policy, locked_user
from identities.slots import create_in_slot
from policies.models import ManagedPolicy


@transaction.atomic
def attach_user_policy(*, by: Principal, user: User, policy: ManagedPolicy) -> None:
    """Attach a policy of the account, or a built-in one, to a user. Raises LimitExceeded, NoSuchEntity."""
    user = locked_user(user)
    policy = locked_policy(policy, user.account_id)

    def attach(slot: int) -> UserAttachment:
        return UserAttachment.objects.create(user=user, policy=policy, slot=slot)

    new = not user.attachments.filter(policy=policy).exists()
    if new:
        quota = user.account.quota("policies_per_user")
        create_in_slot(user.attachments.all(), quota, attach, quota_name="PoliciesPerUser")
    record(by, "iam:AttachUserPolicy", user.arn, policy=policy.arn, changed=new)


@transaction.atomic
def detach_user_policy(*, by: Principal, user: User, policy: ManagedPolicy) -> None:
    """Take a policy from a user; the policy itself stays. Raises NoSuchEntity when it is not attached."""
    if not UserAttachment.objects.filter(user=user, policy=policy).delete()[0]:
        raise _not_attached(policy)
    record(by, "iam:DetachUserPolicy", user.arn, policy=policy.arn)


@transaction.atomic
def attach_group_policy(*, by: Principal, group: Group, policy: ManagedPolicy) -> None:
    """Attach a policy to a group, and so to all its users. Raises LimitExceeded, NoSuchEntity."""
    group = locked_group(group)
    policy = locked_policy(policy, group.account_id)

    def attach(slot: int) -> GroupAttachment:
        return GroupAttachment.objects.create(group=group, policy=policy, slot=slot)

    new = not group.attachments.filter(policy=policy).exists()
    if new:
        quota = group.account.quota("policies_per_group")
        create_in_slot(group.attachments.all(), quota, attach, quota_name="PoliciesPerGroup")
    record(by, "iam:AttachGroupPolicy", group.arn, policy=policy.arn, changed=new)


@transaction.atomic
def detach_group_policy(*, by: Principal, group: Group, policy: ManagedPolicy) -> None:
    """Take a policy from a group, and so from all its users. Raises NoSuchEntity when it is not attached."""
    if not GroupAttachment.objects.filter(group=group, policy=policy).delete()[0]:
        raise _not_attached(policy)
    record(by, "iam:DetachGroupPolicy", group.arn, policy=policy.arn)


def _not_attached(policy: ManagedPolicy) -> NoSuchEntity:
    return NoSuchEntity(f"Policy {policy.arn} was not found.")
