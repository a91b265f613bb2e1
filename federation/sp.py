"""This console as a SAML service provider: how it is called, where responses go, and its metadata."""

from django.conf import settings
from lxml import etree

from federation.saml.parsing import MD, SAMLP, name

# Set-ups made for AWS name this audience; a response for AWS itself has AWS's address as recipient and stays refused.
AWS_AUDIENCE = "urn:amazon:webservices"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_FORMATS = ("2.0:nameid-format:persistent", "2.0:nameid-format:transient", "1.1:nameid-format:emailAddress")


def entity_id() -> str:
    return f"{settings.SITE_URL}/saml/metadata"


def acs_url() -> str:
    """Where a browser brings responses to; also the only recipient that is accepted, and the value of `saml:aud`."""
    return f"{settings.SITE_URL}/saml"


def audiences() -> frozenset[str]:
    return frozenset({entity_id(), AWS_AUDIENCE})


def metadata() -> bytes:
    """What an identity provider's administrator loads."""
    root = etree.Element(name(MD, "EntityDescriptor"), nsmap={"md": MD}, entityID=entity_id())
    role = etree.SubElement(
        root,
        name(MD, "SPSSODescriptor"),
        AuthnRequestsSigned="false",
        WantAssertionsSigned="true",
        protocolSupportEnumeration=SAMLP,
    )
    for words in _FORMATS:
        etree.SubElement(role, name(MD, "NameIDFormat")).text = f"urn:oasis:names:tc:SAML:{words}"
    service = {"Binding": _POST, "Location": acs_url(), "index": "0", "isDefault": "true"}
    etree.SubElement(role, name(MD, "AssertionConsumerService"), service)
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return text
