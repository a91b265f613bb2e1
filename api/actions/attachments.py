from django.db.models import QuerySet

from api import context, describe
from api.registry import Call, Result, action
from api.targets import attachable_policy, found_group, found_user, group, user
from identities.services import attachments
from policies.models import ManagedPolicy


@action("iam:AttachUserPolicy", resource=user, context=context.policy_for_user)
def attach_user_policy(call: Call) -> None:
    attachments.attach_user_policy(by=call.principal, user=found_user(call), policy=attachable_policy(call))


@action("iam:DetachUserPolicy", resource=user, context=context.policy_for_user)
def detach_user_policy(call: Call) -> None:
    attachments.detach_user_policy(by=call.principal, user=found_user(call), policy=attachable_policy(call))


@action("iam:AttachGroupPolicy", resource=group, context=context.policy_arn)
def attach_group_policy(call: Call) -> None:
    attachments.attach_group_policy(by=call.principal, group=found_group(call), policy=attachable_policy(call))


@action("iam:DetachGroupPolicy", resource=group, context=context.policy_arn)
def detach_group_policy(call: Call) -> None:
    attachments.detach_group_policy(by=call.principal, group=found_group(call), policy=attachable_policy(call))


@action("iam:ListAttachedUserPolicies", resource=user)
def list_attached_user_policies(call: Call) -> Result:
    return attached(call, ManagedPolicy.objects.filter(user_attachments__user=found_user(call)))


@action("iam:ListAttachedGroupPolicies", resource=group)
def list_attached_group_policies(call: Call) -> Result:
    return attached(call, ManagedPolicy.objects.filter(group_attachments__group=found_group(call)))


def attached(call: Call, rows: QuerySet[ManagedPolicy]) -> Result:
    page = call.page_of(list(rows.filter(call.under_path()).order_by("name_key", "account_id")))
    return {"AttachedPolicies": [describe.attached_policy(row) for row in page.items], **page.fields}
