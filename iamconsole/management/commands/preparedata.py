from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from iamconsole.env import data_dir, ensure_key_file, key_file


class Command(BaseCommand):
    help = "Make DATA_DIR with its key file (readable by its owner only) and bring the database to this release."
    # The keys that the checks look for are made here.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        data_dir().mkdir(mode=0o700, parents=True, exist_ok=True)
        if ensure_key_file():
            self.stdout.write(f"New keys are in {key_file()}. Back this file up apart from the database: without it")
            self.stdout.write("no access key and no MFA device can be read again.")
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
