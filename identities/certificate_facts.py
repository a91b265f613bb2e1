"""What people read of a certificate."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

# How long before its end a certificate is warned of.
WARNED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """`names` are the addresses that it stands for."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    key: str
    sha256: str
    starts_at: datetime
    ends_at: datetime


def facts_of(certificate: x509.Certificate) -> CertificateFacts:
    return CertificateFacts(
        subject=_named(certificate.subject),
        issuer=_named(certificate.issuer),
        names=_alternative_names(certificate),
        key=_kind(certificate.public_key()),
        sha256=certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
        starts_at=certificate.not_valid_before_utc,
        ends_at=certificate.not_valid_after_utc,
    )


def chain_of(text: str) -> list[CertificateFacts]:
    """The certificates of a chain that was checked when it came."""
    return [facts_of(each) for each in x509.load_pem_x509_certificates(text.encode())] if text else []


def state_at(ends_at: datetime, now: datetime) -> str:
    """In a word: “ended”, “soon” or “good”."""
    if ends_at <= now:
        return "ended"
    return "soon" if ends_at - now <= WARNED else "good"


def _named(name: x509.Name) -> str:
    return name.rfc4514_string() or "without a name"


def _alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return (
        *found.get_values_for_type(x509.DNSName),
        *(str(each) for each in found.get_values_for_type(x509.IPAddress)),
    )


def _kind(key: PublicKeyTypes) -> str:
    if isinstance(key, RSAPublicKey):
        return f"RSA, {key.key_size} bits"
    if isinstance(key, EllipticCurvePublicKey):
        return f"ECDSA, {key.curve.name}"
    return type(key).__name__.strip("_").removesuffix("PublicKey")
