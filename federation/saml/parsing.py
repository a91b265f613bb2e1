"""The one XML parser: no DTD, no entities, no network, bounded size and depth. Pure."""

import re
from collections.abc import Iterator

from lxml import etree

MD = "urn:oasis:names:tc:SAML:2.0:metadata"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"

DEEPEST = 32
_DECLARATION = re.compile(r"\s*<\?xml\s[^?<>]*\?>")
_ENCODING = re.compile(r"encoding\s*=\s*[\"'](?!utf-8[\"']|us-ascii[\"'])", re.IGNORECASE)


class SAMLError(Exception):
    """Why a document is not believed, for the audit trail and for administrators; a stranger reads less."""


def parse(data: bytes, *, comments_allowed: bool = False) -> etree._Element:
    """The root of a document that has nothing but elements, attributes and text. Raises SAMLError.

    Comments and processing instructions split text into pieces, and readers differ in which piece they take: a
    signed message has none. Metadata may have comments; they are dropped before anybody reads.
    """
    text = _text(data)
    _refuse_markup(text, comments_allowed)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=comments_allowed,
        remove_pis=comments_allowed,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise SAMLError("It is not well-formed XML.") from error
    check_nodes(root)
    return root


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SAMLError("It is not UTF-8 text.") from error
    declaration = _DECLARATION.match(text)
    if declaration is None:
        return text
    if _ENCODING.search(declaration.group()):
        raise SAMLError("It is not UTF-8 text.")
    return text[declaration.end() :]


def _refuse_markup(text: str, comments_allowed: bool) -> None:
    """`<!` begins a DTD, a comment or a CDATA section and `<?` an instruction: nothing else does in XML."""
    upper = text.upper()
    if "<!DOCTYPE" in upper or "<!ENTITY" in upper:
        raise SAMLError("It holds a document type definition.")
    if not comments_allowed and ("<!" in text or "<?" in text):
        raise SAMLError("It holds a comment, a CDATA section or a processing instruction.")


def check_nodes(root: etree._Element) -> None:
    """Only elements, not too deep. Asked again of what comes out of a decryption. Raises SAMLError."""
    if root.getroottree().docinfo.internalDTD is not None:
        raise SAMLError("It holds a document type definition.")
    for node, depth in _walk(root):
        if not isinstance(node.tag, str):
            raise SAMLError("It holds a comment, an entity or a processing instruction.")
        if depth > DEEPEST:
            raise SAMLError("It is nested too deeply.")


def _walk(root: etree._Element) -> Iterator[tuple[etree._Element, int]]:
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((child, depth + 1) for child in node)


def name(namespace: str, local: str) -> str:
    return f"{{{namespace}}}{local}"


def children(parent: etree._Element, namespace: str, local: str) -> list[etree._Element]:
    return list(parent.iterchildren(name(namespace, local)))


def only_child(parent: etree._Element, namespace: str, local: str) -> etree._Element:
    """Raises SAMLError when there is none, or more than one."""
    found = children(parent, namespace, local)
    if len(found) != 1:
        raise SAMLError(f"It must have exactly one {local} in {etree.QName(parent).localname}.")
    return found[0]


def text_of(element: etree._Element) -> str:
    """The whole text of an element that has nothing but text. Raises SAMLError."""
    if len(element):
        raise SAMLError(f"{etree.QName(element).localname} must hold text only.")
    return (element.text or "").strip()
