"""Security recommendations: what is still missing, as the dashboard lists it; the root banner names the next step."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.urls import reverse

from accounts.models import Account
from accounts.passwords import password_policy_of
from audit import clock
from identities.models import AccessKey, Membership, MFADevice, User, UserAttachment
from identities.models.credentials import KeyStatus
from identities.services.mfa import has_mfa

ADMINISTRATOR = "AdministratorAccess"


@dataclass(frozen=True, slots=True)
class Step:
    done: bool
    title: str
    why: str
    link: str
    link_text: str
    action: str  # what the page behind the link asks for
    for_root: bool = False  # nobody else reaches what the link leads to


def has_administrator(account_id: str, besides: User | None = None) -> bool:
    """Whether some IAM user with a console password or a key, who is not locked down, has AdministratorAccess, directly
    or by a group."""
    # Asked from the policy, which few have, and not from the users, of whom there may be ten thousand.
    can_act = Q(user__login_profile__isnull=False) | Q(user__access_keys__isnull=False)
    here = {"user__account_id": account_id, "user__lockdown": None}
    direct = UserAttachment.objects.filter(can_act, policy__account=None, policy__name=ADMINISTRATOR, **here)
    administrators = {"group__attachments__policy__account": None, "group__attachments__policy__name": ADMINISTRATOR}
    members = Membership.objects.filter(can_act, **administrators, **here)
    return direct.exclude(user=besides).exists() or members.exclude(user=besides).exists()


def is_last_administrator(user: User) -> bool:
    return has_administrator(user.account_id) and not has_administrator(user.account_id, besides=user)


def root_steps(account: Account) -> tuple[Step, ...]:
    """The three steps after which root's credentials can be locked away, in their order."""
    return (
        Step(
            MFADevice.objects.filter(account_id=account.id, user=None, enabled_at__isnull=False).exists(),
            "Turn on MFA for the root user",
            "With a second factor a stolen password is not enough to take the whole account.",
            reverse("access:create-my-mfa-device"),
            "Turn on MFA",
            "iam:CreateVirtualMFADevice",
            for_root=True,
        ),
        Step(
            has_administrator(account.id),
            "Create an administrator",
            "Sign in as them from then on: what an IAM user may do can be changed and taken back.",
            reverse("identities:create-user") + "?administrator=1",
            "Create an administrator",
            "iam:CreateUser",
        ),
        Step(
            not AccessKey.objects.filter(account_id=account.id, user=None).exists(),
            "Have no access keys for the root user",
            "Nothing can limit what a program does with them; give programs a user or a role of their own.",
            reverse("access:my-access-keys"),
            "Delete root's access keys",
            "iam:ListAccessKeys",
            for_root=True,
        ),
    )


def next_root_step(account: Account) -> Step | None:
    """The first step that is still missing; None when root's credentials can rest."""
    return next((step for step in root_steps(account) if not step.done), None)


OLD_KEY = timedelta(days=90)
GOOD_LENGTH = 14


def own_steps(account: Account, user: User | None) -> tuple[Step, ...]:
    """What anybody can do about their own credentials. Root's own are among `root_steps`."""
    if user is None:
        return ()
    old = AccessKey.objects.filter(user=user, status=KeyStatus.ACTIVE, created_at__lt=clock.now() - OLD_KEY)
    return (
        Step(
            has_mfa(account.id, user),
            "Turn on MFA for yourself",
            "With a second factor a stolen password is not enough to act as you.",
            reverse("access:create-my-mfa-device"),
            "Turn on MFA",
            "iam:CreateVirtualMFADevice",
        ),
        Step(
            not old.exists(),
            "Rotate your own access keys every 90 days",
            "The longer a key is in use, the more places it has been copied to.",
            reverse("access:my-access-keys"),
            "See your access keys",
            "iam:ListAccessKeys",
        ),
    )


def policy_step(account: Account) -> Step:
    policy = password_policy_of(account.id)
    return Step(
        policy is not None and policy.minimum_password_length >= GOOD_LENGTH,
        f"Have a password policy that asks for {GOOD_LENGTH} characters or more",
        "Without one, programs may set passwords of 8 characters; only these pages ask for more.",
        reverse("accounts:update-account-password-policy"),
        "Set a password policy",
        "iam:UpdateAccountPasswordPolicy",
    )
