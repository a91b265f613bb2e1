"""Reading the metadata of an identity provider (SAML 2.0 Metadata, IDPSSODescriptor). Pure."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree

from federation import rsa_keys
from federation.saml.parsing import DS, MD, SAMLP, SAMLError, children, name, parse, text_of

MOST_KEYS = 10
_MOST_LISTED = 5
_REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One certificate of a provider. Its dates are shown and warned of; as in AWS they don't stop it from counting."""

    der: bytes
    subject: str
    not_after: datetime

    @property
    def text(self) -> str:
        """As it is stored."""
        return base64.b64encode(self.der).decode()


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """What the metadata says. `sign_in_url` is where a browser is sent to begin; '' when it has no such address."""

    entity_id: str
    sign_in_url: str
    keys: tuple[SigningKey, ...]
    valid_until: datetime


def read_metadata(document: str) -> IdentityProvider:
    """Raises SAMLError with the sentence that says what is missing."""
    root = parse(document.encode(), comments_allowed=True)
    entity = _entity(root)
    roles = [role for role in children(entity, MD, "IDPSSODescriptor") if _speaks_saml2(role)]
    if len(roles) != 1:
        raise SAMLError("It must describe exactly one SAML 2.0 identity provider (IDPSSODescriptor).")
    keys = tuple(_keys(roles[0]))
    ends = [moment for node in (root, entity, roles[0]) if (moment := _moment(node.get("validUntil")))]
    return IdentityProvider(
        entity_id=_entity_id(entity),
        sign_in_url=_sign_in_url(roles[0]),
        keys=keys,
        valid_until=min(ends) if ends else max(key.not_after for key in keys),
    )


def _entity(root: etree._Element) -> etree._Element:
    if root.tag == name(MD, "EntityDescriptor"):
        return root
    found = [entity for entity in root.iter(name(MD, "EntityDescriptor")) if children(entity, MD, "IDPSSODescriptor")]
    if root.tag != name(MD, "EntitiesDescriptor") or not found:
        raise SAMLError("It must be the metadata of one identity provider (EntityDescriptor).")
    if len(found) > 1:
        raise SAMLError(
            f"It describes {len(found)} identity providers: {_listed(found)}. Paste the EntityDescriptor of one of "
            "them; each becomes a provider of its own."
        )
    return found[0]


def _listed(entities: list[etree._Element]) -> str:
    """Which there are to choose from: a federation's file may hold thousands."""
    names = [entity.get("entityID", "(no entityID)")[:255] for entity in entities]
    more = len(names) - _MOST_LISTED
    return ", ".join(names[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


def _entity_id(entity: etree._Element) -> str:
    entity_id: str = entity.get("entityID", "")
    if not 1 <= len(entity_id) <= 1024:
        raise SAMLError("It has no entityID of at most 1024 characters.")
    return entity_id


def _speaks_saml2(role: etree._Element) -> bool:
    return SAMLP in role.get("protocolSupportEnumeration", "").split()


def _sign_in_url(role: etree._Element) -> str:
    """The address of the HTTP-Redirect binding, the one that we begin with."""
    services = children(role, MD, "SingleSignOnService")
    found = next((service.get("Location", "") for service in services if service.get("Binding") == _REDIRECT), "")
    return found if len(found) <= 2048 and found.startswith(("https://", "http://")) else ""


def _keys(role: etree._Element) -> list[SigningKey]:
    ders = [
        _der(text_of(certificate))
        for descriptor in children(role, MD, "KeyDescriptor")
        if descriptor.get("use", "signing") == "signing"
        for certificate in descriptor.iter(name(DS, "X509Certificate"))
    ]
    different = list(dict.fromkeys(ders))
    if not different:
        raise SAMLError("It has no certificate to check signatures with (KeyDescriptor, X509Certificate).")
    if len(different) > MOST_KEYS:
        raise SAMLError(f"It has {len(different)} signing keys; at most {MOST_KEYS} are allowed.")
    return [signing_key(der) for der in different]


def _der(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise SAMLError("A certificate in it is not base64.") from error


def signing_key(der: bytes) -> SigningKey:
    """Raises SAMLError for what is no certificate, or whose key is too weak to believe."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        subject = certificate.subject.rfc4514_string()
    except ValueError as error:
        raise SAMLError("A certificate in it can't be read.") from error
    if isinstance(key, rsa.RSAPublicKey) and (problem := rsa_keys.problem(key)):
        raise SAMLError(f"A certificate in it has an RSA key {problem}.")
    if not isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        raise SAMLError("A certificate in it has a key that is neither RSA nor elliptic curve.")
    return SigningKey(der, subject, certificate.not_valid_after_utc)


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise SAMLError("Its validUntil is not a date.") from error
