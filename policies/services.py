"""Managed policies and their versions. What attaches them is in `identities`; the database keeps those in use."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import PROTECT, Exists, F, QuerySet
from django.db.models.lookups import Exact

from accounts import ids, rules
from accounts.quotas import default
from accounts.room import room_for
from accounts.slots import lowest_free
from accounts.tags import check_tags, delete_tags, drop_tags, put_tags
from accounts.taken_names import taken_name_refused
from audit import clock
from audit.errors import (
    ConcurrentModification,
    DeleteConflict,
    LimitExceeded,
    NoSuchEntity,
    UnmodifiableEntity,
    ValidationError,
)
from audit.principal import Principal
from audit.services import record
from database.inserts import PreparedInsert
from database.returning import delete_returning, delete_row_returning, update_returning
from policies.documents import check_document, check_size
from policies.models import ManagedPolicy, PolicyTag, PolicyVersion

NAME_LIMIT = 128
DESCRIPTION_LIMIT = 1000
_POLICIES, _VERSIONS = PreparedInsert(ManagedPolicy), PreparedInsert(PolicyVersion)


def default_version(policy: ManagedPolicy) -> PolicyVersion:
    """The version that counts."""
    return policy.versions.get(is_default=True)


def default_document(policy: ManagedPolicy) -> str:
    """The text that counts."""
    return default_version(policy).document


@transaction.atomic
def create_policy(
    *,
    by: Principal,
    name: str,
    document: str,
    path: str = "/",
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> ManagedPolicy:
    """Create a managed policy whose version v1 is the default. The description can't be changed later.

    Raises ValidationError, InvalidInput (tags), DocumentRefused, LimitExceeded, EntityAlreadyExists.
    """
    tags = tags or {}
    room = room_for(by.account_id, "managed_policies", quota="policies")
    account = room.account
    _check_shape(name, path, description)
    check_tags(tags, account.quota("tags"))
    check_document(document)
    check_size(document, account.quota("policy_characters"))
    room.check("PoliciesPerAccount")
    policy = ManagedPolicy(
        account=account,
        name=name,
        path=path,
        description=description,
        unique_id=ids.new_unique_id("ANPA"),
        newest_version=1,
    )
    with taken_name_refused(f"A policy called {name} already exists. Duplicate names are not allowed."):
        _POLICIES.insert(policy)
    version = _VERSIONS.insert(PolicyVersion(policy=policy, number=1, slot=1, is_default=True, document=document))
    PolicyTag.objects.bulk_create([PolicyTag(bearer=policy, key=key, value=value) for key, value in tags.items()])
    after = _facts(policy, [version])
    record(by, "iam:CreatePolicy", policy.arn, after=after, document=document, tags=dict(tags))
    return policy


@transaction.atomic
def create_policy_version(
    *,
    by: Principal,
    policy: ManagedPolicy,
    document: str,
    set_as_default: bool = False,
    newest_seen: int | None = None,
) -> PolicyVersion:
    """Add a version; a number is never used again. `newest_seen` is the newest version the author started from.

    Raises DocumentRefused, LimitExceeded, UnmodifiableEntity, NoSuchEntity, and ConcurrentModification when there is a
    newer version than the author has seen.
    """
    number = _next_number(policy)
    if newest_seen is not None and newest_seen != number - 1:
        raise ConcurrentModification(
            f"Somebody made version v{number - 1} of this policy while you were writing. "
            "What you typed is kept: look at the newest version, then decide."
        )
    check_document(document)
    check_size(document, _quota(policy, "policy_characters"))
    versions = _versions(policy)
    slot = _free_slot(policy, versions)
    before = _facts(policy, versions)
    version = PolicyVersion(policy=policy, number=number, slot=slot, is_default=set_as_default, document=document)
    if set_as_default:
        _insert_default(version, versions)
    else:
        _VERSIONS.insert(version)
    after = _facts(policy, [*versions, version]) | {"version": version.version_id}
    record(by, "iam:CreatePolicyVersion", policy.arn, before=before, after=after, document=document)
    return version


@transaction.atomic
def set_default_policy_version(*, by: Principal, policy: ManagedPolicy, version: PolicyVersion) -> None:
    """Let another version count from now on, for everything the policy is attached to. Raises UnmodifiableEntity,
    NoSuchEntity."""
    policy = _locked(policy)
    # First none: the index that allows one default sees each row alone.
    former = update_returning(policy.versions.filter(is_default=True), "number", is_default=False)
    numbers = update_returning(policy.versions.all(), "number", is_default=Exact(F("number"), version.number))
    versions = [PolicyVersion(number=number, is_default=(number,) in former) for (number,) in numbers]
    version = _version_now(policy, version, versions)
    before = _facts(policy, versions)
    _count_only(version, versions)
    record(by, "iam:SetDefaultPolicyVersion", policy.arn, before=before, after=_facts(policy, versions))


@transaction.atomic
def delete_policy_version(*, by: Principal, policy: ManagedPolicy, version: PolicyVersion) -> None:
    """Delete a version that does not count. Raises DeleteConflict for the default one, UnmodifiableEntity,
    NoSuchEntity."""
    policy = _locked(policy)
    version = _version_now(policy, version, _versions(policy))
    if version.is_default:
        raise DeleteConflict("Cannot delete the default version of a policy.")
    version.delete()
    record(
        by,
        "iam:DeletePolicyVersion",
        policy.arn,
        before={"version": version.version_id},
        document=version.document,
    )


@transaction.atomic
def delete_policy(*, by: Principal, policy: ManagedPolicy) -> None:
    """Delete a policy that nothing uses and that has only its default version, as the API does.

    Raises DeleteConflict, UnmodifiableEntity, NoSuchEntity.
    """
    policy = _taken(policy)
    uses = _uses(policy)
    # Looked at now that nobody can attach it any more: the versions of one in use stay, and so does all the rest.
    gone = delete_returning(
        policy.versions.filter(*(~Exists(each) for each in uses)), "number", "is_default", "document"
    )
    if (len(gone) or policy.versions.count()) > 1:
        raise DeleteConflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
            "The default version is deleted with the policy."
        )
    if not gone:
        raise DeleteConflict(_in_use(uses))
    versions = [PolicyVersion(number=number, is_default=counts, document=text) for number, counts, text in gone]
    before, document = _facts(policy, versions), versions[0].document
    record(by, "iam:DeletePolicy", policy.arn, before=before, document=document, tags=delete_tags(policy))


@transaction.atomic
def tag_policy(*, by: Principal, policy: ManagedPolicy, tags: Mapping[str, str]) -> None:
    """Add tags or change their values. Raises InvalidInput, LimitExceeded, UnmodifiableEntity, NoSuchEntity."""
    policy = _locked(policy)
    before, after = put_tags(policy, tags, _quota(policy, "tags"), quota_name="TagsPerPolicy")
    record(by, "iam:TagPolicy", policy.arn, before=before, after=after)


@transaction.atomic
def untag_policy(*, by: Principal, policy: ManagedPolicy, keys: Iterable[str]) -> None:
    """Remove tags by key; one that is not there is no error. Raises UnmodifiableEntity, NoSuchEntity."""
    policy = _locked(policy)
    before, after = drop_tags(policy, keys)
    record(by, "iam:UntagPolicy", policy.arn, before=before, after=after)


@transaction.atomic
def delete_policy_with_versions(*, by: Principal, policy: ManagedPolicy) -> None:
    """Delete the versions that don't count, one recorded change each, and then the policy: what the console does."""
    for version in _locked(policy).versions.filter(is_default=False).order_by("number"):
        delete_policy_version(by=by, policy=policy, version=version)
    delete_policy(by=by, policy=policy)


