from api import context, describe, listed
from api.registry import Call, Result, action
from api.targets import attachable_arn, found_user, user
from database.prefetch import set_prefetched
from identities.models import UserTag
from identities.models.users import user_arn
from identities.services import users


@action("iam:CreateUser", resource="user{Path}{UserName}", context=context.new_holder)
def create_user(call: Call) -> Result:
    """Tags decide what their bearer may do, so a user is born with them only by somebody who may tag it."""
    if tags := call.tags:
        call.gate.require("iam:TagUser", call.target.arn, context.tags_of_new_user(call))
    row = users.create_user(
        by=call.principal,
        name=call["UserName"],
        path=call.get("Path", "/"),
        tags=tags,
        boundary=attachable_arn(call, "PermissionsBoundary") if "PermissionsBoundary" in call else None,
    )
    set_prefetched(row, "tags", [UserTag(user=row, key=key, value=value) for key, value in tags.items()])
    return {"User": describe.user_in_full(row)}


@action("iam:GetUser", resource=user)
def get_user(call: Call) -> Result:
    if call.is_about_root:
        return {"User": describe.root_user(call.account)}
    return {"User": describe.user_in_full(found_user(call))}


@action("iam:ListUsers", resource="*")
def list_users(call: Call) -> Result:
    page = call.table(listed.USERS)
    return {"Users": page.rows, **page.fields}


@action("iam:UpdateUser", resource=user)
def update_user(call: Call) -> None:
    """Renaming is a change of two names, and needs the permission on both."""
    row = found_user(call)
    path, name = call.get("NewPath", row.path), call.get("NewUserName", row.name)
    call.gate.require(call.operation.action, user_arn(call.account_id, path, name), call.target.context)
    users.update_user(by=call.principal, user=row, new_name=call.get("NewUserName"), new_path=call.get("NewPath"))


@action("iam:DeleteUser", resource=user)
def delete_user(call: Call) -> None:
    users.delete_user(by=call.principal, user=found_user(call))


@action("iam:TagUser", resource=user, context=context.tags_of_holder)
def tag_user(call: Call) -> None:
    users.tag_user(by=call.principal, user=found_user(call), tags=call.tags)


@action("iam:UntagUser", resource=user, context=context.removed_tags_of_holder)
def untag_user(call: Call) -> None:
    users.untag_user(by=call.principal, user=found_user(call), keys=call["TagKeys"])


@action("iam:ListUserTags", resource=user)
def list_user_tags(call: Call) -> Result:
    page = call.page_of(describe.user_tags(found_user(call)))
    return {"Tags": page.items, **page.fields}
