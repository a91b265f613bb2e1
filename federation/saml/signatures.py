"""Signatures and encryption (XML Signature, XML Encryption): only forms that leave nothing to choose. Pure.

Keys come from the provider's metadata; what a message says about its own keys is thrown away before anybody looks.
"""

from collections.abc import Iterable, Sequence

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from federation.saml.parsing import DS, XENC, SAMLError, children, name, only_child

_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_XENC11 = "http://www.w3.org/2009/xmlenc11#"

SIGNATURE_METHODS = frozenset(
    f"{_MORE}{kind}-{digest}" for kind in ("rsa", "ecdsa") for digest in ("sha256", "sha384", "sha512")
)
DIGEST_METHODS = frozenset({f"{XENC}sha256", f"{_MORE}sha384", f"{XENC}sha512"})
CONTENT_METHODS = frozenset(
    {f"{_XENC11}aes128-gcm", f"{_XENC11}aes192-gcm", f"{_XENC11}aes256-gcm"}
    | {f"{XENC}aes128-cbc", f"{XENC}aes192-cbc", f"{XENC}aes256-cbc"}
)
# Not RSA 1.5: whoever can ask whether it decrypts can find out what it says.
KEY_METHODS = frozenset({f"{XENC}rsa-oaep-mgf1p", f"{_XENC11}rsa-oaep"})


def check_ids(root: etree._Element) -> None:
    """Every id once, by whatever name an id goes: a reference must mean one element to every reader."""
    found = [
        value
        for element in root.iter()
        for attribute, value in element.attrib.items()
        if etree.QName(attribute).localname.lower() == "id"
    ]
    if len(set(found)) != len(found):
        raise SAMLError("Two of its elements have the same ID.")


def verify(element: etree._Element, certificates: Iterable[bytes]) -> None:
    """The element is signed as a whole, by one of the certificates' keys. Raises SAMLError."""
    signature = only_child(element, DS, "Signature")
    _check_form(signature, element.get("ID", ""))
    for hint in children(signature, DS, "KeyInfo"):
        signature.remove(hint)
    if not any(_verifies(element, signature, der) for der in certificates):
        raise SAMLError("No key of the provider's metadata made its signature.")


def _check_form(signature: etree._Element, element_id: str) -> None:
    allowed = {name(DS, part) for part in ("SignedInfo", "SignatureValue", "KeyInfo")}
    if any(part.tag not in allowed for part in signature):
        raise SAMLError("Its signature holds more than a signature.")
    info = only_child(signature, DS, "SignedInfo")
    only_child(signature, DS, "SignatureValue")
    reference = only_child(info, DS, "Reference")
    _require(only_child(info, DS, "CanonicalizationMethod"), {_EXCLUSIVE}, "canonicalization")
    _require(only_child(info, DS, "SignatureMethod"), SIGNATURE_METHODS, "signature algorithm")
    _require(only_child(reference, DS, "DigestMethod"), DIGEST_METHODS, "digest algorithm")
    if not element_id or reference.get("URI") != f"#{element_id}":
        raise SAMLError("Its signature is about something else.")
    steps = [step.get("Algorithm") for step in children(only_child(reference, DS, "Transforms"), DS, "Transform")]
    if steps not in ([_ENVELOPED, _EXCLUSIVE], [_ENVELOPED]):
        raise SAMLError("Its signature transforms what it signs in a way that is not allowed.")


def _require(element: etree._Element, allowed: Iterable[str], what: str) -> None:
    algorithm = element.get("Algorithm", "")
    if algorithm not in allowed:
        weak = " SHA-1 is too weak: let the provider sign with SHA-256." if algorithm.lower().endswith("sha1") else ""
        raise SAMLError(f"The {what} {algorithm[:100]} is not accepted.{weak}")


def _verifies(element: etree._Element, signature: etree._Element, der: bytes) -> bool:
    pem = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatCertPem)
    context.register_id(element, "ID")
    try:
        context.verify(signature)
    except xmlsec.Error:
        return False
    return True


def decrypt(holder: etree._Element, private_keys: Sequence[str]) -> etree._Element:
    """What an EncryptedAssertion holds, put in its place in the tree. Raises SAMLError, the same for every reason."""
    data = only_child(holder, XENC, "EncryptedData")
    _check_encryption(holder, data)
    for pem in private_keys:
        manager = xmlsec.KeysManager()
        manager.add_key(xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem))
        try:
            plain = xmlsec.EncryptionContext(manager).decrypt(data)
        except xmlsec.Error:
            continue
        holder.getparent().replace(holder, plain)
        return plain
    raise SAMLError("The assertion can't be decrypted with the provider's private keys.")


def _check_encryption(holder: etree._Element, data: etree._Element) -> None:
    """One data and one key, by an algorithm of the list, with nothing to be fetched from elsewhere."""
    key_info = only_child(data, DS, "KeyInfo")
    for key in children(holder, XENC, "EncryptedKey"):
        key_info.append(key)
    key = only_child(key_info, XENC, "EncryptedKey")
    _require(only_child(data, XENC, "EncryptionMethod"), CONTENT_METHODS, "encryption algorithm")
    _require(only_child(key, XENC, "EncryptionMethod"), KEY_METHODS, "key encryption algorithm")
    fetched = (name(DS, "RetrievalMethod"), name(XENC, "CipherReference"))
    if next(holder.iter(*fetched), None) is not None:
        raise SAMLError("Its encryption points elsewhere.")
