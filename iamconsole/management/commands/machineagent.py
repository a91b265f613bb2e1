from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from iamconsole.agent.program import HELP, CannotStart, add_arguments, run


class Command(BaseCommand):
    help = HELP
    # The machine has no database, and none of the console's keys.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run(options)
        except CannotStart as error:
            raise CommandError(str(error)) from error
