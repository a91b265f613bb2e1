"""Roles: making, changing, tagging and deleting them. Their trust policies are read and written in `trust`."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts import ids, rules
from accounts.tags import delete_tags
from accounts.taken_names import taken_name_refused
from audit import clock
from audit.errors import (
    ConcurrentModification,
    NoSuchEntity,
    ValidationError,
)
from audit.principal import Principal
from audit.services import record
from database.inserts import PreparedInsert
from identities.models import Role
from identities.services import attachments, inline_policies, instance_profiles
from identities.services.access_keys import USE_WINDOW
from identities.services.boundaries import missing_boundary_refused, room_and_boundary
from identities.services.deletion import delete_if_unused
from identities.services.locks import locked_own_role, locked_role
from identities.services.tags import check_tags, put_tags, remove_tags, write_tags
from identities.services.trust import checked_trust
from policies.models import ManagedPolicy, document_digest

NAME_LIMIT, DESCRIPTION_LIMIT = 64, 1000
SHORTEST_SESSION, LONGEST_SESSION = 3600, 43200
_ROLES = PreparedInsert(Role)


def get_role(account_id: str, name: str) -> Role:
    """The account's role of that name, in any case. Raises NoSuchEntity."""
    role = Role.objects.filter(account_id=account_id, name_key=name.lower()).first()
    if role is None:
        raise NoSuchEntity(f"The role with name {name} cannot be found.")
    return role


@missing_boundary_refused()
@transaction.atomic
def create_role(
    *,
    by: Principal,
    name: str,
    trust: str,
    path: str = "/",
    description: str = "",
    max_session_seconds: int = SHORTEST_SESSION,
    tags: Mapping[str, str] | None = None,
    boundary: ManagedPolicy | str | None = None,
) -> Role:
    """Create a role without permissions, which those whom `trust` lets in may take on.

    Raises ValidationError, InvalidInput (tags), DocumentRefused, NoSuchEntity (boundary), EntityAlreadyExists,
    LimitExceeded.
    """
    if path.startswith("/aws-service-role/"):
        raise ValidationError("The path /aws-service-role/ is kept for service-linked roles.", field="path")
    return insert_role(
        by=by,
        action="iam:CreateRole",
        name=name,
        trust=trust,
        path=path,
        description=description,
        max_session_seconds=max_session_seconds,
        tags=tags or {},
        boundary=boundary,
    )


def insert_role(
    *,
    by: Principal,
    action: str,
    name: str,
    trust: str,
    path: str,
    description: str,
    max_session_seconds: int = SHORTEST_SESSION,
    tags: Mapping[str, str],
    boundary: ManagedPolicy | str | None = None,
) -> Role:
    """What creating a role and creating a service-linked one share. To be called in a transaction."""
    room, boundary = room_and_boundary(by.account_id, "roles", boundary)
    account = room.account
    _check_shape(name, path, description, max_session_seconds)
    check_tags(tags, account.quota("tags"))
    room.check("RolesPerAccount")
    checked = checked_trust(trust, account)
    role = Role(
        account=account,
        name=name,
        path=path,
        description=description,
        max_session_seconds=max_session_seconds,
        boundary=boundary,
        unique_id=ids.new_unique_id("AROA"),
        document=checked.stored,
    )
    role.shown_document = checked.shown
    with taken_name_refused(f"Role with name {name} already exists."):
        _ROLES.insert(role)
    if tags:
        write_tags(role, tags)
    record(by, action, role.arn, after=_facts(role), tags=dict(tags), document=trust)
    return role


@transaction.atomic
def update_role(
    *, by: Principal, role: Role, description: str | None = None, max_session_seconds: int | None = None
) -> Role:
    """Change description or longest session; sessions that are under way keep their time.

    Raises ValidationError, NoSuchEntity, UnmodifiableEntity.
    """
    role = locked_own_role(role)
    before = _facts(role)
    role.description = role.description if description is None else description
    role.max_session_seconds = max_session_seconds or role.max_session_seconds
    _check_shape(role.name, role.path, role.description, role.max_session_seconds)
    role.save(update_fields=["description", "max_session_seconds"])
    record(by, "iam:UpdateRole", role.arn, before=before, after=_facts(role))
    return role


@transaction.atomic
def update_role_description(*, by: Principal, role: Role, description: str) -> Role:
    """Change the description only. Raises ValidationError, NoSuchEntity; a service-linked role's may be changed."""
    role = locked_role(role)
    before, role.description = role.description, description
    _check_shape(role.name, role.path, role.description, role.max_session_seconds)
    role.save(update_fields=["description"])
    record(by, "iam:UpdateRoleDescription", role.arn, before=before, after=description)
    return role


