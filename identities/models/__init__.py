from identities.models.certificates import ServerCertificate, ServerCertificateTag, SigningCertificate
from identities.models.credentials import AccessKey, LoginProfile, MFADevice, MFADeviceTag, PasswordHistory
from identities.models.groups import Group, GroupAttachment, GroupInlinePolicy, Membership
from identities.models.lockdowns import Lockdown
from identities.models.machines import Machine
from identities.models.reports import CredentialReport
from identities.models.roles import (
    InstanceProfile,
    InstanceProfileTag,
    Role,
    RoleAttachment,
    RoleInlinePolicy,
    RoleTag,
    ServiceLinkedRoleDeletion,
)
from identities.models.service_credentials import ServiceSpecificCredential, SSHPublicKey
from identities.models.users import User, UserAttachment, UserInlinePolicy, UserTag

__all__ = [
    "AccessKey",
    "CredentialReport",
    "Group",
    "GroupAttachment",
    "GroupInlinePolicy",
    "InstanceProfile",
    "InstanceProfileTag",
    "Lockdown",
    "LoginProfile",
    "MFADevice",
    "MFADeviceTag",
    "Machine",
    "Membership",
    "PasswordHistory",
    "Role",
    "RoleAttachment",
    "RoleInlinePolicy",
    "RoleTag",
    "ServiceLinkedRoleDeletion",
    "SSHPublicKey",
    "ServerCertificate",
    "ServerCertificateTag",
    "ServiceSpecificCredential",
    "SigningCertificate",
    "User",
    "UserAttachment",
    "UserInlinePolicy",
    "UserTag",
]
