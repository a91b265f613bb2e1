"""Asking a provider to sign somebody in (SAML 2.0 Core 3.4.1). Pure."""

from datetime import datetime

from lxml import etree

from federation.saml.parsing import SAML, SAMLP, name

_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


def authentication_request(request_id: str, destination: str, acs_url: str, entity_id: str, now: datetime) -> bytes:
    """The document. Its id comes back as InResponseTo, which ties the answer to the browser that asked."""
    facts = {
        "ID": request_id,
        "Version": "2.0",
        "IssueInstant": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Destination": destination,
        "AssertionConsumerServiceURL": acs_url,
        "ProtocolBinding": _POST,
    }
    root = etree.Element(name(SAMLP, "AuthnRequest"), facts, nsmap={"samlp": SAMLP, "saml": SAML})
    etree.SubElement(root, name(SAML, "Issuer")).text = entity_id
    document: bytes = etree.tostring(root)
    return document
