"""The operations, one function each. Importing this package registers them all."""

from api.actions import (
    access_keys,
    accounts,
    attachments,
    boundaries,
    groups,
    inline_policies,
    login_profiles,
    mfa_devices,
    oidc_providers,
    policies,
    saml_providers,
    simulation,
    sts,
    users,
)
from api.registry import find, registered

__all__ = [
    "access_keys",
    "accounts",
    "attachments",
    "boundaries",
    "find",
    "groups",
    "inline_policies",
    "login_profiles",
    "mfa_devices",
    "oidc_providers",
    "policies",
    "simulation",
    "registered",
    "saml_providers",
    "sts",
    "users",
]
