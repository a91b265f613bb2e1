"""Rows as the models' output shapes."""

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from accounts.models import Account, PasswordPolicy
from audit.principal import root_arn
from database.prefetch import related_rows
from federation.models import OIDCProvider, SAMLProvider
from identities.models import AccessKey, Group, InstanceProfile, LoginProfile, MFADevice, Role, User
from policies.models import ManagedPolicy, PolicyVersion

Fields = Mapping[str, object]


def tags(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(pairs)]


def document(text: str) -> str:
    """Policy documents go over the wire URL-encoded (RFC 3986)."""
    return quote(text, safe="")


def user(row: User) -> dict[str, object]:
    """A user as lists show it: without tags and boundary."""
    return {
        "Path": row.path,
        "UserName": row.name,
        "UserId": row.unique_id,
        "Arn": row.arn,
        "CreateDate": row.created_at,
        "PasswordLastUsed": row.password_last_used_at,
    }


def user_in_full(row: User) -> dict[str, object]:
    """A user with tags and boundary, which are left out where there are none."""
    return {**user(row), "PermissionsBoundary": permissions_boundary(row), "Tags": user_tags(row) or None}


def user_tags(row: User) -> list[dict[str, str]]:
    return tags((tag.key, tag.value) for tag in related_rows(row, "tags"))


def root_user(account: Account) -> Fields:
    """The root user, as GetUser tells it: known by the account's alias or id, and with the account's id for its own."""
    return {
        "Path": "/",
        "UserName": account.sign_in_name,
        "UserId": account.id,
        "Arn": root_arn(account.id),
        "CreateDate": account.created_at,
        "PasswordLastUsed": account.root_user.password_last_used_at,
    }


def role(row: Role, trust: str) -> dict[str, object]:
    """A role as lists show it: without tags, boundary and last use. `trust` is its trust policy as people read it."""
    return {
        "Path": row.path,
        "RoleName": row.name,
        "RoleId": row.unique_id,
        "Arn": row.arn,
        "CreateDate": row.created_at,
        "AssumeRolePolicyDocument": document(trust),
        "Description": row.description or None,
        "MaxSessionDuration": row.max_session_seconds,
    }


def role_in_full(row: Role, trust: str) -> dict[str, object]:
    """A role with tags, boundary and last use, which is empty where nobody has used it."""
    used = {"LastUsedDate": row.last_used_at, "Region": row.last_used_region or None}
    return {
        **role(row, trust),
        "PermissionsBoundary": permissions_boundary(row),
        "Tags": tags((tag.key, tag.value) for tag in related_rows(row, "tags")) or None,
        "RoleLastUsed": used if row.last_used_at else {},
    }


def instance_profile(row: InstanceProfile, trust: str) -> dict[str, object]:
    """A profile as lists show it, with its role, whose trust policy is handed in."""
    return {
        "Path": row.path,
        "InstanceProfileName": row.name,
        "InstanceProfileId": row.unique_id,
        "Arn": row.arn,
        "CreateDate": row.created_at,
        "Roles": [role(row.role, trust)] if row.role else [],
    }


def permissions_boundary(row: User | Role) -> Fields | None:
    if row.boundary is None:
        return None
    return {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": row.boundary.arn}


def group(row: Group) -> Fields:
    return {
        "Path": row.path,
        "GroupName": row.name,
        "GroupId": row.unique_id,
        "Arn": row.arn,
        "CreateDate": row.created_at,
    }


def access_key(row: AccessKey) -> dict[str, object]:
    """A key without its secret. Root's keys have no user name."""
    return {
        "UserName": row.user.name if row.user else None,
        "AccessKeyId": row.access_key_id,
        "Status": row.status,
        "CreateDate": row.created_at,
    }


def last_use(row: AccessKey) -> Fields:
    used = row.last_used_at is not None
    return {
        "LastUsedDate": row.last_used_at,
        "ServiceName": row.last_used_service if used else "N/A",
        "Region": row.last_used_region if used else "N/A",
    }


def login_profile(row: LoginProfile) -> Fields:
    return {
        "UserName": row.user.name,
        "CreateDate": row.created_at,
        "PasswordResetRequired": row.password_reset_required,
    }


def mfa_device(row: MFADevice) -> Fields:
    return {
        "UserName": row.user.name if row.user else "root",
        "SerialNumber": row.serial_number,
        "EnableDate": row.enabled_at,
    }


def virtual_mfa_device(row: MFADevice) -> Fields:
    """A virtual device and whose it is; the seed is told once, when it is made, and never here."""
    owner = None
    if row.enabled_at:
        owner = user(row.user) if row.user else root_user(row.account)
    return {"SerialNumber": row.serial_number, "User": owner, "EnableDate": row.enabled_at}


def managed_policy(row: ManagedPolicy, attachments: int, boundaries: int, default_version: int) -> dict[str, object]:
    """A policy as lists show it: without description and tags."""
    return {
        "PolicyName": row.name,
        "PolicyId": row.unique_id,
        "Arn": row.arn,
        "Path": row.path,
        "DefaultVersionId": f"v{default_version}",
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": boundaries,
        "IsAttachable": True,
        "CreateDate": row.created_at,
        "UpdateDate": row.updated_at,
    }


def policy_version(row: PolicyVersion) -> dict[str, object]:
    """A version as lists show it: without the document."""
    return {"VersionId": row.version_id, "IsDefaultVersion": row.is_default, "CreateDate": row.created_at}


def password_policy(row: PasswordPolicy) -> Fields:
    """Fields that are not set are left out, as AWS leaves them out."""
    return {
        "MinimumPasswordLength": row.minimum_password_length,
        "RequireSymbols": row.require_symbols,
        "RequireNumbers": row.require_numbers,
        "RequireUppercaseCharacters": row.require_uppercase_characters,
        "RequireLowercaseCharacters": row.require_lowercase_characters,
        "AllowUsersToChangePassword": row.allow_users_to_change_password,
        "ExpirePasswords": row.max_password_age > 0,
        "MaxPasswordAge": row.max_password_age or None,
        "PasswordReusePrevention": row.password_reuse_prevention or None,
        "HardExpiry": row.hard_expiry,
    }


def provider_tags(row: SAMLProvider | OIDCProvider) -> list[dict[str, str]]:
    return tags((tag.key, tag.value) for tag in related_rows(row, "tags"))


def saml_provider_entry(row: SAMLProvider) -> Fields:
    return {"Arn": row.arn, "ValidUntil": row.valid_until, "CreateDate": row.created_at}


def saml_provider(row: SAMLProvider) -> Fields:
    """A provider in full. Of private keys only that they are there is ever told."""
    keys = [{"KeyId": key.key_id, "Timestamp": key.created_at} for key in row.private_keys.order_by("created_at")]
    return {
        "SAMLProviderUUID": row.unique_id,
        "SAMLMetadataDocument": row.metadata_document,
        "CreateDate": row.created_at,
        "ValidUntil": row.valid_until,
        "Tags": provider_tags(row),
        "AssertionEncryptionMode": row.encryption_mode or None,
        "PrivateKeyList": keys or None,
    }


def oidc_provider(row: OIDCProvider) -> Fields:
    return {
        "Url": row.url,
        "ClientIDList": sorted(row.client_ids.values_list("client_id", flat=True)),
        "ThumbprintList": row.thumbprints,
        "CreateDate": row.created_at,
        "Tags": provider_tags(row),
    }