def no_such_policy(arn: str) -> NoSuchEntity:
    return NoSuchEntity(f"Policy {arn} was not found.")


def _check_shape(name: str, path: str, description: str) -> None:
    if problem := rules.name_problem(name, NAME_LIMIT, "policy name"):
        raise ValidationError(problem, field="name")
    if problem := rules.path_problem(path, for_policy=True):
        raise ValidationError(problem, field="path")
    if len(description) > DESCRIPTION_LIMIT:
        problem = f"The description has {len(description)} characters; at most {DESCRIPTION_LIMIT} are allowed."
        raise ValidationError(problem, field="description")
    if "\x00" in description:
        raise ValidationError("The description can't contain a null character.", field="description")


def _next_number(policy: ManagedPolicy) -> int:
    """The number of a new version; from then on the policy is kept from others as by `_locked`."""
    _refuse_built_in(policy)
    newer = {"newest_version": F("newest_version") + 1, "updated_at": clock.now()}
    found = update_returning(ManagedPolicy.objects.filter(pk=policy.pk), "newest_version", **newer)
    if not found:
        raise no_such_policy(policy.arn)
    return int(found[0][0])


def _refuse_built_in(policy: ManagedPolicy) -> None:
    if policy.is_built_in:
        raise UnmodifiableEntity(
            f"The policy {policy.name} is built in and can't be changed or deleted. "
            "Create a policy of your own from its document."
        )


