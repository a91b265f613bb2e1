"""What the environment says: typed, with `NAME_FILE` variants for secrets, and the key file of DATA_DIR."""

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from environs import FileAwareEnv

BASE_DIR = Path(__file__).resolve().parent.parent
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")

env = FileAwareEnv()


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets that must not be in the database: Django's signing keys and the encryption keys, newest first."""

    secret_key: str
    secret_key_fallbacks: tuple[str, ...]
    encryption_keys: tuple[tuple[str, bytes], ...]

    @classmethod
    def empty(cls) -> "Keys":
        return cls("", (), ())


def data_dir() -> Path:
    return Path(env.str("DATA_DIR", str(BASE_DIR / "data"))).expanduser().resolve()


def read_quotas() -> dict[str, int]:
    """What the operator allows instead of AWS's numbers: QUOTA_USERS=20000 is {"users": 20000}."""
    prefix = "QUOTA_"
    return {name.removeprefix(prefix).lower(): env.int(name) for name in os.environ if name.startswith(prefix)}


def key_file() -> Path:
    return data_dir() / "keys.json"


def new_encryption_key() -> dict[str, str]:
    """A fresh 256-bit key with an id that is stored beside everything it encrypts."""
    return {"id": secrets.token_hex(4), "key": base64.b64encode(secrets.token_bytes(32)).decode()}


def read_keys() -> Keys:
    """Keys from SECRET_KEY and ENCRYPTION_KEYS (`id:base64,id:base64`), or else from the key file; empty if neither."""
    secret = env.str("SECRET_KEY", "")
    if secret:
        named: list[str] = env.list("ENCRYPTION_KEYS", [])
        pairs = (item.split(":", 1) for item in named)
        return Keys(
            secret,
            tuple(env.list("SECRET_KEY_FALLBACKS", [])),
            tuple((key_id, base64.b64decode(key)) for key_id, key in pairs),
        )
    if not key_file().exists():
        return Keys.empty()
    stored = json.loads(key_file().read_text())
    return Keys(
        stored["secret_key"],
        tuple(stored.get("secret_key_fallbacks", ())),
        tuple((entry["id"], base64.b64decode(entry["key"])) for entry in stored["encryption_keys"]),
    )


def write_key_file(content: dict[str, object]) -> None:
    """Replace the key file in one step; nobody but the owner can ever read it."""
    data_dir().mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = key_file().with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        json.dump(content, handle, indent=1)
    temporary.replace(key_file())


def ensure_key_file() -> bool:
    """Make the key file on first use. Returns whether it was made now; keys given by the environment need none."""
    if env.str("SECRET_KEY", "") or key_file().exists():
        return False
    write_key_file({"secret_key": secrets.token_urlsafe(64), "encryption_keys": [new_encryption_key()]})
    return True
