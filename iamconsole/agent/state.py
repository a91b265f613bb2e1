"""What stays on the machine between two starts: its key pair, who it is, and the container endpoint's token.

Credentials are never written down.
"""

import base64
import hashlib
import json
import os
import secrets
import stat
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CONTAINER_TOKEN = "container-token"  # noqa: S105 # the name of a file
_MACHINE, _JOINING = "machine.json", "joining.json"


class Unsafe(Exception):
    """Others could read or change what only this program may."""


class Damaged(Exception):
    """A file that is not as this program wrote it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """`machine_id` is '' until the console has answered; `joined_with` tells its join token from another one."""

    key_text: str = field(repr=False)
    machine_id: str = ""
    account_id: str = ""
    joined_with: str = ""

    @property
    def key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(self.key_text))

    def is_of(self, token: str) -> bool:
        return secrets.compare_digest(self.joined_with, _digest(token))


class StateFolder:
    """The folder, for its owner only. Raises Unsafe where others reach in."""

    def __init__(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_open(path)
        self.path = path

    def identity(self) -> Identity | None:
        """Who this machine is; None until it has joined."""
        return self._read(_MACHINE)

    def joining(self, token: str) -> Identity:
        """A fresh key for joining with this token. It is kept before it is sent, so that an answer that gets lost can
        be asked for again, and beside the present one, which is good until the new one is."""
        begun = self._read(_JOINING)
        if begun is not None and begun.is_of(token):
            return begun
        raw = Ed25519PrivateKey.generate().private_bytes_raw()
        identity = Identity(base64.b64encode(raw).decode(), joined_with=_digest(token))
        self._write(_JOINING, json.dumps(asdict(identity)))
        return identity

    def joined(self, identity: Identity, machine_id: str, account_id: str) -> Identity:
        """The console has told who this machine is."""
        identity = replace(identity, machine_id=machine_id, account_id=account_id)
        self._write(_MACHINE, json.dumps(asdict(identity)))
        (self.path / _JOINING).unlink(missing_ok=True)
        return identity

    def container_token(self) -> str:
        """What an application shows at the container endpoint; made at the first start, so that it can be set once."""
        file = self.path / CONTAINER_TOKEN
        if not file.exists():
            self._write(CONTAINER_TOKEN, secrets.token_urlsafe(32))
        _refuse_open(file)
        return file.read_text().strip()

    def _read(self, name: str) -> Identity | None:
        file = self.path / name
        if not file.exists():
            return None
        _refuse_open(file)
        try:
            identity = Identity(**json.loads(file.read_text()))
            identity.key  # noqa: B018 # whether it is one
        except (TypeError, ValueError) as error:
            raise Damaged(f"{file} is damaged: move it away and join again, with a new join token.") from error
        return identity

    def _write(self, name: str, text: str) -> None:
        """In one step: a machine that is switched off meanwhile has the old file or the new one."""
        temporary = self.path / f"{name}.new"
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(self.path / name)


def _refuse_open(path: Path) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        mode = "700" if stat.S_ISDIR(found.st_mode) else "600"
        raise Unsafe(f"{path} must be your own and nobody else's to read: chmod {mode} {path}")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
