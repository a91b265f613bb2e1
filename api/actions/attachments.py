from api import context, listed
from api.registry import Call, Result, action
from api.tables import Table
from api.targets import attachable_arn, found_group, found_role, found_user, group, policy_to_detach, role, user
from identities.models import Group, Role, User
from identities.services import attachments


@action("iam:AttachUserPolicy", resource=user, context=context.policy_for_holder)
def attach_user_policy(call: Call) -> None:
    attachments.attach_user_policy(by=call.principal, user=found_user(call), policy=attachable_arn(call))


@action("iam:DetachUserPolicy", resource=user, context=context.policy_for_holder)
def detach_user_policy(call: Call) -> None:
    attachments.detach_user_policy(by=call.principal, user=found_user(call), policy=policy_to_detach(call))


@action("iam:AttachGroupPolicy", resource=group, context=context.policy_arn)
def attach_group_policy(call: Call) -> None:
    attachments.attach_group_policy(by=call.principal, group=found_group(call), policy=attachable_arn(call))


@action("iam:DetachGroupPolicy", resource=group, context=context.policy_arn)
def detach_group_policy(call: Call) -> None:
    attachments.detach_group_policy(by=call.principal, group=found_group(call), policy=policy_to_detach(call))


@action("iam:AttachRolePolicy", resource=role, context=context.policy_for_holder)
def attach_role_policy(call: Call) -> None:
    attachments.attach_role_policy(by=call.principal, role=found_role(call), policy=attachable_arn(call))


@action("iam:DetachRolePolicy", resource=role, context=context.policy_for_holder)
def detach_role_policy(call: Call) -> None:
    attachments.detach_role_policy(by=call.principal, role=found_role(call), policy=policy_to_detach(call))


@action("iam:ListAttachedUserPolicies", resource=user)
def list_attached_user_policies(call: Call) -> Result:
    return attached(call, listed.ATTACHED_TO_USER, found_user(call))


@action("iam:ListAttachedGroupPolicies", resource=group)
def list_attached_group_policies(call: Call) -> Result:
    return attached(call, listed.ATTACHED_TO_GROUP, found_group(call))


@action("iam:ListAttachedRolePolicies", resource=role)
def list_attached_role_policies(call: Call) -> Result:
    return attached(call, listed.ATTACHED_TO_ROLE, found_role(call))


def attached(call: Call, table: Table, owner: User | Group | Role) -> Result:
    page = call.table(table, owner=owner.pk)
    return {"AttachedPolicies": page.rows, **page.fields}
