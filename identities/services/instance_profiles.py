"""Instance profiles: what a machine is given, with one role in it. Whether the caller may hand over the role
(iam:PassRole) is asked at the door."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from accounts import ids, rules
from accounts.room import room_for
from accounts.tags import delete_tags
from accounts.taken_names import taken_name_refused
from audit.errors import DeleteConflict, LimitExceeded, NoSuchEntity, ValidationError
from audit.principal import Principal
from audit.services import record
from database.inserts import PreparedInsert
from identities.models import InstanceProfile, Role
from identities.services.locks import locked_instance_profile, locked_own_role
from identities.services.tags import check_tags, put_tags, remove_tags, write_tags

NAME_LIMIT = 128
_PROFILES = PreparedInsert(InstanceProfile)
# To what a role is passed by putting it into a profile (iam:PassedToService).
PASSED_TO = "ec2.amazonaws.com"


def get_instance_profile(account_id: str, name: str) -> InstanceProfile:
    """The account's instance profile of that name, in any case. Raises NoSuchEntity."""
    found = InstanceProfile.objects.filter(account_id=account_id, name_key=name.lower()).first()
    if found is None:
        raise NoSuchEntity(f"Instance Profile {name} cannot be found.")
    return found


@transaction.atomic
def create_instance_profile(
    *, by: Principal, name: str, path: str = "/", tags: Mapping[str, str] | None = None
) -> InstanceProfile:
    """Create a profile without a role. Raises ValidationError, InvalidInput (tags), EntityAlreadyExists,
    LimitExceeded."""
    tags = tags or {}
    room = room_for(by.account_id, "instance_profiles")
    account = room.account
    if problem := rules.name_problem(name, NAME_LIMIT, "instance profile name"):
        raise ValidationError(problem, field="name")
    if problem := rules.path_problem(path):
        raise ValidationError(problem, field="path")
    check_tags(tags, account.quota("tags"), ignore_case=False)
    room.check("InstanceProfilesPerAccount")
    profile = InstanceProfile(account=account, name=name, path=path, unique_id=ids.new_unique_id("AIPA"))
    with taken_name_refused(f"Instance Profile {name} already exists."):
        _PROFILES.insert(profile)
    if tags:
        write_tags(profile, tags)
    record(by, "iam:CreateInstanceProfile", profile.arn, after=_facts(profile), tags=dict(tags))
    return profile


@transaction.atomic
def delete_instance_profile(*, by: Principal, profile: InstanceProfile) -> None:
    """Delete a profile that holds no role. Raises DeleteConflict, NoSuchEntity."""
    # The profile first: whoever would put a role into it, or give it a tag, then waits and finds it gone.
    empty: Any = InstanceProfile.objects.filter(pk=profile.pk, role=None)
    if not empty._raw_delete(empty.db):
        locked_instance_profile(profile)
        raise DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")
    profile.machines.update(profile=None)
    profile.role = None
    record(by, "iam:DeleteInstanceProfile", profile.arn, before=_facts(profile), tags=delete_tags(profile))


@transaction.atomic
def delete_instance_profile_with_role(*, by: Principal, profile: InstanceProfile) -> None:
    """Take out the role that is in it, and delete it, as AWS's console does. Raises NoSuchEntity."""
    profile = locked_instance_profile(profile)
    if profile.role is not None:
        remove_role_from_instance_profile(by=by, profile=profile, role=profile.role)
    delete_instance_profile(by=by, profile=profile)


@transaction.atomic
def add_role_to_instance_profile(*, by: Principal, profile: InstanceProfile, role: Role) -> None:
    """Put a role into an empty profile: machines with the profile get its credentials.

    Raises LimitExceeded where there is one already, NoSuchEntity, UnmodifiableEntity (service-linked role).
    """
    role = locked_own_role(role)
    if role.account_id != profile.account_id:
        raise NoSuchEntity(f"The role with name {role.name} cannot be found.")
    # The condition decides between two that are put into the same profile.
    if not InstanceProfile.objects.filter(pk=profile.pk, role=None).update(role=role):
        locked_instance_profile(profile)
        raise LimitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
    profile.role = role
    record(by, "iam:AddRoleToInstanceProfile", profile.arn, role=role.arn, before=None, after=role.arn)


@transaction.atomic
def remove_role_from_instance_profile(*, by: Principal, profile: InstanceProfile, role: Role) -> None:
    """Take the role out of a profile. Raises NoSuchEntity when it is not in it."""
    profile = locked_instance_profile(profile)
    if profile.role_id != role.pk:
        raise NoSuchEntity(f"The role with name {role.name} cannot be found.")
    profile.role = None
    profile.save(update_fields=["role"])
    record(by, "iam:RemoveRoleFromInstanceProfile", profile.arn, role=role.arn, before=role.arn, after=None)


@transaction.atomic
def tag_instance_profile(*, by: Principal, profile: InstanceProfile, tags: Mapping[str, str]) -> None:
    """Add tags or change their values; keys are case-sensitive. Raises InvalidInput, LimitExceeded."""
    profile = locked_instance_profile(profile)
    before, after = put_tags(profile, tags)
    record(by, "iam:TagInstanceProfile", profile.arn, before=before, after=after)


@transaction.atomic
def untag_instance_profile(*, by: Principal, profile: InstanceProfile, keys: Iterable[str]) -> None:
    """Remove tags by key. A key that is not there is no error, as in AWS."""
    profile = locked_instance_profile(profile)
    before, after = remove_tags(profile, keys)
    record(by, "iam:UntagInstanceProfile", profile.arn, before=before, after=after)


def _facts(profile: InstanceProfile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "path": profile.path,
        "unique_id": profile.unique_id,
        "role": profile.role.arn if profile.role else None,
    }
