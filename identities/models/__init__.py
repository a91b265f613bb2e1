from identities.models.credentials import AccessKey, LoginProfile, MFADevice, MFADeviceTag, PasswordHistory
from identities.models.groups import Group, GroupAttachment, GroupInlinePolicy, Membership
from identities.models.roles import (
    InstanceProfile,
    InstanceProfileTag,
    Role,
    RoleAttachment,
    RoleInlinePolicy,
    RoleTag,
    ServiceLinkedRoleDeletion,
)
from identities.models.users import User, UserAttachment, UserInlinePolicy, UserTag

__all__ = [
    "AccessKey",
    "Group",
    "GroupAttachment",
    "GroupInlinePolicy",
    "InstanceProfile",
    "InstanceProfileTag",
    "LoginProfile",
    "MFADevice",
    "MFADeviceTag",
    "Membership",
    "PasswordHistory",
    "Role",
    "RoleAttachment",
    "RoleInlinePolicy",
    "RoleTag",
    "ServiceLinkedRoleDeletion",
    "User",
    "UserAttachment",
    "UserInlinePolicy",
    "UserTag",
]
