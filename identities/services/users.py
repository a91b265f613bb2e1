"""IAM users: making, changing, tagging and deleting them. What hangs on a user has services of its own."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from accounts import ids, rules
from accounts.taken_names import taken_name_refused
from audit.errors import (
    InvalidInput,
    NoSuchEntity,
    ServiceError,
    ValidationError,
)
from audit.principal import Principal
from audit.services import Change, record, record_many
from database.inserts import PreparedInsert
from database.returning import delete_returning
from identities.models import LoginProfile, User
from identities.models.lockdowns import LOCKDOWN_SLOT
from identities.services import (
    access_keys,
    attachments,
    groups,
    inline_policies,
    login_profiles,
    mfa,
    service_credentials,
    signing_certificates,
    ssh_public_keys,
)
from identities.services.boundaries import missing_boundary_refused, room_and_boundary
from identities.services.deletion import delete_tagged_if_unused
from identities.services.locks import locked_user
from identities.services.tags import put_tags, remove_tags, write_tags
from policies.models import ManagedPolicy

NAME_LIMIT = 64
_USERS = PreparedInsert(User)


def get_user(account_id: str, name: str) -> User:
    """The account's user of that name, in any case. Raises NoSuchEntity."""
    user = User.objects.filter(account_id=account_id, name_key=name.lower()).first()
    if user is None:
        raise _no_such_user(name)
    return user


@missing_boundary_refused()
@transaction.atomic
def create_user(
    *,
    by: Principal,
    name: str,
    path: str = "/",
    tags: Mapping[str, str] | None = None,
    boundary: ManagedPolicy | str | None = None,
) -> User:
    """Create a user with no credentials and no permissions.

    Raises ValidationError, InvalidInput (tags), NoSuchEntity (boundary), EntityAlreadyExists, LimitExceeded.
    """
    tags = tags or {}
    room, boundary = room_and_boundary(by.account_id, "users", boundary)
    account = room.account
    _check(rules.name_problem(name, NAME_LIMIT, "user name"), ValidationError, "name")
    _check(rules.path_problem(path), ValidationError, "path")
    _check(rules.tags_problem(tags, account.quota("tags")), InvalidInput, "tags")
    room.check("UsersPerAccount")
    user = User(account=account, name=name, path=path, boundary=boundary, unique_id=ids.new_unique_id("AIDA"))
    with taken_name_refused(f"User with name {name} already exists."):
        _USERS.insert(user)
    if tags:
        write_tags(user, tags)
    record(by, "iam:CreateUser", user.arn, after=_facts(user), tags=dict(tags))
    return user


@transaction.atomic
def update_user(*, by: Principal, user: User, new_name: str | None = None, new_path: str | None = None) -> User:
    """Rename a user or move it to another path. Its unique id, memberships, policies and credentials stay;
    documents that name the old ARN are not rewritten. Raises ValidationError, EntityAlreadyExists, NoSuchEntity."""
    user = locked_user(user)
    before, old_arn = _facts(user), user.arn
    if new_name is not None:
        _check(rules.name_problem(new_name, NAME_LIMIT, "user name"), ValidationError, "name")
        user.name = new_name
    if new_path is not None:
        _check(rules.path_problem(new_path), ValidationError, "path")
        user.path = new_path
    with taken_name_refused(f"User with name {user.name} already exists."):
        user.save()
    record(by, "iam:UpdateUser", old_arn, before=before, after=_facts(user))
    return user


@transaction.atomic
def delete_user(*, by: Principal, user: User) -> None:
    """Delete a user that has nothing any more, as the API does: what the audit trail does not mention, the database
    deletes with it (`database.cascades`). Raises DeleteConflict naming what is left."""
    user = locked_user(user)
    leftovers = {
        "delete login profile": LoginProfile.objects.filter(user=user),
        "delete access keys": user.access_keys.all(),
        "delete signing certificates": user.signing_certificates.all(),
        "delete SSH public keys": user.ssh_public_keys.all(),
        "delete service specific credentials": user.service_specific_credentials.all(),
        "delete MFA device": user.mfa_devices.filter(enabled_at__isnull=False),
        "delete policies": user.inline_policies.all(),
        "detach all policies": user.attachments.all(),
        "remove users from group": user.memberships.all(),
    }
    unfinished = delete_returning(user.mfa_devices.filter(enabled_at=None), "path", "name")
    tags = delete_tagged_if_unused(user, leftovers, user.tags.all())
    serial_numbers = sorted(mfa.serial_number_of(user.account_id, f"{path}{name}"[1:]) for path, name in unfinished)
    changes = [Change(by, "iam:DeleteVirtualMFADevice", each, {}) for each in serial_numbers]
    record_many([*changes, Change(by, "iam:DeleteUser", user.arn, {"before": _facts(user), "tags": tags})])


@transaction.atomic
def delete_user_with_everything(*, by: Principal, user: User) -> None:
    """Take away all that hangs on a user, one recorded change each, and then delete it: what the console does. What a
    lockdown ended stays ended."""
    user = locked_user(user)
    if hasattr(user, "login_profile"):
        login_profiles.delete_login_profile(by=by, user=user)
    for key in user.access_keys.all():
        access_keys.delete_access_key(by=by, key=key)
    _delete_further_credentials(by, user)
    for device in user.mfa_devices.all():
        mfa.remove_mfa_device(by=by, device=device)
    for inline in user.inline_policies.all():
        inline_policies.delete_user_policy(by=by, user=user, name=inline.name)
    user.attachments.filter(slot=LOCKDOWN_SLOT).delete()
    for attachment in user.attachments.select_related("policy"):
        attachments.detach_user_policy(by=by, user=user, policy=attachment.policy)
    for membership in user.memberships.select_related("group"):
        groups.remove_user_from_group(by=by, group=membership.group, user=user)
    delete_user(by=by, user=user)


def _delete_further_credentials(by: Principal, user: User) -> None:
    for certificate in user.signing_certificates.select_related("user"):
        signing_certificates.delete_signing_certificate(by=by, certificate=certificate)
    for key in user.ssh_public_keys.select_related("user"):
        ssh_public_keys.delete_ssh_public_key(by=by, key=key)
    for credential in user.service_specific_credentials.select_related("user"):
        service_credentials.delete_service_specific_credential(by=by, credential=credential)


@transaction.atomic
def tag_user(*, by: Principal, user: User, tags: Mapping[str, str]) -> None:
    """Add tags or change their values; a key in other case replaces the one there (id_tags).

    Raises InvalidInput for a bad tag, LimitExceeded for more than the quota.
    """
    user = locked_user(user)
    before, after = put_tags(user, tags)
    record(by, "iam:TagUser", user.arn, before=before, after=after)


@transaction.atomic
def untag_user(*, by: Principal, user: User, keys: Iterable[str]) -> None:
    """Remove tags by key, ignoring case. A key that is not there is no error, as in AWS."""
    user = locked_user(user)
    before, after = remove_tags(user, keys)
    record(by, "iam:UntagUser", user.arn, before=before, after=after)


def _no_such_user(name: str) -> NoSuchEntity:
    return NoSuchEntity(f"The user with name {name} cannot be found.")


def _check(problem: str, error: type[ServiceError], field: str) -> None:
    if problem:
        raise error(problem, field=field)


def _facts(user: User) -> dict[str, Any]:
    """What the audit trail keeps of a user."""
    return {
        "name": user.name,
        "path": user.path,
        "unique_id": user.unique_id,
        "boundary": user.boundary.arn if user.boundary else None,
    }
