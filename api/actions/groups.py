from api import describe, listed
from api.registry import Call, Result, action
from api.targets import found_group, found_user, group, user
from identities.models import User
from identities.models.groups import group_arn
from identities.services import groups, users


@action("iam:CreateGroup", resource="group{Path}{GroupName}")
def create_group(call: Call) -> Result:
    row = groups.create_group(by=call.principal, name=call["GroupName"], path=call.get("Path", "/"))
    return {"Group": describe.group(row)}


@action("iam:GetGroup", resource=group)
def get_group(call: Call) -> Result:
    row = found_group(call)
    page = call.table(listed.MEMBERS, owner=row.pk)
    return {"Group": describe.group(row), "Users": page.rows, **page.fields}


@action("iam:ListGroups", resource="*")
def list_groups(call: Call) -> Result:
    page = call.table(listed.GROUPS)
    return {"Groups": page.rows, **page.fields}


@action("iam:ListGroupsForUser", resource=user)
def list_groups_for_user(call: Call) -> Result:
    page = call.table(listed.GROUPS_OF_USER, owner=found_user(call).pk)
    return {"Groups": page.rows, **page.fields}


@action("iam:UpdateGroup", resource=group)
def update_group(call: Call) -> None:
    """Renaming is a change of two names, and needs the permission on both."""
    row = found_group(call)
    path, name = call.get("NewPath", row.path), call.get("NewGroupName", row.name)
    call.gate.require(call.operation.action, group_arn(call.account_id, path, name))
    groups.update_group(by=call.principal, group=row, new_name=call.get("NewGroupName"), new_path=call.get("NewPath"))


@action("iam:DeleteGroup", resource=group)
def delete_group(call: Call) -> None:
    groups.delete_group(by=call.principal, group=found_group(call))


@action("iam:AddUserToGroup", resource=group)
def add_user_to_group(call: Call) -> None:
    groups.add_user_to_group(by=call.principal, group=found_group(call), user=call["UserName"])


@action("iam:RemoveUserFromGroup", resource=group)
def remove_user_from_group(call: Call) -> None:
    groups.remove_user_from_group(by=call.principal, group=found_group(call), user=member(call))


def member(call: Call) -> User:
    """The user that is put in or taken out. Raises NoSuchEntity."""
    return users.get_user(call.account_id, call["UserName"])