def _locked(policy: ManagedPolicy) -> ManagedPolicy:
    """The account's own policy as it is now, kept from others until the transaction ends."""
    _refuse_built_in(policy)
    rows = ManagedPolicy.objects.select_for_update(of=("self",)).select_related("account")
    found = rows.filter(pk=policy.pk).first()
    if found is None:
        raise no_such_policy(policy.arn)
    return found


def _taken(policy: ManagedPolicy) -> ManagedPolicy:
    """The account's own policy as it was, deleted before what hangs on it."""
    _refuse_built_in(policy)
    found = delete_row_returning(policy)
    if found is None:
        raise no_such_policy(policy.arn)
    return found


def _quota(policy: ManagedPolicy, name: str) -> int:
    """A quota of the account that a policy of its own belongs to."""
    return policy.account.quota(name) if policy.account else default(name)


def _versions(policy: ManagedPolicy) -> list[PolicyVersion]:
    return list(policy.versions.order_by("number"))


def _insert_default(version: PolicyVersion, versions: Iterable[PolicyVersion]) -> None:
    """A new version that counts from now on, in one statement with the former default, which is there already and only
    stops counting. It has to be the first row: the index that allows one default sees each alone."""
    (former,) = (each for each in versions if each.is_default)
    # Both are known by their numbers here: what has a key would be written in a statement of its own.
    former.pk, former.is_default = None, False
    PolicyVersion.objects.bulk_create(
        [former, version],
        update_conflicts=True,
        unique_fields=["policy", "number"],
        update_fields=["is_default"],
    )


def _count_only(version: PolicyVersion, versions: Iterable[PolicyVersion]) -> None:
    """In memory what has been written: this version counts, and no other."""
    for each in versions:
        each.is_default = each.number == version.number


def _version_now(policy: ManagedPolicy, version: PolicyVersion, versions: Iterable[PolicyVersion]) -> PolicyVersion:
    found = next((each for each in versions if each.number == version.number), None)
    if found is None:
        raise NoSuchEntity(f"Policy {policy.arn} version {version.version_id} does not exist or is not attachable.")
    return found


def _free_slot(policy: ManagedPolicy, versions: Iterable[PolicyVersion]) -> int:
    """The lowest free place. The row is locked; the constraint on (policy, slot) decides where a lock does not."""
    quota = _quota(policy, "policy_versions")
    free = lowest_free(version.slot for version in versions)
    if free > quota:
        raise LimitExceeded(
            f"A managed policy can have up to {quota} versions. Before you create a new version, you must delete an "
            "existing version."
        )
    return free


# What keeps a policy, by model: as one, and as several.
_USES = {
    "userattachment": ("1 user", "{} users"),
    "groupattachment": ("1 group", "{} groups"),
    "roleattachment": ("1 role", "{} roles"),
    "role": ("1 role as boundary", "{} roles as boundary"),
    "user": ("1 user as boundary", "{} users as boundary"),
}


def _uses(policy: ManagedPolicy) -> list[QuerySet[Any]]:
    """What keeps a policy. Only the models' own list knows: this app is below those that attach it."""
    kept = (each for each in policy._meta.related_objects if each.on_delete is PROTECT)
    return [each.related_model._base_manager.filter(**{each.field.name: policy}) for each in kept]


def _in_use(uses: Iterable[QuerySet[Any]]) -> str:
    """How it is used, as GetPolicy tells too. By whom is for those to see who may list it."""
    counts = {str(rows.model._meta.model_name): rows.count() for rows in uses}
    texts = [_USES[kind][count > 1].format(count) for kind, count in counts.items() if count]
    return f"Cannot delete a policy attached to entities: {', '.join(sorted(texts))}."


def _facts(policy: ManagedPolicy, versions: Sequence[PolicyVersion]) -> dict[str, Any]:
    """What the audit trail keeps of a policy."""
    return {
        "arn": policy.arn,
        "unique_id": policy.unique_id,
        "default_version": next((version.version_id for version in versions if version.is_default), None),
        "versions": len(versions),
    }
