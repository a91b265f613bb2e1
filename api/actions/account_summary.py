from accounts.models import Account
from api.registry import Call, Result, action
from identities.models import AccessKey
from policies.models import PolicyVersion

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


@action("iam:GetAccountSummary", resource="*")
def get_account_summary(call: Call) -> Result:
    account = call.account
    quotas = {key: account.quota(name) for key, name in _QUOTAS.items()}
    return {"SummaryMap": {**_counts(account), **_root_facts(account), **quotas}}


def _counts(account: Account) -> dict[str, int]:
    devices = account.mfa_devices
    return {
        "Users": account.users.count(),
        "Groups": account.groups.count(),
        "Roles": account.roles.count(),
        "Policies": account.managed_policies.count(),
        "PolicyVersionsInUse": PolicyVersion.objects.filter(policy__account=account).count(),
        "PolicyVersionsInUseQuota": _POLICY_VERSIONS_IN_USE,
        "InstanceProfiles": account.instance_profiles.count(),
        "ServerCertificates": account.server_certificates.count(),
        "Providers": account.saml_providers.count() + account.oidc_providers.count(),
        "MFADevices": devices.count(),
        "MFADevicesInUse": devices.filter(enabled_at__isnull=False).count(),
        "GlobalEndpointTokenVersion": account.token_version,
    }


def _root_facts(account: Account) -> dict[str, int]:
    """A root user always has a password here."""
    return {
        "AccountMFAEnabled": int(account.mfa_devices.filter(user=None, enabled_at__isnull=False).exists()),
        "AccountAccessKeysPresent": int(AccessKey.objects.filter(account=account, user=None).exists()),
        "AccountPasswordPresent": 1,
        "AccountSigningCertificatesPresent": int(account.signing_certificates.filter(user=None).exists()),
    }
