import base64
import json
from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model, QuerySet

from access.session_tokens import LONGEST_LIFE_SECONDS
from audit import clock
from federation.models import OIDCClientId, SAMLPrivateKey, TokenSigningKey
from iamconsole.env import env, key_file, new_encryption_key, write_key_file
from identities.models import AccessKey, MFADevice, ServerCertificate
from identities.sealed import box
from identities.secretbox import SecretBox

# Where secrets are sealed, and in which column.
SEALED: tuple[tuple[type[Model], str], ...] = (
    (AccessKey, "secret_encrypted"),
    (MFADevice, "seed_encrypted"),
    (OIDCClientId, "secret_encrypted"),
    (SAMLPrivateKey, "key_encrypted"),
    (ServerCertificate, "private_key_encrypted"),
    (TokenSigningKey, "key_encrypted"),
)

NEXT = """A new encryption key, {id}, is in {file}. Nothing uses it yet. Now:
  1. restart the console everywhere (a running one does not know the key),
  2. run `manage.py rotatekeys` to encrypt everything with it,
  3. run `manage.py rotatekeys --forget-old` to remove the old keys from the file."""


class Command(BaseCommand):
    help = "Encrypt all stored secrets with the newest encryption key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        steps = parser.add_mutually_exclusive_group()
        steps.add_argument("--add-key", action="store_true", help="first put a new key into the key file")
        steps.add_argument("--forget-old", action="store_true", help="last remove the keys that nothing needs any more")

        parser.add_argument(
            "--now", action="store_true", help="with --forget-old: end temporary credentials of old keys"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["add_key"]:
            self.add_key()
        elif options["forget_old"]:
            self.forget_old(now=options["now"])
        else:
            self.stdout.write(f"{reencrypt(box())} secrets were encrypted anew with the newest key.")

    def add_key(self) -> None:
        content, key = _stored_keys(), new_encryption_key() | {"added_at": clock.now().isoformat()}
        write_key_file({**content, "encryption_keys": [key, *content["encryption_keys"]]})
        self.stdout.write(NEXT.format(id=key["id"], file=key_file()))

    def forget_old(self, *, now: bool) -> None:
        content = _stored_keys()
        newest, *old = content["encryption_keys"]
        left = waiting(SecretBox([(newest["id"], base64.b64decode(newest["key"]))]))
        if left:
            raise CommandError(f"{left} secrets still need an older key. Run `manage.py rotatekeys` first.")
        if not now and (until := _tokens_live_until(newest)) > clock.now():
            raise CommandError(
                f"Temporary credentials made before the newest key may live until {until:%Y-%m-%d %H:%M} UTC and need "
                "an older key. Wait until then, or say --now to end them."
            )
        write_key_file({**content, "encryption_keys": [newest]})
        self.stdout.write(f"{len(old)} old keys were removed. Backups of the database made before need them.")


def _tokens_live_until(newest: dict[str, str]) -> datetime:
    """Session tokens are not stored, so they can't be sealed anew: older keys are kept for as long as one may live."""
    added_at = datetime.fromisoformat(newest.get("added_at", "1970-01-01T00:00:00+00:00"))
    return added_at + timedelta(seconds=LONGEST_LIFE_SECONDS)


def _stored_keys() -> dict[str, Any]:
    if env.str("SECRET_KEY", ""):
        raise CommandError("The keys come from the environment: change ENCRYPTION_KEYS there, the newest in front.")
    if not key_file().exists():
        raise CommandError(f"There is no key file at {key_file()}. Run `make setup`.")
    content: dict[str, Any] = json.loads(key_file().read_text())
    return content


def _sealed(model: type[Model], column: str) -> QuerySet[Model]:
    """A row may be without a secret; an empty one that is sealed is not empty."""
    return model._default_manager.exclude(**{column: ""})


def reencrypt(keys: SecretBox) -> int:
    """Seal every secret with the newest key. Row by row, so that the console goes on working meanwhile and a run that
    was stopped can be started again."""
    done = 0
    for model, column in SEALED:
        for row in _sealed(model, column).iterator(chunk_size=500):
            sealed = getattr(row, column)
            if keys.is_current(sealed):
                continue
            name = row.sealed_row  # type: ignore[attr-defined] # both models have one
            fresh = keys.seal(keys.open(sealed, name), name)
            # Only over what was read: a secret that changed meanwhile is already new.
            done += model._default_manager.filter(**{"pk": row.pk, column: sealed}).update(**{column: fresh})
    return done


def waiting(keys: SecretBox) -> int:
    """How many secrets are not sealed with the newest key."""
    return sum(
        not keys.is_current(sealed)
        for model, column in SEALED
        for sealed in _sealed(model, column).values_list(column, flat=True).iterator()
    )
