from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from access.lockdown import lift, lock_down
from accounts.models import Account
from audit.errors import ServiceError
from audit.principal import Principal, system
from identities.models import User
from identities.services.users import get_user


class Command(BaseCommand):
    help = (
        "Lock a user down, when a laptop is stolen or a key has leaked: nothing of theirs works from then on. --lift "
        "ends it, and leaves inactive what it made inactive, but for what --restore names."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account_id", help="12-digit account id")
        parser.add_argument("user_name")
        parser.add_argument("--reason", default="", help="why; asked for unless --lift is given")
        parser.add_argument("--lift", action="store_true", help="lift the lockdown")
        parser.add_argument(
            "--restore", action="append", default=[], metavar="ID", help="a credential that shall be active again"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["restore"] and not options["lift"]:
            raise CommandError("--restore goes with --lift.")
        account_id = options["account_id"]
        if not Account.objects.filter(pk=account_id).exists():
            raise CommandError(f"There is no account {account_id}.")
        try:
            user = get_user(account_id, options["user_name"])
            self.stdout.write(self._changed(system(account_id), user, options))
        except ServiceError as error:
            raise CommandError(error.message) from error

    def _changed(self, by: Principal, user: User, options: dict[str, Any]) -> str:
        if options["lift"]:
            lift(by=by, user=user, restore=options["restore"])
            return f"The lockdown of {user.name} is lifted."
        made = lock_down(by=by, user=user, reason=options["reason"])
        ids = ", ".join(pk for _, pk in made.deactivated) or "none"
        return f"{user.name} is locked down since {made.locked_at:%Y-%m-%dT%H:%M:%SZ}; made inactive: {ids}."
