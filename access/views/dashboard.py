from collections.abc import Iterable

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.http import AccessRequest
from access.recommendations import Step, own_steps, policy_step, root_steps
from access.views.root_protection import sign_in_url
from accounts.models import Account
from audit.actions import signed_in
from audit.http import Gate
from identities.models import Group, MFADevice, Role, User
from identities.panels import Panel, panel
from policies.models import ManagedPolicy

SUMMARY, PASSWORD_POLICY = "iam:GetAccountSummary", "iam:GetAccountPasswordPolicy"


@signed_in(
    "everybody who is signed in has a first page; each panel of it asks for its own action",
    also=(SUMMARY, PASSWORD_POLICY),
)
@require_safe
def dashboard(request: AccessRequest) -> HttpResponse:
    session = request.console_session
    account = Account.objects.get(pk=request.principal.account_id)
    summary = panel(request.gate, SUMMARY, "*")
    policy = panel(request.gate, PASSWORD_POLICY, "*")
    user = session.user if session and request.principal.type == "user" else None
    steps = (*own_steps(account, user), *_account_steps(account, summary, policy))
    context = {
        "sign_in_url": sign_in_url(account),
        "summary": summary,
        "counts": _counts(account) if summary.allowed else (),
        "steps": steps,
        "open_steps": sum(not step.done for step in steps),
        "done_steps": sum(step.done for step in steps),
        "refused": _refused(request.gate, steps),
    }
    return render(request, "access/dashboard.html", context)


def _account_steps(account: Account, summary: Panel, policy: Panel) -> tuple[Step, ...]:
    """What concerns the whole account, as far as somebody may read it. Everything else is among the findings."""
    steps = root_steps(account) if summary.allowed else ()
    return (*steps, policy_step(account)) if policy.allowed else steps


def _refused(gate: Gate, steps: Iterable[Step]) -> dict[str, Panel]:
    """By action, what somebody is told in the place of a link that could only refuse them."""
    asked = {step.action for step in steps if not step.done and not step.for_root}
    return {action: panel(gate, action, "*") for action in asked if not gate.might(action)}


def _counts(account: Account) -> tuple[tuple[str, int, str], ...]:
    """(label, how many, the URL name of the page that lists them); '' where there is none."""
    devices = MFADevice.objects.filter(account=account, enabled_at__isnull=False)
    return (
        ("Users", User.objects.filter(account=account).count(), "identities:list-users"),
        ("User groups", Group.objects.filter(account=account).count(), "identities:list-groups"),
        ("Roles", Role.objects.filter(account=account).count(), "identities:list-roles"),
        ("Own policies", ManagedPolicy.objects.filter(account=account).count(), "policies:list-policies"),
        ("MFA devices in use", devices.count(), ""),
    )
