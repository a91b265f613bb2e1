"""Users, groups, roles and policies with all that hangs on them, as GetAccountAuthorizationDetails tells them."""

from collections.abc import Iterable, Sequence

from api import describe
from identities.models import Group, GroupAttachment, InstanceProfile, Role, RoleAttachment, User, UserAttachment
from identities.services.trust import shown_trusts
from policies.models import Document, ManagedPolicy


def user(row: User) -> dict[str, object]:
    return {
        **named(row, "User"),
        "UserPolicyList": inline(row.inline_policies.all()),
        "GroupList": sorted(membership.group.name for membership in row.memberships.all()),
        "AttachedManagedPolicies": attached(row.attachments.all()),
        "PermissionsBoundary": boundary(row.boundary),
        "Tags": describe.tags((tag.key, tag.value) for tag in row.tags.all()),
    }


def group(row: Group) -> dict[str, object]:
    return {
        **named(row, "Group"),
        "GroupPolicyList": inline(row.inline_policies.all()),
        "AttachedManagedPolicies": attached(row.attachments.all()),
    }


def roles(rows: Sequence[Role]) -> list[dict[str, object]]:
    return [role(row, trust) for row, trust in zip(rows, shown_trusts(row.document for row in rows), strict=True)]


def role(row: Role, trust: str) -> dict[str, object]:
    inside = {**named(row, "Role"), "AssumeRolePolicyDocument": describe.document(trust)}
    profiles = [{**named(profile, "InstanceProfile"), "Roles": [inside]} for profile in row.instance_profiles.all()]
    return {
        **inside,
        "InstanceProfileList": profiles,
        "RolePolicyList": inline(row.inline_policies.all()),
        "AttachedManagedPolicies": attached(row.attachments.all()),
        "PermissionsBoundary": boundary(row.boundary),
        "Tags": describe.tags((tag.key, tag.value) for tag in row.tags.all()),
        "RoleLastUsed": {"LastUsedDate": row.last_used_at, "Region": row.last_used_region or None},
    }


def policy(row: ManagedPolicy, listed: dict[str, object]) -> dict[str, object]:
    """`listed` is the policy as lists show it, with how often it is used."""
    versions = [
        {**describe.policy_version(version), "Document": describe.document(version.document)}
        for version in sorted(row.versions.all(), key=lambda version: -version.number)
    ]
    return {**listed, "Description": row.description or None, "PolicyVersionList": versions}


def named(row: User | Group | Role | InstanceProfile, kind: str) -> dict[str, object]:
    return {
        "Path": row.path,
        f"{kind}Name": row.name,
        f"{kind}Id": row.unique_id,
        "Arn": row.arn,
        "CreateDate": row.created_at,
    }


def inline(rows: Iterable[Document]) -> list[dict[str, str]]:
    found = [(str(row.name), row.document) for row in rows]  # type: ignore[attr-defined] # inline policies have names
    return [{"PolicyName": name, "PolicyDocument": describe.document(text)} for name, text in sorted(found)]


def attached(rows: Iterable[UserAttachment | GroupAttachment | RoleAttachment]) -> list[describe.Fields]:
    policies = sorted((row.policy for row in rows), key=lambda policy: policy.name_key)
    return [describe.attached_policy(policy) for policy in policies]


def boundary(row: ManagedPolicy | None) -> dict[str, str] | None:
    if row is None:
        return None
    return {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": row.arn}
