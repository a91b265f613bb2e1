from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from access.models import SignInAttempt, Throttle
from accounts.models import Account, PasswordPolicy
from audit.models import Event
from audit.principal import system
from audit.services import record
from federation.models import OIDCProvider, SAMLProvider, TokenIssuer
from identities.models import Group, InstanceProfile, MFADevice, Role, ServiceLinkedRoleDeletion, User
from policies.models import ManagedPolicy


class Command(BaseCommand):
    help = (
        "Remove everything in one account but its root user and that user's access keys; for test rigs. What was tried "
        "too often may be tried again. The audit trail stays."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account_id", help="12-digit account id")
        parser.add_argument("--yes", action="store_true", help="do it; without this only what would go is said")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.DEBUG or settings.ALLOW_RESET):
            raise CommandError("Refused: resetaccount works only with DEBUG or IAMCONSOLE_ALLOW_RESET=1.")
        account = Account.objects.filter(pk=options["account_id"]).first()
        if account is None:
            raise CommandError(f"There is no account {options['account_id']}.")
        if not options["yes"]:
            raise CommandError(f"This removes {in_words(contents(account))} of {account}. Say --yes to do it.")
        self.stdout.write(f"Removed {in_words(reset(account))} of {account}.")


def contents(account: Account) -> dict[str, int]:
    return {
        "users": User.objects.filter(account=account).count(),
        "groups": Group.objects.filter(account=account).count(),
        "roles": Role.objects.filter(account=account).count(),
        "instance profiles": InstanceProfile.objects.filter(account=account).count(),
        "policies": ManagedPolicy.objects.filter(account=account).count(),
        "identity providers": SAMLProvider.objects.filter(account=account).count()
        + OIDCProvider.objects.filter(account=account).count(),
        "MFA devices": MFADevice.objects.filter(account=account).count(),
    }


def in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items())


@transaction.atomic
def reset(account: Account) -> dict[str, int]:
    """In this order: a role can't go before the profile it is in, nor a policy before who has it."""
    removed = contents(account)
    identities = (MFADevice, User, Group, InstanceProfile, Role, ServiceLinkedRoleDeletion)
    for model in (SignInAttempt, *identities, ManagedPolicy, PasswordPolicy, SAMLProvider, OIDCProvider, TokenIssuer):
        model._default_manager.filter(account=account).delete()
    Throttle.objects.all().delete()
    account.alias, account.quota_overrides = first_alias(account), {}
    account.save(update_fields=["alias", "quota_overrides"])
    record(system(account.id), "iamconsole:ResetAccount", account.root_arn, removed=removed)
    return removed


def first_alias(account: Account) -> str | None:
    """The alias that the account was opened with, unless another account has it by now."""
    opened = Event.objects.of_account(account.id).filter(action="iamconsole:CreateAccount").first()
    alias = opened.detail.get("alias") if opened else None
    taken = Account.objects.filter(alias=alias).exclude(pk=account.pk).exists()
    return None if taken else alias
