from api.actions.roles import described
from api.registry import Call, Context, Result, Target, action
from api.targets import found_role, role
from identities.services import service_linked_roles as services
from identities.services.service_linked_roles import linked_role_arn


def new_linked_role(call: Call) -> Target:
    return Target(linked_role_arn(call.account_id, call["AWSServiceName"], call.get("CustomSuffix", "")))


def service_name(call: Call) -> Context:
    return {"iam:AWSServiceName": call["AWSServiceName"]}


@action("iam:CreateServiceLinkedRole", resource=new_linked_role, context=service_name)
def create_service_linked_role(call: Call) -> Result:
    row = services.create_service_linked_role(
        by=call.principal,
        service=call["AWSServiceName"],
        description=call.get("Description", ""),
        suffix=call.get("CustomSuffix", ""),
    )
    made = described(row)
    made.pop("RoleLastUsed")
    return {"Role": made}


@action("iam:DeleteServiceLinkedRole", resource=role)
def delete_service_linked_role(call: Call) -> Result:
    task = services.delete_service_linked_role(by=call.principal, role=found_role(call))
    return {"DeletionTaskId": task.task_id}


def deleted_role(call: Call) -> Target:
    """The role that a task was to delete, which the task's id names."""
    path, _, _ = call["DeletionTaskId"].removeprefix("task").rpartition("/")
    return Target(f"arn:aws:iam::{call.account_id}:role{path}")


@action("iam:GetServiceLinkedRoleDeletionStatus", resource=deleted_role)
def get_service_linked_role_deletion_status(call: Call) -> Result:
    task = services.get_deletion(call.account_id, call["DeletionTaskId"])
    return {"Status": task.status, "Reason": {"Reason": task.reason} if task.reason else None}
