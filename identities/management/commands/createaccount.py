import json
import sys
from argparse import ArgumentParser
from contextlib import redirect_stdout
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import Account
from accounts.services import create_account
from audit.errors import ServiceError
from audit.principal import system
from identities.services.access_keys import create_access_key

MORE_THAN_ANY_PASSWORD = 4096


class Command(BaseCommand):
    help = "Open an account without a browser. The root user's password is read from standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="the account's name")
        parser.add_argument("--email", required=True, help="the root user's e-mail address")
        parser.add_argument("--password-stdin", action="store_true", required=True, help="read the password there")
        parser.add_argument("--alias", help="a word for the sign-in address instead of the 12 digits")
        parser.add_argument("--account-id", help="12 digits; without it a random id")
        parser.add_argument("--access-key", action="store_true", help="also make an access key of the root user")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        # The end of the line belongs to `echo`, not to the password.
        password = sys.stdin.read(MORE_THAN_ANY_PASSWORD).removesuffix("\n").removesuffix("\r")
        try:
            # Standard output is the answer; mails go elsewhere where the terminal stands in for a mail server.
            with redirect_stdout(sys.stderr), transaction.atomic():
                account = create_account(
                    by=system(),
                    name=options["name"],
                    email=options["email"],
                    password=password,
                    alias=options["alias"],
                    account_id=options["account_id"],
                )
                facts = describe(account, with_key=options["access_key"])
        except ServiceError as error:
            raise CommandError(error.message) from error
        if options["json"]:
            self.stdout.write(json.dumps(facts))
        else:
            self.stdout.writelines(f"{name}: {value}" for name, value in facts.items() if value)


def describe(account: Account, *, with_key: bool) -> dict[str, str | None]:
    """The account in the words of the JSON answer. The key's secret is here once and nowhere again."""
    key_id = secret = None
    if with_key:
        key, secret = create_access_key(by=system(account.id), user=None)
        key_id = key.access_key_id
    return {
        "AccountId": account.id,
        "Alias": account.alias,
        "SignInUrl": f"{settings.SITE_URL}/signin/{account.sign_in_name}/",
        "AccessKeyId": key_id,
        "SecretAccessKey": secret,
    }
