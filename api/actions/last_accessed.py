import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from access import access_reports
from access.access_reports import Entity, GrantingPolicy
from access.models import AccessReport
from access.resources import load_group, load_role, load_user
from api.registry import Call, Result, Target, action
from api.targets import find_policy
from audit.errors import InvalidInput, NoSuchEntity
from identities.models import Group, Role, User
from policies.models import ManagedPolicy

_ENTITY_ARN = re.compile(r"arn:aws:iam::(\d{12}|aws):(user|group|role|policy)(/(?:[!-~]+/)?)([\w+=,.@-]+)", re.ASCII)
_KINDS: dict[type, str] = {User: "USER", Group: "GROUP", Role: "ROLE"}


_LOADERS = {"user": load_user, "group": load_group, "role": load_role}


def entity(call: Call) -> Target:
    """The user, group, role or policy of Arn, which is compared exactly. Raises InvalidInput for another kind."""
    arn = call["Arn"]
    parts = _ENTITY_ARN.fullmatch(arn)
    if parts is None:
        raise InvalidInput(f"ARN {arn} is not valid.")
    account_id, kind, _, name = parts.groups()
    if kind == "policy":
        return Target(arn, find_policy(call, arn))
    if account_id != call.account_id:
        return Target(arn)
    found = _LOADERS[kind](call.principal, name)
    return Target(arn, found.row, found.context) if found.arn == arn else Target(arn)


def identity(call: Call) -> Target:
    """As `entity`, but a policy has no policies."""
    if ":policy/" in call["Arn"]:
        raise InvalidInput(f"ARN {call['Arn']} is not that of a user, group or role.")
    return entity(call)


def found_entity(call: Call) -> Entity:
    """Raises NoSuchEntity."""
    if isinstance(call.target.row, (User, Group, Role, ManagedPolicy)):
        return call.target.row
    raise NoSuchEntity(f"ARN {call['Arn']} does not exist.")


@action("iam:GenerateServiceLastAccessedDetails", resource=entity)
def generate_service_last_accessed_details(call: Call) -> Result:
    report = access_reports.generate_service_last_accessed_details(
        by=call.principal, entity=found_entity(call), granularity=call.get("Granularity", "SERVICE_LEVEL")
    )
    return {"JobId": str(report.id)}


@action("iam:GetServiceLastAccessedDetails", resource="*")
def get_service_last_accessed_details(call: Call) -> Result:
    report = access_reports.get_report(call.principal, call["JobId"])
    page = call.page_of(report.services)
    with_actions = report.granularity == "ACTION_LEVEL"
    services = [_service(row, with_actions=with_actions) for row in page.items]
    return {**_job(report), "JobType": report.granularity, "ServicesLastAccessed": services, **page.fields}


@action("iam:GetServiceLastAccessedDetailsWithEntities", resource="*")
def get_service_last_accessed_details_with_entities(call: Call) -> Result:
    report = access_reports.get_report(call.principal, call["JobId"])
    services = {row["namespace"]: row for row in report.services}
    namespace = call["ServiceNamespace"]
    if namespace not in services:
        raise NoSuchEntity(f"The report {call['JobId']} has no service {namespace}.")
    page = call.page_of(sorted(services[namespace]["entities"], key=lambda row: str(row["arn"])))
    return {**_job(report), "EntityDetailsList": [_entity(row) for row in page.items], **page.fields}


@action("iam:ListPoliciesGrantingServiceAccess", resource=identity)
def list_policies_granting_service_access(call: Call) -> Result:
    holder = found_entity(call)
    policies = access_reports.policies_of(holder)
    namespaces = list(dict.fromkeys(name.lower() for name in call["ServiceNamespaces"]))
    opened = [(policy, access_reports.opened_by(policy, namespaces)) for policy in policies]
    granting = [
        {
            "ServiceNamespace": name,
            "Policies": [_granting(policy, holder) for policy, services in opened if name in services],
        }
        for name in namespaces
    ]
    page = call.page_of(granting)
    return {"PoliciesGrantingServiceAccess": page.items, **page.fields}


def _job(report: AccessReport) -> dict[str, object]:
    """A report is finished when its id is told."""
    return {
        "JobStatus": "COMPLETED",
        "JobCreationDate": report.created_at,
        "JobCompletionDate": report.created_at,
    }


def _service(row: Mapping[str, Any], *, with_actions: bool) -> dict[str, object]:
    last = max(row["entities"], key=lambda one: str(one["at"]), default=None)
    actions = [
        {"ActionName": one["name"], "LastAccessedEntity": one["arn"], "LastAccessedTime": _moment(one["at"])}
        for one in row["actions"]
    ]
    return {
        "ServiceName": row["name"],
        "ServiceNamespace": row["namespace"],
        "LastAuthenticated": _moment(last["at"]) if last else None,
        "LastAuthenticatedEntity": last["arn"] if last else None,
        "TotalAuthenticatedEntities": len(row["entities"]),
        "TrackedActionsLastAccessed": actions if with_actions and actions else None,
    }


def _entity(row: Mapping[str, str]) -> dict[str, object]:
    info = {"Arn": row["arn"], "Name": row["name"], "Type": row["type"], "Id": row["id"], "Path": row["path"]}
    return {"EntityInfo": info, "LastAuthenticated": _moment(row["at"])}


def _granting(policy: GrantingPolicy, holder: Entity) -> dict[str, object]:
    if policy.arn:
        return {"PolicyName": policy.name, "PolicyType": "MANAGED", "PolicyArn": policy.arn}
    kind, name = ("GROUP", policy.group) if policy.group else (_KINDS[type(holder)], holder.name)
    return {"PolicyName": policy.name, "PolicyType": "INLINE", "EntityType": kind, "EntityName": name}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
