from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Model

from access.models import ConsoleSession, Throttle
from accounts.models import Account, RootUser
from audit.models import Event
from audit.principal import system
from audit.services import record
from federation.models import OIDCProvider, SAMLProvider
from identities.models import AccessKey, Group, InstanceProfile, Machine, MFADevice, Role, User
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
        "machines": Machine.objects.filter(account=account).count(),
        "policies": ManagedPolicy.objects.filter(account=account).count(),
        "identity providers": SAMLProvider.objects.filter(account=account).count()
        + OIDCProvider.objects.filter(account=account).count(),
        "MFA devices": MFADevice.objects.filter(account=account).count(),
    }


def in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items())


# What stays: the account with its root user, root's own keys and signed-in browsers, and the audit trail.
KEPT = (RootUser, AccessKey, ConsoleSession, Event)


def belongings() -> list[type[Model]]:
    """Every table with rows of accounts, but for those that stay, in an order in which they can be emptied: a role
    can't go before the profile it is in, nor a policy before who has it. What hangs on a row goes with it."""
    first, last = [InstanceProfile, Role, User, Group], [ManagedPolicy]
    fields = {model: {field.name for field in model._meta.fields} for model in apps.get_models()}
    owned = [model for model, names in fields.items() if {"account", "account_id"} & names and model not in KEPT]
    return [*first, *(model for model in owned if model not in first + last), *last]


@transaction.atomic
def reset(account: Account) -> dict[str, int]:
    removed = contents(account)
    for model in belongings():
        model._default_manager.filter(account_id=account.pk).delete()
    Throttle.objects.all().delete()
    account.alias, account.quota_overrides = first_alias(account), {}
    account.properties, account.token_version = {}, 1
    account.save(update_fields=["alias", "quota_overrides", "properties", "token_version"])
    record(system(account.id), "iamconsole:ResetAccount", account.root_arn, removed=removed)
    return removed


def first_alias(account: Account) -> str | None:
    """The alias that the account was opened with, unless another account has it by now."""
    opened = Event.objects.of_account(account.id).filter(action="iamconsole:CreateAccount").first()
    alias = opened.detail.get("alias") if opened else None
    taken = Account.objects.filter(alias=alias).exclude(pk=account.pk).exists()
    return None if taken else alias
