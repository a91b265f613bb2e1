from api import context, describe, listed
from api.actions.roles import shown_documents
from api.paging import TablePage
from api.registry import Call, Result, action
from api.targets import exact_tags, found_instance_profile, found_role, instance_profile, passed_role, role
from audit.errors import NoSuchEntity
from database.prefetch import related_rows
from identities.models import InstanceProfile
from identities.services import instance_profiles as profiles
from identities.services.trust import shown_trust


def in_full(row: InstanceProfile) -> dict[str, object]:
    described = describe.instance_profile(row, shown_trust(row.role.document) if row.role else "")
    return {**described, "Tags": describe.tags((tag.key, tag.value) for tag in related_rows(row, "tags")) or None}


@action(
    "iam:CreateInstanceProfile", resource="instance-profile{Path}{InstanceProfileName}", context=context.request_tags
)
def create_instance_profile(call: Call) -> Result:
    row = profiles.create_instance_profile(
        by=call.principal,
        name=call["InstanceProfileName"],
        path=call.get("Path", "/"),
        tags=context.tags_at_birth(call, "iam:TagInstanceProfile"),
    )
    return {"InstanceProfile": in_full(row)}


@action("iam:GetInstanceProfile", resource=instance_profile)
def get_instance_profile(call: Call) -> Result:
    return {"InstanceProfile": in_full(found_instance_profile(call))}


@action("iam:ListInstanceProfiles", resource="*")
def list_instance_profiles(call: Call) -> Result:
    return listed_profiles(call.table(listed.INSTANCE_PROFILES))


@action("iam:ListInstanceProfilesForRole", resource=role)
def list_instance_profiles_for_role(call: Call) -> Result:
    return listed_profiles(call.table(listed.INSTANCE_PROFILES_OF_ROLE, owner=found_role(call).pk))


def listed_profiles(page: TablePage) -> Result:
    rows = page.rows.converted("Roles.AssumeRolePolicyDocument", shown_documents)
    return {"InstanceProfiles": rows.nested("Roles"), **page.fields}


@action("iam:DeleteInstanceProfile", resource=instance_profile)
def delete_instance_profile(call: Call) -> None:
    profiles.delete_instance_profile(by=call.principal, profile=found_instance_profile(call))


@action("iam:AddRoleToInstanceProfile", resource=instance_profile)
def add_role_to_instance_profile(call: Call) -> None:
    """Whoever puts a role into a profile hands it to the machines that have the profile: that takes iam:PassRole."""
    handed = passed_role(call, service=profiles.PASSED_TO, associated_with=call.target.arn)
    profiles.add_role_to_instance_profile(by=call.principal, profile=found_instance_profile(call), role=handed)


@action("iam:RemoveRoleFromInstanceProfile", resource=instance_profile)
def remove_role_from_instance_profile(call: Call) -> None:
    profile = found_instance_profile(call)
    if profile.role is None or profile.role.name.lower() != call["RoleName"].lower():
        raise NoSuchEntity(f"The role with name {call['RoleName']} cannot be found.")
    profiles.remove_role_from_instance_profile(by=call.principal, profile=profile, role=profile.role)


@action("iam:TagInstanceProfile", resource=instance_profile, context=context.request_tags)
def tag_instance_profile(call: Call) -> None:
    profiles.tag_instance_profile(by=call.principal, profile=found_instance_profile(call), tags=exact_tags(call))


@action("iam:UntagInstanceProfile", resource=instance_profile, context=context.removed_tags)
def untag_instance_profile(call: Call) -> None:
    profiles.untag_instance_profile(by=call.principal, profile=found_instance_profile(call), keys=call["TagKeys"])


@action("iam:ListInstanceProfileTags", resource=instance_profile)
def list_instance_profile_tags(call: Call) -> Result:
    row = found_instance_profile(call)
    page = call.page_of(describe.tags((tag.key, tag.value) for tag in related_rows(row, "tags")))
    return {"Tags": page.items, **page.fields}
