"""Users, groups, roles and policies with all that hangs on them, as GetAccountAuthorizationDetails tells them."""

from collections.abc import Iterable, Mapping
from typing import Any

from api import describe
from api.authorization_details import PROFILE, Hanging
from database.batch import Rows

Row = Mapping[str, Any]


def user(row: Row, hanging: Hanging) -> dict[str, object]:
    return {
        **named(row, "User"),
        "UserPolicyList": inline(hanging.on(row, "user_inline")),
        "GroupList": sorted(name for (name,) in hanging.on(row, "user_groups")),
        "AttachedManagedPolicies": attached(hanging.on(row, "user_attached")),
        "PermissionsBoundary": boundary(row),
        "Tags": describe.tags(hanging.on(row, "user_tags")),
    }


def group(row: Row, hanging: Hanging) -> dict[str, object]:
    return {
        **named(row, "Group"),
        "GroupPolicyList": inline(hanging.on(row, "group_inline")),
        "AttachedManagedPolicies": attached(hanging.on(row, "group_attached")),
    }


def role(row: Row, hanging: Hanging) -> dict[str, object]:
    inside = {**named(row, "Role"), "AssumeRolePolicyDocument": describe.document(hanging.trust_of(row))}
    profiles = [dict(zip(PROFILE, facts, strict=True)) for facts in hanging.on(row, "role_profiles")]
    return {
        **inside,
        "InstanceProfileList": [{**profile, "Roles": [inside]} for profile in profiles],
        "RolePolicyList": inline(hanging.on(row, "role_inline")),
        "AttachedManagedPolicies": attached(hanging.on(row, "role_attached")),
        "PermissionsBoundary": boundary(row),
        "Tags": describe.tags(hanging.on(row, "role_tags")),
        "RoleLastUsed": {"LastUsedDate": row["last_used_at"], "Region": row["last_used_region"]},
    }


def policies(rows: Iterable[Row], hanging: Hanging) -> list[dict[str, object]]:
    """Without those that are gone since the page was read."""
    return [policy(row, hanging) for row in rows if hanging.on(row, "policy_versions")]


def policy(row: Row, hanging: Hanging) -> dict[str, object]:
    versions = sorted(hanging.on(row, "policy_versions"), reverse=True)
    (default,) = (number for number, is_default, *_ in versions if is_default)
    return {
        **{member: text for member, text in row.items() if member != "pk"},
        "DefaultVersionId": f"v{default}",
        "AttachmentCount": hanging.uses(row, "users_attaching", "groups_attaching", "roles_attaching"),
        "PermissionsBoundaryUsageCount": hanging.uses(row, "users_bounded", "roles_bounded"),
        "IsAttachable": True,
        "PolicyVersionList": [version(*facts) for facts in versions],
    }


def version(number: int, is_default: bool, made: str, text: str) -> dict[str, object]:
    return {
        "VersionId": f"v{number}",
        "IsDefaultVersion": is_default,
        "CreateDate": made,
        "Document": describe.document(text),
    }


def named(row: Row, kind: str) -> dict[str, object]:
    return {member: row[member] for member in ("Path", f"{kind}Name", f"{kind}Id", "Arn", "CreateDate")}


def inline(rows: Rows) -> list[dict[str, str]]:
    return [{"PolicyName": name, "PolicyDocument": describe.document(text)} for name, text in sorted(rows)]


def attached(rows: Rows) -> list[dict[str, str]]:
    by_name = sorted(rows, key=lambda row: row[0])
    return [{"PolicyName": name, "PolicyArn": arn} for _, name, arn in by_name]


def boundary(row: Row) -> dict[str, str] | None:
    if row["boundary"] is None:
        return None
    return {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": row["boundary"]}
