"""How many there may be (AWS's defaults, reference_iam-quotas). An operator changes them with QUOTA_… settings,
an account's own overrides stand in `Account.quota_overrides`."""

from django.conf import settings

DEFAULTS = {
    "users": 5000,
    "groups": 300,
    "roles": 1000,
    "instance_profiles": 1000,
    "machines": 1000,
    "policies": 1500,
    "groups_per_user": 10,
    "policies_per_user": 10,
    "policies_per_group": 10,
    "policies_per_role": 10,
    "access_keys": 2,
    "mfa_devices": 8,
    "server_certificates": 20,
    "signing_certificates": 2,
    "ssh_public_keys": 5,
    "service_specific_credentials": 2,
    "policy_versions": 5,
    "saml_providers": 100,
    "oidc_providers": 100,
    "route_tables": 20,
    "tags": 50,
    "inline_user_characters": 2048,
    "inline_group_characters": 5120,
    "inline_role_characters": 10240,
    "trust_policy_characters": 2048,
    "policy_characters": 6144,
    "services": 50,
}


def default(name: str) -> int:
    return int(settings.QUOTAS.get(name, DEFAULTS[name]))
