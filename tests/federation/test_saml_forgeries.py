"""Forged SAML responses: wrong signatures, wrong places for right ones, and what wraps them."""

from functools import partial
from typing import Any

import pytest
from lxml import etree
from signxml.algorithms import CanonicalizationMethod

from federation.saml.parsing import DS, SAML
from federation.saml.response import Unproven
from tests.federation import forge
from tests.federation.companies import certificate_pem
from tests.federation.forge import NAMES, Sent, assertion_of, sign, signed
from tests.federation.reading import read


def broken_response_signature() -> Any:
    response = sign(signed())
    response.set("IssueInstant", "2020-01-01T00:00:00Z")
    return response


def only_the_response_signed() -> Any:
    return sign(Sent().tree())


def tampered() -> Any:
    response = signed()
    response.find(".//saml:NameID", NAMES).text = "root@corp.example"
    return response


def signature_of_another_assertion() -> Any:
    response, other = signed(), signed(Sent(name_id="other@corp.example"))
    old = response.find(".//ds:Signature", NAMES)
    old.getparent().replace(old, other.find(".//ds:Signature", NAMES))
    return response


def two_assertions() -> Any:
    response = signed()
    response.append(sign(assertion_of(Sent(assertion_id="_second").tree())))
    return response


def no_assertion() -> Any:
    response = signed()
    response.remove(assertion_of(response))
    return response


def own_certificate() -> Any:
    """Signed by the attacker, whose certificate stands in KeyInfo."""
    return signed(key="attacker")


def hmac_with_the_public_key() -> Any:
    return signed(method="hmac-sha256", secret=certificate_pem("corp").encode())


def two_references() -> Any:
    response = signed()
    reference = response.find(".//ds:Reference", NAMES)
    reference.addnext(etree.fromstring(etree.tostring(reference)))
    return response


def two_signatures() -> Any:
    response = signed()
    signature = response.find(".//ds:Signature", NAMES)
    signature.addnext(etree.fromstring(etree.tostring(signature)))
    return response


def reference_to_the_whole_document() -> Any:
    response = signed()
    response.find(".//ds:Reference", NAMES).set("URI", "")
    return response


def same_id_twice() -> Any:
    response = signed()
    response.set("ID", "_assertion1")
    return response


def same_xml_id() -> Any:
    response = signed(Sent(attributes={"a": ["b"]}))
    value = response.find(".//saml:AttributeValue", NAMES)
    value.set("{http://www.w3.org/XML/1998/namespace}id", "_assertion1")
    return response


def xslt_transform() -> Any:
    response = signed()
    transforms = response.find(".//ds:Transforms", NAMES)
    etree.SubElement(transforms, f"{{{DS}}}Transform", Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116")
    return response


def not_enveloped() -> Any:
    response = signed()
    transforms = response.find(".//ds:Transforms", NAMES)
    transforms.remove(transforms[0])
    return response


def wrong_root() -> Any:
    return assertion_of(signed())


def schema_broken() -> Any:
    response = signed()
    etree.SubElement(response, f"{{{SAML}}}Nonsense")
    return response


FORGED = {
    "no signature": lambda: Sent().tree(),
    "only the response signed": only_the_response_signed,
    "the response's signature broken": broken_response_signature,
    "changed after signing": tampered,
    "another assertion's signature": signature_of_another_assertion,
    "two assertions": two_assertions,
    "no assertion": no_assertion,
    "own certificate in KeyInfo": own_certificate,
    "HMAC with the public key": hmac_with_the_public_key,
    "RSA with SHA-1": lambda: signed(method="rsa-sha1", digest="sha256"),
    "digest by SHA-1": lambda: signed(method="rsa-sha256", digest="sha1"),
    "inclusive canonicalization": lambda: signed(c14n=CanonicalizationMethod.CANONICAL_XML_1_0),
    "two references": two_references,
    "two signatures": two_signatures,
    "reference to the whole document": reference_to_the_whole_document,
    "the same ID twice": same_id_twice,
    "the same ID as xml:id": same_xml_id,
    "a stylesheet among the transforms": xslt_transform,
    "not enveloped": not_enveloped,
    "an assertion alone": wrong_root,
    "not by the schema": schema_broken,
    **{f"XSW {number}": partial(forge.xsw, number) for number in range(1, 9)},
}


@pytest.mark.bar(95, 96, 97, 98)
@pytest.mark.parametrize("make", FORGED.values(), ids=FORGED)
def test_a_forgery_is_not_believed(make: Any) -> None:
    with pytest.raises(Unproven):
        read(make())
