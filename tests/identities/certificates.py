"""A small certificate authority, for tests."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from audit import clock
from identities.public_keys import as_ssh


@dataclass(frozen=True)
class Issued:
    """A certificate and the key that belongs to it, as PEM."""

    certificate: x509.Certificate
    private: ec.EllipticCurvePrivateKey

    @property
    def body(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def private_key(self) -> str:
        form = PrivateFormat.TraditionalOpenSSL
        return self.private.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def issue(name: str, by: Issued | None = None, *, first_day: int = -1, last_day: int = 30) -> Issued:
    """A new certificate, valid from one day to another, counted from now; self-signed without an issuer."""
    key, now = ec.generate_private_key(ec.SECP256R1()), clock.now()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=first_day))
        .not_valid_after(now + timedelta(days=last_day))
        .sign(by.private if by else key, hashes.SHA256())
    )
    return Issued(certificate, key)


def ssh_key(number: int = 0) -> str:
    """The line of a public key, without a comment."""
    return as_ssh(rsa_key(2048, number).public_key())


@cache
def rsa_key(bits: int, number: int) -> rsa.RSAPrivateKey:
    """Making one takes long; `number` tells several of one size apart."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)
