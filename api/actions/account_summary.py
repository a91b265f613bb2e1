from django.db.models import Exists, OuterRef
from django.db.models.expressions import Combinable

from accounts.counting import number_of
from accounts.models import Account
from api.registry import Call, Result, action
from database.prepared import Param, Prepared
from federation.models import OIDCProvider, SAMLProvider
from identities.models import (
    AccessKey,
    Group,
    InstanceProfile,
    MFADevice,
    Role,
    ServerCertificate,
    SigningCertificate,
    User,
)
from policies.models import ManagedPolicy, PolicyVersion

# What AWS allows of all accounts alike; here only memory limits it.
_POLICY_VERSIONS_IN_USE = 10000

_QUOTAS = {
    "UsersQuota": "users",
    "GroupsQuota": "groups",
    "RolesQuota": "roles",
    "PoliciesQuota": "policies",
    "InstanceProfilesQuota": "instance_profiles",
    "ServerCertificatesQuota": "server_certificates",
    "VersionsPerPolicyQuota": "policy_versions",
    "PolicySizeQuota": "policy_characters",
    "UserPolicySizeQuota": "inline_user_characters",
    "GroupPolicySizeQuota": "inline_group_characters",
    "RolePolicySizeQuota": "inline_role_characters",
    "AssumeRolePolicySizeQuota": "trust_policy_characters",
    "AttachedPoliciesPerUserQuota": "policies_per_user",
    "AttachedPoliciesPerGroupQuota": "policies_per_group",
    "AttachedPoliciesPerRoleQuota": "policies_per_role",
    "GroupsPerUserQuota": "groups_per_user",
    "AccessKeysPerUserQuota": "access_keys",
    "SigningCertificatesPerUserQuota": "signing_certificates",
}


_DEVICES_IN_USE = MFADevice.objects.filter(enabled_at__isnull=False)
_OF_ROOT = {"account": OuterRef("pk"), "user": None}
_FACTS: dict[str, Combinable] = {
    "Users": number_of(User.objects.all(), "account"),
    "Groups": number_of(Group.objects.all(), "account"),
    "Roles": number_of(Role.objects.all(), "account"),
    "Policies": number_of(ManagedPolicy.objects.all(), "account"),
    "PolicyVersionsInUse": number_of(PolicyVersion.objects.all(), "policy__account"),
    "InstanceProfiles": number_of(InstanceProfile.objects.all(), "account"),
    "ServerCertificates": number_of(ServerCertificate.objects.all(), "account"),
    "Providers": number_of(SAMLProvider.objects.all(), "account") + number_of(OIDCProvider.objects.all(), "account"),
    "MFADevices": number_of(MFADevice.objects.all(), "account"),
    "MFADevicesInUse": number_of(_DEVICES_IN_USE, "account"),
    "AccountMFAEnabled": Exists(_DEVICES_IN_USE.filter(**_OF_ROOT)),
    "AccountAccessKeysPresent": Exists(AccessKey.objects.filter(**_OF_ROOT)),
    "AccountSigningCertificatesPresent": Exists(SigningCertificate.objects.filter(**_OF_ROOT)),
}
_ACCOUNTS = Prepared(lambda: Account.objects.filter(pk=Param("account_id")).annotate(**_FACTS))


@action("iam:GetAccountSummary", resource="*")
def get_account_summary(call: Call) -> Result:
    """All in one query. A root user always has a password here."""
    (account,) = _ACCOUNTS.rows(account_id=call.account_id)
    summary = {name: int(getattr(account, name)) for name in _FACTS}
    summary |= {key: account.quota(name) for key, name in _QUOTAS.items()}
    summary |= {
        "PolicyVersionsInUseQuota": _POLICY_VERSIONS_IN_USE,
        "GlobalEndpointTokenVersion": account.token_version,
    }
    return {"SummaryMap": {**summary, "AccountPasswordPresent": 1}}
