from api import context, describe
from api.registry import Call, Result, action
from api.targets import found_group, found_role, found_user, group, role, user
from audit.errors import NoSuchEntity
from identities.models import GroupInlinePolicy, RoleInlinePolicy, UserInlinePolicy
from identities.services import inline_policies


@action("iam:PutUserPolicy", resource=user, context=context.present_boundary)
def put_user_policy(call: Call) -> None:
    inline_policies.put_user_policy(
        by=call.principal, user=found_user(call), name=call["PolicyName"], document=call["PolicyDocument"]
    )


@action("iam:DeleteUserPolicy", resource=user, context=context.present_boundary)
def delete_user_policy(call: Call) -> None:
    inline_policies.delete_user_policy(by=call.principal, user=found_user(call), name=call["PolicyName"])


@action("iam:ListUserPolicies", resource=user)
def list_user_policies(call: Call) -> Result:
    page = call.page(found_user(call).inline_policies.defer("document"), "name")
    return {"PolicyNames": [row.name for row in page.items], **page.fields}


@action("iam:GetUserPolicy", resource=user)
def get_user_policy(call: Call) -> Result:
    row = found_user_policy(call)
    return {"UserName": row.user.name, "PolicyName": row.name, "PolicyDocument": describe.document(row.document)}


def found_user_policy(call: Call) -> UserInlinePolicy:
    """The inline policy that PolicyName names. Raises NoSuchEntity."""
    row = found_user(call).inline_policies.select_related("user").filter(name=call["PolicyName"]).first()
    if row is None:
        raise NoSuchEntity(f"The user policy with name {call['PolicyName']} cannot be found.")
    return row


@action("iam:PutGroupPolicy", resource=group)
def put_group_policy(call: Call) -> None:
    inline_policies.put_group_policy(
        by=call.principal, group=found_group(call), name=call["PolicyName"], document=call["PolicyDocument"]
    )


@action("iam:DeleteGroupPolicy", resource=group)
def delete_group_policy(call: Call) -> None:
    inline_policies.delete_group_policy(by=call.principal, group=found_group(call), name=call["PolicyName"])


@action("iam:ListGroupPolicies", resource=group)
def list_group_policies(call: Call) -> Result:
    page = call.page(found_group(call).inline_policies.defer("document"), "name")
    return {"PolicyNames": [row.name for row in page.items], **page.fields}


@action("iam:GetGroupPolicy", resource=group)
def get_group_policy(call: Call) -> Result:
    row = found_group_policy(call)
    return {"GroupName": row.group.name, "PolicyName": row.name, "PolicyDocument": describe.document(row.document)}


def found_group_policy(call: Call) -> GroupInlinePolicy:
    """The inline policy that PolicyName names. Raises NoSuchEntity."""
    row = found_group(call).inline_policies.select_related("group").filter(name=call["PolicyName"]).first()
    if row is None:
        raise NoSuchEntity(f"The group policy with name {call['PolicyName']} cannot be found.")
    return row


@action("iam:PutRolePolicy", resource=role, context=context.present_boundary)
def put_role_policy(call: Call) -> None:
    inline_policies.put_role_policy(
        by=call.principal, role=found_role(call), name=call["PolicyName"], document=call["PolicyDocument"]
    )


@action("iam:DeleteRolePolicy", resource=role, context=context.present_boundary)
def delete_role_policy(call: Call) -> None:
    inline_policies.delete_role_policy(by=call.principal, role=found_role(call), name=call["PolicyName"])


@action("iam:ListRolePolicies", resource=role)
def list_role_policies(call: Call) -> Result:
    page = call.page(found_role(call).inline_policies.defer("document"), "name")
    return {"PolicyNames": [row.name for row in page.items], **page.fields}


@action("iam:GetRolePolicy", resource=role)
def get_role_policy(call: Call) -> Result:
    row = found_role_policy(call)
    return {"RoleName": row.role.name, "PolicyName": row.name, "PolicyDocument": describe.document(row.document)}


def found_role_policy(call: Call) -> RoleInlinePolicy:
    """The inline policy that PolicyName names. Raises NoSuchEntity."""
    row = found_role(call).inline_policies.select_related("role").filter(name=call["PolicyName"]).first()
    if row is None:
        raise NoSuchEntity(f"The role policy with name {call['PolicyName']} cannot be found.")
    return row
