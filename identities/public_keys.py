"""Reading certificates and public keys as people paste them: PEM (RFC 7468) and OpenSSH's one line (RFC 4253)."""

import base64
import hashlib
import itertools
from datetime import datetime
from typing import ClassVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
    load_ssh_public_key,
)

from audit.errors import ServiceError

SSH_BITS = (2048, 16384)
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)


class MalformedCertificate(ServiceError):
    """No certificate, or one that can't serve."""

    code: ClassVar[str] = "MalformedCertificate"
    field = "body"


class KeyPairMismatch(ServiceError):
    """Certificate and private key don't belong together."""

    code: ClassVar[str] = "KeyPairMismatch"
    field = "private_key"


class InvalidPublicKey(ServiceError):
    """A public key that is broken, or too short or too long."""

    code: ClassVar[str] = "InvalidPublicKey"
    field = "body"


class UnrecognizedPublicKeyEncoding(ServiceError):
    """Neither of the two forms that are read."""

    code: ClassVar[str] = "UnrecognizedPublicKeyEncoding"
    field = "body"


def read_certificate(text: str) -> x509.Certificate:
    """The one certificate of a PEM text. Raises MalformedCertificate."""
    found = _certificates(text, "body")
    if len(found) != 1:
        raise MalformedCertificate("Give one certificate; those that lead to its root belong into the chain.")
    return found[0]


def check_dates(certificate: x509.Certificate, now: datetime) -> None:
    """A certificate can be uploaded only while it is valid. Raises MalformedCertificate."""
    if now < certificate.not_valid_before_utc:
        raise MalformedCertificate(f"The certificate is not valid before {certificate.not_valid_before_utc:%F %T} UTC.")
    if now > certificate.not_valid_after_utc:
        raise MalformedCertificate(f"The certificate expired on {certificate.not_valid_after_utc:%F %T} UTC.")


def check_chain(certificate: x509.Certificate, text: str) -> None:
    """Each certificate is issued by the next one. Raises MalformedCertificate, telling which is not."""
    chain = [certificate, *_certificates(text, "chain")]
    for index, (issued, issuer) in enumerate(itertools.pairwise(chain)):
        if not _is_issued_by(issued, issuer):
            raise MalformedCertificate(
                "Unable to validate certificate chain. The certificate chain must start with the immediate signing "
                "certificate, followed by any intermediaries in order. The index within the chain of the invalid "
                f"certificate is: {index - 1}",
                field="chain",
            )


def check_key_pair(certificate: x509.Certificate, private_key: str) -> None:
    """Raises MalformedCertificate for what is no private key, KeyPairMismatch for another certificate's."""
    if _spelled(_read_private_key(private_key).public_key()) != _spelled(certificate.public_key()):
        raise KeyPairMismatch("The private key does not match the certificate.")


def read_ssh_key(text: str) -> RSAPublicKey:
    """An RSA key as OpenSSH writes it, or in PEM. Raises UnrecognizedPublicKeyEncoding, InvalidPublicKey."""
    text = text.strip()
    if not text.startswith(("ssh-rsa ", "-----BEGIN")):
        raise UnrecognizedPublicKeyEncoding(
            "The public key's form is not known: it must be ssh-rsa, as in ~/.ssh/id_rsa.pub, or PEM."
        )
    try:
        pem = text.startswith("-----BEGIN")
        key = load_pem_public_key(text.encode()) if pem else load_ssh_public_key(text.encode())
    except _UNREADABLE as error:
        raise InvalidPublicKey("The public key can't be read: a part of it is missing or was changed.") from error
    if not isinstance(key, RSAPublicKey):
        raise InvalidPublicKey("The public key must be an RSA key.")
    if not SSH_BITS[0] <= key.key_size <= SSH_BITS[1]:
        raise InvalidPublicKey(f"The key has {key.key_size} bits; it needs {SSH_BITS[0]} to {SSH_BITS[1]}.")
    return key


def as_ssh(key: RSAPublicKey) -> str:
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def as_pem(key: RSAPublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def md5_fingerprint(key: RSAPublicKey) -> str:
    """As `ssh-keygen -E md5 -l` and AWS show it: a name for people, not a proof."""
    blob = base64.b64decode(as_ssh(key).partition(" ")[2])
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[start : start + 2] for start in range(0, len(digest), 2))


def sha256_fingerprint(key: RSAPublicKey) -> str:
    """As `ssh-keygen -l` shows it."""
    digest = hashlib.sha256(base64.b64decode(as_ssh(key).partition(" ")[2])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _certificates(text: str, field: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except _UNREADABLE as error:
        message = "Unable to parse certificate. Please ensure the certificate is in PEM format."
        raise MalformedCertificate(message, field=field) from error


def _is_issued_by(issued: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        issued.verify_directly_issued_by(issuer)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True


def _read_private_key(text: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(text.encode(), password=None)
    except _UNREADABLE as error:
        message = "Invalid Private Key. It must be in PEM format and without a password."
        raise MalformedCertificate(message, field="private_key") from error


def _spelled(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
