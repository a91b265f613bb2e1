"""Reports on which services a user, group, role or policy opens, and who last tried them (access advisor)."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.expressions import Combinable

from access.last_accessed import uses_of
from access.models import AccessReport, ActionUse
from audit import clock
from audit.errors import NoSuchEntity
from audit.periodic import Periodic
from audit.principal import Principal
from audit.services import record
from database.batch import Build, QueryBatch, Rows
from database.prepared import Param
from identities.models import (
    Group,
    GroupAttachment,
    GroupInlinePolicy,
    Role,
    RoleAttachment,
    RoleInlinePolicy,
    User,
    UserAttachment,
    UserInlinePolicy,
)
from policies.compiled import compile_text
from policies.models import ManagedPolicy, PolicyVersion, policy_arn
from policies.service_access import service_names, services_granted

Entity = User | Group | Role | ManagedPolicy
_SWEEPING = Periodic(timedelta(hours=1))
# Reports are kept for as long as anybody may be reading them.
_KEPT = timedelta(days=7)
# As far back as AWS looks.
_REACH = timedelta(days=400)
_NO_GROUP = Value("")
_OF = Value(Param("of"))
# What a report tells of somebody.
_PERSON = ("unique_id", "path", "name")


@dataclass(frozen=True, slots=True)
class GrantingPolicy:
    """A policy that counts for somebody; an inline one has no ARN. `group` is the one through which a user has it."""

    name: str
    document: str
    arn: str = ""
    group: str = ""


def generate_service_last_accessed_details(*, by: Principal, entity: Entity, granularity: str) -> AccessReport:
    """Make a report for the caller."""
    if _SWEEPING.is_due():
        AccessReport.objects.filter(created_at__lt=clock.now() - _KEPT).delete()
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
    found = _ABOUT[type(entity)].rows(of=entity.pk, account_id=account_id)
    opened = {name for policy in _granting(found, entity) for name in opened_by(policy, names)}
    people = {row.unique_id: row for row in _people(found, account_id, entity)}
    by_service: dict[str, list[ActionUse]] = {}
    for use in uses_of(account_id, people):
        if clock.now() - use.at <= _REACH:
            by_service.setdefault(use.action.partition(":")[0], []).append(use)
    return [
        _service(namespace, names[namespace], by_service.get(namespace, ()), people) for namespace in sorted(opened)
    ]


def policies_of(entity: Entity) -> list[GrantingPolicy]:
    """The policies whose permissions somebody has: its own, and for a user those of its groups. All in one query."""
    return _granting(_ABOUT[type(entity)].rows(_POLICIES[type(entity)], of=entity.pk), entity)


def _granting(found: Mapping[str, Rows], entity: Entity) -> list[GrantingPolicy]:
    rows = [row for name in _POLICIES[type(entity)] for row in found[name]]
    policies: dict[str, GrantingPolicy] = {}
    for group, is_inline, account_id, path, name, document in sorted(rows, key=_place):
        arn = "" if is_inline else policy_arn(account_id, path, name)
        policies[arn or f"{group} {name}"] = GrantingPolicy(name, document, arn, group)
    return list(policies.values())


def _place(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """One's own come first, then those of the groups; managed ones before inline ones."""
    group, is_inline, _, _, name, _ = row
    return group.lower(), is_inline, name if is_inline else name.lower()


def _managed(model: type[Any], through: Combinable = _NO_GROUP, **whose: Any) -> Build:
    place = ("policy__account_id", "policy__path", "policy__name")
    rows = model.objects.filter(policy__versions__is_default=True, **whose)
    return partial(rows.values_list, through, Value(False), *place, "policy__versions__document")


def _inline(model: type[Any], through: Combinable = _NO_GROUP, **whose: Any) -> Build:
    rows = model.objects.filter(**whose)
    return partial(rows.values_list, through, Value(True), Value(""), Value(""), "name", "document")


def _counting() -> QuerySet[Any, Any]:
    """A managed policy itself, in the same form."""
    place = ("policy__account_id", "policy__path", "policy__name")
    rows = PolicyVersion.objects.filter(policy=_OF, is_default=True)
    return rows.values_list(_NO_GROUP, Value(False), *place, "document")


def _people_of(model: type[User] | type[Role], whose: Q) -> Build:
    rows = model._default_manager.filter(whose, account_id=Param("account_id")).distinct()
    return partial(rows.values_list, *_PERSON)


_THROUGH_GROUP: dict[str, Any] = {"group__memberships__user": _OF}
# What is read of somebody: the policies that count,
_POLICIES: dict[type[Entity], dict[str, Build]] = {
    User: {
        "managed": _managed(UserAttachment, user=_OF),
        "inline": _inline(UserInlinePolicy, user=_OF),
        "managed of groups": _managed(GroupAttachment, F("group__name"), **_THROUGH_GROUP),
        "inline of groups": _inline(GroupInlinePolicy, F("group__name"), **_THROUGH_GROUP),
    },
    Group: {"managed": _managed(GroupAttachment, group=_OF), "inline": _inline(GroupInlinePolicy, group=_OF)},
    Role: {"managed": _managed(RoleAttachment, role=_OF), "inline": _inline(RoleInlinePolicy, role=_OF)},
    ManagedPolicy: {"managed": _counting},
}
# and the users and roles whose tries count.
_ATTACHED = Q(attachments__policy=_OF)
_PEOPLE: dict[type[Entity], dict[str, Build]] = {
    Group: {"User": _people_of(User, Q(memberships__group=_OF))},
    ManagedPolicy: {
        "User": _people_of(User, _ATTACHED | Q(memberships__group__attachments__policy=_OF)),
        "Role": _people_of(Role, _ATTACHED),
    },
}
_ABOUT = {kind: QueryBatch(_POLICIES[kind] | _PEOPLE.get(kind, {})) for kind in _POLICIES}


def opened_by(policy: GrantingPolicy, namespaces: Iterable[str]) -> set[str]:
    """The services that a policy opens."""
    return services_granted(compile_text(policy.document), namespaces)


def _asker(by: Principal) -> str:
    return by.issuer_id or by.unique_id


def _no_such_job(job_id: str) -> NoSuchEntity:
    return NoSuchEntity(f"No job with id {job_id} was found for this caller.")


def _people(found: Mapping[str, Rows], account_id: str, entity: Entity) -> Sequence[User | Role]:
    """The users and roles whose tries count."""
    if isinstance(entity, (User, Role)):
        return [entity]
    return [
        model(account_id=account_id, **dict(zip(_PERSON, facts, strict=True)))
        for model in (User, Role)
        for facts in found.get(model.__name__, ())
    ]


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
