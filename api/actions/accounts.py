import re

from accounts import services
from accounts.models import Account, PasswordPolicy
from api import describe
from api.registry import Call, Result, action
from audit.errors import NoSuchEntity
from identities.models import AccessKey, Group, InstanceProfile, MFADevice, Role, User
from policies.models import ManagedPolicy, PolicyVersion


@action("iam:CreateAccountAlias", resource="*")
def create_account_alias(call: Call) -> None:
    services.create_account_alias(by=call.principal, alias=call["AccountAlias"])


@action("iam:DeleteAccountAlias", resource="*")
def delete_account_alias(call: Call) -> None:
    services.delete_account_alias(by=call.principal, alias=call["AccountAlias"])


@action("iam:ListAccountAliases", resource="*")
def list_account_aliases(call: Call) -> Result:
    aliases = [call.account.alias] if call.account.alias else []
    page = call.page_of(aliases)
    return {"AccountAliases": page.items, **page.fields}


@action("iam:UpdateAccountPasswordPolicy", resource="*")
def update_account_password_policy(call: Call) -> None:
    """The service's fields are the operation's inputs in snake case; what is left out returns to its default."""
    fields = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): value for name, value in call.inputs.items()}
    services.update_account_password_policy(by=call.principal, **fields)


@action("iam:DeleteAccountPasswordPolicy", resource="*")
def delete_account_password_policy(call: Call) -> None:
    services.delete_account_password_policy(by=call.principal)


@action("iam:GetAccountPasswordPolicy", resource="*")
def get_account_password_policy(call: Call) -> Result:
    row = PasswordPolicy.objects.filter(account_id=call.account_id).first()
    if row is None:
        raise NoSuchEntity(f"The Password Policy with domain name {call.account_id} cannot be found.")
    return {"PasswordPolicy": describe.password_policy(row)}


@action("iam:GetAccountSummary", resource="*")
def get_account_summary(call: Call) -> Result:
    return {"SummaryMap": {**_counts(call.account), **_quotas(call.account)}}


def _counts(account: Account) -> dict[str, int]:
    devices = MFADevice.objects.filter(account=account)
    in_use = devices.exclude(enabled_at=None)
    return {
        "Users": User.objects.filter(account=account).count(),
        "Groups": Group.objects.filter(account=account).count(),
        "Roles": Role.objects.filter(account=account).count(),
        "InstanceProfiles": InstanceProfile.objects.filter(account=account).count(),
        "Policies": ManagedPolicy.objects.filter(account=account).count(),
        "PolicyVersionsInUse": PolicyVersion.objects.filter(policy__account=account).count(),
        "MFADevices": devices.count(),
        "MFADevicesInUse": in_use.count(),
        "AccountMFAEnabled": int(in_use.filter(user=None).exists()),
        "AccountAccessKeysPresent": int(AccessKey.objects.filter(account=account, user=None).exists()),
        "AccountPasswordPresent": 1,
        "AccountSigningCertificatesPresent": int(account.signing_certificates.filter(user=None).exists()),
    }


def _quotas(account: Account) -> dict[str, int]:
    names = {
        "UsersQuota": "users",
        "GroupsQuota": "groups",
        "RolesQuota": "roles",
        "InstanceProfilesQuota": "instance_profiles",
        "RolePolicySizeQuota": "inline_role_characters",
        "AssumeRolePolicySizeQuota": "trust_policy_characters",
        "AttachedPoliciesPerRoleQuota": "policies_per_role",
        "PoliciesQuota": "policies",
        "VersionsPerPolicyQuota": "policy_versions",
        "PolicySizeQuota": "policy_characters",
        "UserPolicySizeQuota": "inline_user_characters",
        "GroupPolicySizeQuota": "inline_group_characters",
        "AttachedPoliciesPerUserQuota": "policies_per_user",
        "AttachedPoliciesPerGroupQuota": "policies_per_group",
        "GroupsPerUserQuota": "groups_per_user",
        "AccessKeysPerUserQuota": "access_keys",
    }
    return {key: account.quota(name) for key, name in names.items()}
