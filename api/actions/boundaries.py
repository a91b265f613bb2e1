from api import context
from api.registry import Call, action
from api.targets import attachable_arn, found_role, found_user, role, user
from identities.services import boundaries


@action("iam:PutUserPermissionsBoundary", resource=user, context=context.given_boundary)
def put_user_permissions_boundary(call: Call) -> None:
    boundaries.put_user_permissions_boundary(
        by=call.principal, user=found_user(call), policy=attachable_arn(call, "PermissionsBoundary")
    )


@action("iam:DeleteUserPermissionsBoundary", resource=user, context=context.present_boundary)
def delete_user_permissions_boundary(call: Call) -> None:
    boundaries.delete_user_permissions_boundary(by=call.principal, user=found_user(call))


@action("iam:PutRolePermissionsBoundary", resource=role, context=context.given_boundary)
def put_role_permissions_boundary(call: Call) -> None:
    boundaries.put_role_permissions_boundary(
        by=call.principal, role=found_role(call), policy=attachable_arn(call, "PermissionsBoundary")
    )


@action("iam:DeleteRolePermissionsBoundary", resource=role, context=context.present_boundary)
def delete_role_permissions_boundary(call: Call) -> None:
    boundaries.delete_role_permissions_boundary(by=call.principal, role=found_role(call))
