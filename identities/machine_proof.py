"""How a machine proves that a request is its own: an Ed25519 signature (RFC 8032) over what it sends, where to and
when. Pure; the console and the program on the machine share it.

    Authorization: Machine <machine id>:<microseconds since 1970>:<signature>

Whoever reads a proof in time can't use it for anything else, and the console takes the same one only once.
"""

import base64
import hashlib
from binascii import Error as NotBase64
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SCHEME = "Machine"
JOIN_PATH = "/agent/join"
CREDENTIALS_PATH = "/agent/credentials"
# How far a machine's clock may be from ours.
WINDOW_SECONDS = 300
# Who proves that it holds the key which it is about to register.
NOBODY_YET = "new"
_VERSION = "iamconsole-machine-1"
_KEY_BYTES, _SIGNATURE_BYTES = 32, 64


@dataclass(frozen=True, slots=True)
class Proof:
    """What the header says. `at` is in microseconds."""

    machine_id: str
    at: int
    signature: bytes

    def is_near(self, seconds: float) -> bool:
        """Whether it was made about now."""
        return abs(self.at / 1_000_000 - seconds) <= WINDOW_SECONDS


def prove(key: Ed25519PrivateKey, *, machine_id: str, at: int, path: str, body: bytes) -> str:
    """The header for a request."""
    signature = key.sign(_signed(machine_id, at, path, body))
    return f"{SCHEME} {machine_id}:{at}:{base64.b64encode(signature).decode()}"


def read(header: str) -> Proof | None:
    """The proof in a header; None for anything else."""
    scheme, _, rest = header.partition(" ")
    machine_id, _, moment_and_signature = rest.partition(":")
    moment, _, signature = moment_and_signature.partition(":")
    raw = _decoded(signature, _SIGNATURE_BYTES)
    if scheme != SCHEME or raw is None or not (moment.isascii() and moment.isdigit() and len(moment) <= 17):
        return None
    return Proof(machine_id[:19], int(moment), raw)


def fits(public_key: str, proof: Proof, *, path: str, body: bytes) -> bool:
    """Whether the holder of that key made the proof for this request."""
    raw = _decoded(public_key, _KEY_BYTES)
    if raw is None:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(raw)
        key.verify(proof.signature, _signed(proof.machine_id, proof.at, path, body))
    except (InvalidSignature, ValueError):
        return False
    return True


def public_text(key: Ed25519PrivateKey) -> str:
    """The public half, as it is registered."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def is_public_key(text: str) -> bool:
    """Whether `text` is a public key in the one spelling in which it is kept."""
    raw = _decoded(text, _KEY_BYTES)
    usual = base64.b64encode(raw or b"").decode()
    return raw is not None and usual == text


def fingerprint(public_key: str) -> str:
    """A short name of a public key."""
    return hashlib.sha256(public_key.encode()).hexdigest()[:32]


def _signed(machine_id: str, at: int, path: str, body: bytes) -> bytes:
    return "\n".join([_VERSION, path, machine_id, str(at), hashlib.sha256(body).hexdigest()]).encode()


def _decoded(text: str, length: int) -> bytes | None:
    try:
        raw = base64.b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return None
    return raw if len(raw) == length else None
