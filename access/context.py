"""What every page's frame shows: who is signed in, where the navigation leads, and the root warning."""

from typing import Any

from django.http import HttpRequest

from access.models import ConsoleSession
from access.recommendations import next_root_step
from accounts.models import Account

NAVIGATION = (
    # (label, icon, url name, action that shows it; '' = everyone)
    ("Dashboard", "outline/layout-dashboard", "access:dashboard", ""),
    ("Who needs access?", "outline/user-question", "access:who-needs-access", ""),
    ("Users", "outline/user", "identities:list-users", "iam:ListUsers"),
    ("User groups", "outline/users-group", "identities:list-groups", "iam:ListGroups"),
    ("Roles", "outline/masks-theater", "identities:list-roles", "iam:ListRoles"),
    ("Machines", "outline/server", "identities:list-machines", "iamconsole:ListMachines"),
    ("Policies", "outline/file-certificate", "policies:list-policies", "iam:ListPolicies"),
    ("Identity providers", "outline/building-community", "federation:list-identity-providers", "iam:ListSAMLProviders"),
    ("Server certificates", "outline/certificate", "identities:list-server-certificates", "iam:ListServerCertificates"),
    ("Security findings", "outline/shield-search", "access:security-findings", ""),
    ("Simulator", "outline/test-pipe", "access:simulate-principal-policy", "iam:SimulatePrincipalPolicy"),
    ("Route tables", "outline/route", "access:list-route-tables", "iamconsole:ListRouteTables"),
    ("Account settings", "outline/settings", "accounts:get-account-settings", "iam:GetAccountPasswordPolicy"),
    ("Audit trail", "outline/list-search", "audit:lookup-events", "cloudtrail:LookupEvents"),
)
# Not for a role or somebody from elsewhere: they have none here.
OWN_CREDENTIALS = ("My security credentials", "outline/key", "access:my-credentials", "")


def console(request: HttpRequest) -> dict[str, Any]:
    """Nothing for a stranger; for somebody signed in the account, the navigation and, for root, what to do next.

    Every entry but that of one's own credentials is shown to everyone: a page that one may not open says which
    permission is missing.
    """
    principal = getattr(request, "principal", None)
    if principal is None or getattr(request, "console_session", None) is None:
        return {}
    session: ConsoleSession = request.console_session  # type: ignore[attr-defined] # set by the guard
    account = session.account
    if session.is_switched and principal.account_id != account.id:
        account = Account.objects.get(pk=principal.account_id)
    return {
        "principal": principal,
        "account": account,
        "navigation": NAVIGATION if session.is_switched or session.is_federated else (*NAVIGATION, OWN_CREDENTIALS),
        "console_session": session,
        "root_step": next_root_step(account) if principal.is_root else None,
    }
