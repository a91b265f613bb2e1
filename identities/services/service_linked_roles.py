"""Service-linked roles: made for one service, which alone is let in; nobody else changes them.

Deleting one is a task whose outcome is asked for later. Here it is done at once, so a task is over when it is told.
"""

import json
import re
import uuid

from django.db import transaction

from audit.errors import DeleteConflict, EntityAlreadyExists, InvalidInput, NoSuchEntity
from audit.principal import Principal
from identities.models import Role, ServiceLinkedRoleDeletion
from identities.models.roles import SERVICE_LINKED_PATH, role_arn
from identities.services.locks import locked_role
from identities.services.roles import insert_role, remove_role

_SERVICE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com")
# Services that name their role otherwise than the rule below; those that allow several are marked.
_NAMES = {
    "autoscaling.amazonaws.com": "AutoScaling",
    "ecs.amazonaws.com": "ECS",
    "ec2.amazonaws.com": "EC2",
    "eks.amazonaws.com": "AmazonEKS",
    "elasticloadbalancing.amazonaws.com": "ElasticLoadBalancing",
    "es.amazonaws.com": "AmazonElasticsearchService",
    "lex.amazonaws.com": "LexBots",
    "opensearchservice.amazonaws.com": "AmazonOpenSearchService",
    "rds.amazonaws.com": "RDS",
    "ssm.amazonaws.com": "AmazonSSM",
}
_WITHOUT_SUFFIX = frozenset(_NAMES) - {"autoscaling.amazonaws.com", "lex.amazonaws.com"}


def linked_role_arn(account_id: str, service: str, suffix: str = "") -> str:
    return role_arn(account_id, f"{SERVICE_LINKED_PATH}{service}/", linked_role_name(service, suffix))


def linked_role_name(service: str, suffix: str = "") -> str:
    """AWSServiceRoleFor and the service, such as AWSServiceRoleForAutoScaling, with the suffix behind a line."""
    words = service.removesuffix(".amazonaws.com").replace(".", "-").split("-")
    name = _NAMES.get(service) or "".join(word.capitalize() for word in words)
    return f"AWSServiceRoleFor{name}" + (f"_{suffix}" if suffix else "")


@transaction.atomic
def create_service_linked_role(*, by: Principal, service: str, description: str = "", suffix: str = "") -> Role:
    """Make the role of a service. Raises InvalidInput (no service, suffix not allowed, role there already),
    LimitExceeded."""
    if not _SERVICE.fullmatch(service):
        raise InvalidInput(f"{service} is not the name of a service, such as autoscaling.amazonaws.com.")
    if suffix and service in _WITHOUT_SUFFIX:
        raise InvalidInput(f"Custom suffix is not allowed for {service}")
    name = linked_role_name(service, suffix)
    try:
        return insert_role(
            by=by,
            action="iam:CreateServiceLinkedRole",
            name=name,
            trust=_trust(service),
            path=f"{SERVICE_LINKED_PATH}{service}/",
            description=description,
            tags={},
        )
    except EntityAlreadyExists as error:
        message = f"Service role name {name} has been taken in this account, please try a different suffix."
        raise InvalidInput(message) from error


def _trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@transaction.atomic
def delete_service_linked_role(*, by: Principal, role: Role) -> ServiceLinkedRoleDeletion:
    """Delete the role of a service, and say by which task. Raises NoSuchEntity for any other role."""
    role = locked_role(role)
    if not role.is_service_linked:
        raise NoSuchEntity(f"Role {role.name} is not a service-linked role.")
    task = ServiceLinkedRoleDeletion(
        task_id=f"task{role.path}{role.name}/{uuid.uuid4()}", account_id=role.account_id, role_arn=role.arn
    )
    try:
        # Nobody can have given it tags.
        remove_role(by=by, action="iam:DeleteServiceLinkedRole", role=role, tags={})
    except DeleteConflict as conflict:
        task.reason = conflict.message
    task.save(force_insert=True)
    return task


def get_deletion(account_id: str, task_id: str) -> ServiceLinkedRoleDeletion:
    """Raises NoSuchEntity for a task that is not there and for one of another account alike."""
    task = ServiceLinkedRoleDeletion.objects.filter(account_id=account_id, pk=task_id).first()
    if task is None:
        raise NoSuchEntity(f"Deletion id {task_id} cannot be found.")
    return task
