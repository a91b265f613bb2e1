"""Outside companies of the tests: keys, certificates and the metadata that their administrators would send."""

import base64
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

ENTITY_ID = "https://idp.corp.example/metadata"
SIGN_IN_URL = "https://idp.corp.example/sso"


@cache
def _made_key(name: str, bits: int) -> rsa.RSAPrivateKey:
    """Making a key takes a while: one for each name."""
    return rsa.generate_private_key(65537, bits)


def private_key(name: str = "corp", bits: int = 2048) -> rsa.RSAPrivateKey:
    return _made_key(name, bits)


def pem(name: str = "corp", bits: int = 2048) -> str:
    key = private_key(name, bits)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def certificate(name: str = "corp", bits: int = 2048, days: int = 3650) -> x509.Certificate:
    return _made_certificate(name, bits, days)


@cache
def _made_certificate(name: str, bits: int, days: int) -> x509.Certificate:
    key, subject = private_key(name, bits), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name}.example")])
    begun = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begun)
    return builder.not_valid_after(begun + timedelta(days=days)).sign(key, hashes.SHA256())


def certificate_pem(name: str = "corp") -> str:
    return certificate(name).public_bytes(Encoding.PEM).decode()


def certificate_text(name: str = "corp", bits: int = 2048) -> str:
    return base64.b64encode(certificate(name, bits).public_bytes(Encoding.DER)).decode()


def key_descriptor(name: str = "corp", bits: int = 2048, use: str = ' use="signing"') -> str:
    return (
        f"<md:KeyDescriptor{use}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate_text(name, bits)}"
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )


def metadata(*keys: str, entity_id: str = ENTITY_ID, sign_in_url: str = SIGN_IN_URL, more: str = "") -> str:
    """What an administrator is sent. `keys` are key descriptors, `more` further attributes of the root."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
        f'xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{entity_id}"{more}>'
        '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        f"{''.join(keys or (key_descriptor(),))}"
        '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
        f'Location="{sign_in_url}"/></md:IDPSSODescriptor></md:EntityDescriptor>'
    )
