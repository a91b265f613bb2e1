"""Reports on which services a user, group, role or policy opens, and who last tried them (access advisor)."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from typing import Any

from django.db.models import Q, prefetch_related_objects

from access.last_accessed import uses_of
from access.models import AccessReport, ActionUse
from audit import clock
from audit.errors import NoSuchEntity
from audit.principal import Principal
from audit.services import record
from identities.models import Group, Role, User
from policies.compiled import compile_text
from policies.models import ManagedPolicy, PolicyVersion
from policies.service_access import service_names, services_granted

Entity = User | Group | Role | ManagedPolicy
# Reports are kept for as long as anybody may be reading them.
_KEPT = timedelta(days=7)
# As far back as AWS looks.
_REACH = timedelta(days=400)
_POLICIES = ("attachments__policy", "inline_policies")


@dataclass(frozen=True, slots=True)
class GrantingPolicy:
    """A policy that counts for somebody. An inline one is named with what it is in."""

    name: str
    document: str
    arn: str = ""
    holder: User | Group | Role | None = None


def generate_service_last_accessed_details(*, by: Principal, entity: Entity, granularity: str) -> AccessReport:
    """Make a report for the caller."""
    AccessReport.objects.filter(account_id=by.account_id, created_at__lt=clock.now() - _KEPT).delete()
    report = AccessReport.objects.create(
        account_id=by.account_id,
        asked_by=_asker(by),
        arn=entity.arn,
        granularity=granularity,
        services=services_of(by.account_id, entity),
    )
    record(by, "iam:GenerateServiceLastAccessedDetails", entity.arn, job_id=str(report.id))
    return report


def get_report(by: Principal, job_id: str) -> AccessReport:
    """Only who asked for a report reads it, a role in any of its sessions. Raises NoSuchEntity."""
    try:
        wanted = uuid.UUID(job_id)
    except ValueError as error:
        raise _no_such_job(job_id) from error
    report = AccessReport.objects.filter(pk=wanted, account_id=by.account_id, asked_by=_asker(by)).first()
    if report is None:
        raise _no_such_job(job_id)
    return report


def services_of(account_id: str, entity: Entity) -> list[dict[str, Any]]:
    """Every service that the entity opens, by namespace, with who tried it when."""
    names = service_names()
    opened = {name for policy in policies_of(entity) for name in opened_by(policy, names)}
    people = {row.unique_id: row for row in _people(account_id, entity)}
    by_service: dict[str, list[ActionUse]] = {}
    for use in uses_of(account_id, people):
        if clock.now() - use.at <= _REACH:
            by_service.setdefault(use.action.partition(":")[0], []).append(use)
    return [
        _service(namespace, names[namespace], by_service.get(namespace, ()), people) for namespace in sorted(opened)
    ]


def policies_of(entity: Entity) -> list[GrantingPolicy]:
    """The policies whose permissions somebody has: its own, and for a user those of its groups."""
    if isinstance(entity, ManagedPolicy):
        return [GrantingPolicy(entity.name, text, entity.arn) for text in _default_texts([entity]).values()]
    holders: list[User | Group | Role] = [entity]
    if isinstance(entity, User):
        groups = Group.objects.filter(memberships__user=entity).order_by("name_key")
        holders += groups.prefetch_related(*_POLICIES)
    prefetch_related_objects([entity], *_POLICIES)
    texts = _default_texts([row.policy for holder in holders for row in holder.attachments.all()])
    found: dict[str, GrantingPolicy] = {}
    for holder in holders:
        managed = sorted((row.policy for row in holder.attachments.all()), key=attrgetter("name_key"))
        found |= {row.arn: GrantingPolicy(row.name, texts[row.pk], row.arn) for row in managed if row.pk in texts}
        inlines: list[Any] = sorted(holder.inline_policies.all(), key=attrgetter("name"))
        for inline in inlines:
            found[f"{holder.arn} {inline.name}"] = GrantingPolicy(inline.name, inline.document, holder=holder)
    return list(found.values())


def opened_by(policy: GrantingPolicy, namespaces: Iterable[str]) -> set[str]:
    """The services that a policy opens."""
    return services_granted(compile_text(policy.document), namespaces)


def _default_texts(policies: Sequence[ManagedPolicy]) -> dict[int, str]:
    rows = PolicyVersion.objects.filter(policy__in=policies, is_default=True)
    return dict(rows.values_list("policy_id", "document"))


def _asker(by: Principal) -> str:
    return by.issuer_id or by.unique_id


def _no_such_job(job_id: str) -> NoSuchEntity:
    return NoSuchEntity(f"No job with id {job_id} was found for this caller.")


def _people(account_id: str, entity: Entity) -> list[User | Role]:
    """The users and roles whose tries count."""
    if isinstance(entity, (User, Role)):
        return [entity]
    if isinstance(entity, Group):
        return list(User.objects.filter(memberships__group=entity).distinct())
    attached = Q(attachments__policy=entity)
    in_group = Q(memberships__group__attachments__policy=entity)
    users = User.objects.filter(attached | in_group, account_id=account_id).distinct()
    return [*users, *Role.objects.filter(attached, account_id=account_id).distinct()]


def _service(namespace: str, name: str, uses: Sequence[ActionUse], people: Mapping[str, User | Role]) -> dict[str, Any]:
    """`uses` are in the order of time, so the last of each kind counts."""
    last_of = {use.principal_id: use for use in uses}
    actions = {use.action: use for use in uses}
    return {
        "namespace": namespace,
        "name": name,
        "entities": [_entity(people[who], use) for who, use in last_of.items()],
        "actions": [
            {"name": use.action.partition(":")[2], "arn": people[use.principal_id].arn, "at": use.at.isoformat()}
            for use in sorted(actions.values(), key=lambda use: use.action)
        ],
    }


def _entity(row: User | Role, use: ActionUse) -> dict[str, str]:
    kind = "USER" if isinstance(row, User) else "ROLE"
    facts = {"arn": row.arn, "name": row.name, "type": kind, "id": row.unique_id, "path": row.path}
    return {**facts, "at": use.at.isoformat()}