@transaction.atomic
def update_assume_role_policy(*, by: Principal, role: Role, document: str, digest_seen: str | None = None) -> Role:
    """Change who may take on a role; sessions that are under way go on.

    `digest_seen` is the digest of the stored document that the author started from; None does not ask.
    Raises DocumentRefused, LimitExceeded, NoSuchEntity, UnmodifiableEntity, ConcurrentModification.
    """
    role = locked_own_role(role)
    if digest_seen is not None and digest_seen != role.digest:
        raise ConcurrentModification(
            f"Somebody changed the trust policy of {role.name} while you were writing. What you typed is kept: "
            "look at the present one, then decide."
        )
    before, role.document = role.document, checked_trust(document, role.account).stored
    role.save(update_fields=["document"])
    role.digest = document_digest(role.document)
    record(by, "iam:UpdateAssumeRolePolicy", role.arn, before=before, after=role.document)
    return role


@transaction.atomic
def delete_role(*, by: Principal, role: Role) -> None:
    """Delete a role that nothing hangs on any more, as the API does; its sessions end at once.

    Raises DeleteConflict naming what is left, NoSuchEntity, UnmodifiableEntity.
    """
    role = locked_own_role(role)
    remove_role(by=by, action="iam:DeleteRole", role=role, tags=delete_tags(role))


def remove_role(*, by: Principal, action: str, role: Role, tags: Mapping[str, str]) -> None:
    """Delete a locked role, whose tags have gone already. To be called in a transaction. Raises DeleteConflict."""
    delete_if_unused(
        role,
        {
            "remove roles from instance profile": role.instance_profiles.all(),
            "delete policies": role.inline_policies.all(),
            "detach all policies": role.attachments.all(),
        },
    )
    record(by, action, role.arn, before=_facts(role), tags=dict(tags), document=role.document)


@transaction.atomic
def delete_role_with_everything(*, by: Principal, role: Role, seen: str | None = None) -> None:
    """Take away all that hangs on a role, one recorded change each, and then delete it: what the console does.

    Instance profiles stay, without their role. `seen` is the fingerprint of what the page listed; None does not ask.
    Raises ConcurrentModification, NoSuchEntity, UnmodifiableEntity.
    """
    role = locked_own_role(role)
    if seen is not None and seen != fingerprint(role):
        raise ConcurrentModification(
            f"What belongs to {role.name} has changed since you opened the page. Nothing was deleted: look again."
        )
    for profile in role.instance_profiles.all():
        instance_profiles.remove_role_from_instance_profile(by=by, profile=profile, role=role)
    for inline in role.inline_policies.all():
        inline_policies.delete_role_policy(by=by, role=role, name=inline.name)
    for attachment in role.attachments.select_related("policy"):
        attachments.detach_role_policy(by=by, role=role, policy=attachment.policy)
    delete_role(by=by, role=role)


def fingerprint(role: Role) -> str:
    """Stands for all that goes with a role, so that a page can tell whether it is still what it showed."""
    parts = (
        role.instance_profiles.order_by("pk").values_list("unique_id", flat=True),
        role.attachments.order_by("policy").values_list("policy__unique_id", flat=True),
        role.inline_policies.order_by("pk").values_list("name", flat=True),
    )
    return sha256(repr([list(part) for part in parts]).encode()).hexdigest()


@transaction.atomic
def tag_role(*, by: Principal, role: Role, tags: Mapping[str, str]) -> None:
    """Add tags or change their values; a key in other case replaces the one there (id_tags).

    Raises InvalidInput for a bad tag, LimitExceeded for more than the quota, UnmodifiableEntity.
    """
    role = locked_own_role(role)
    before, after = put_tags(role, tags)
    record(by, "iam:TagRole", role.arn, before=before, after=after)


@transaction.atomic
def untag_role(*, by: Principal, role: Role, keys: Iterable[str]) -> None:
    """Remove tags by key, ignoring case. A key that is not there is no error, as in AWS. Raises UnmodifiableEntity."""
    role = locked_own_role(role)
    before, after = remove_tags(role, keys)
    record(by, "iam:UntagRole", role.arn, before=before, after=after)


def note_role_use(role: Role, *, region: str) -> None:
    """Remember that a session of the role made a request now, unless one of the last 15 minutes is noted already."""
    now = clock.now()
    if role.last_used_at is not None and now - role.last_used_at < USE_WINDOW:
        return
    due = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_WINDOW)
    Role.objects.filter(due, pk=role.pk).update(last_used_at=now, last_used_region=region[:64])


def _check_shape(name: str, path: str, description: str, max_session_seconds: int) -> None:
    if problem := rules.name_problem(name, NAME_LIMIT, "role name"):
        raise ValidationError(problem, field="name")
    if problem := rules.path_problem(path):
        raise ValidationError(problem, field="path")
    if problem := rules.description_problem(description, DESCRIPTION_LIMIT):
        raise ValidationError(problem, field="description")
    if not SHORTEST_SESSION <= max_session_seconds <= LONGEST_SESSION:
        problem = f"The longest session is {SHORTEST_SESSION} to {LONGEST_SESSION} seconds (1 to 12 hours)."
        raise ValidationError(problem, field="max_session_seconds")


def _facts(role: Role) -> dict[str, Any]:
    """What the audit trail keeps of a role."""
    return {
        "name": role.name,
        "path": role.path,
        "unique_id": role.unique_id,
        "description": role.description,
        "max_session_seconds": role.max_session_seconds,
        "boundary": role.boundary.arn if role.boundary else None,
    }
