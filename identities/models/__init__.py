from identities.models.credentials import AccessKey, LoginProfile, MFADevice, MFADeviceTag, PasswordHistory
from identities.models.groups import Group, GroupAttachment, GroupInlinePolicy, Membership
from identities.models.users import User, UserAttachment, UserInlinePolicy, UserTag

__all__ = [
    "AccessKey",
    "Group",
    "GroupAttachment",
    "GroupInlinePolicy",
    "LoginProfile",
    "MFADevice",
    "MFADeviceTag",
    "Membership",
    "PasswordHistory",
    "User",
    "UserAttachment",
    "UserInlinePolicy",
    "UserTag",
]
