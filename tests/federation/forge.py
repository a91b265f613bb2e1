"""SAML responses of the tests, minted and forged with signxml: what a good provider sends, and what an attacker makes
of it."""

import base64
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

import xmlsec
from lxml import etree
from signxml import methods
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from federation.saml.parsing import DS, SAML, SAMLP
from tests.federation.companies import ENTITY_ID, certificate_pem, pem

AUDIENCE = "https://console.example.com/saml/metadata"
ACS = "https://console.example.com/saml"
ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/"
NAMES = {"saml": SAML, "samlp": SAMLP, "ds": DS}

_RESPONSE = """<samlp:Response xmlns:samlp="{samlp}" xmlns:saml="{saml}" ID="{response_id}" Version="2.0"
 IssueInstant="{issued}" Destination="{destination}"{asked}><saml:Issuer>{issuer}</saml:Issuer>
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{status}"/></samlp:Status>
<saml:Assertion ID="{assertion_id}" Version="2.0" IssueInstant="{issued}"><saml:Issuer>{issuer}</saml:Issuer>
<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{name_id}</saml:NameID>
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData
 NotOnOrAfter="{until}" Recipient="{recipient}"{asked}/></saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="{since}" NotOnOrAfter="{until}"><saml:AudienceRestriction>
<saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
<saml:AuthnStatement AuthnInstant="{issued}"{session_end}><saml:AuthnContext><saml:AuthnContextClassRef>
urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>
<saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion></samlp:Response>"""


@dataclass(frozen=True)
class Sent:
    """What a response says; the defaults are those of a good one."""

    issuer: str = ENTITY_ID
    audience: str = AUDIENCE
    recipient: str = ACS
    destination: str = ACS
    name_id: str = "jane@corp.example"
    assertion_id: str = "_assertion1"
    response_id: str = "_response1"
    in_response_to: str = ""
    status: str = "Success"
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    since: timedelta = timedelta(0)
    lifetime: timedelta = timedelta(minutes=5)
    session_end: datetime | None = None
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def tree(self) -> Any:
        text = _RESPONSE.format(
            **NAMES,
            issuer=self.issuer,
            audience=self.audience,
            recipient=self.recipient,
            destination=self.destination,
            name_id=escape(self.name_id),
            assertion_id=self.assertion_id,
            response_id=self.response_id,
            status=self.status,
            issued=stamp(self.at),
            since=stamp(self.at + self.since),
            until=stamp(self.at + self.lifetime),
            asked=f' InResponseTo="{self.in_response_to}"' if self.in_response_to else "",
            session_end=f' SessionNotOnOrAfter="{stamp(self.session_end)}"' if self.session_end else "",
            attributes="".join(_attribute(name, values) for name, values in self.attributes.items())
            or _attribute("x", "y"),
        )
        return etree.fromstring(text)

    def but(self, **changes: Any) -> "Sent":
        return replace(self, **changes)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _attribute(name: str, values: Sequence[str]) -> str:
    inside = "".join(f"<saml:AttributeValue>{escape(value)}</saml:AttributeValue>" for value in values)
    return f'<saml:Attribute Name="{escape(name)}">{inside}</saml:Attribute>'


def encoded(tree: Any) -> str:
    return base64.b64encode(etree.tostring(tree)).decode()


class _WeakSigner(XMLSigner):
    """signxml refuses to sign with SHA-1; an old provider does not."""

    def check_deprecated_methods(self) -> None:
        pass


def sign(element: Any, *, key: str = "corp", method: str = "rsa-sha256", digest: str = "sha256", **more: Any) -> Any:
    """A copy of the element with a signature after its Issuer, as the schema wants it."""
    element = deepcopy(element)
    place = etree.Element(f"{{{DS}}}Signature", Id="placeholder", nsmap={"ds": DS})
    element.insert(1, place)
    signer = _WeakSigner(
        method=methods.enveloped,
        signature_algorithm=SignatureMethod[method.upper().replace("-", "_")],
        digest_algorithm=DigestAlgorithm[digest.upper()],
        c14n_algorithm=more.pop("c14n", CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0),
    )
    secret = more.pop("secret", None) or pem(key)
    cert = None if method.startswith("hmac") else certificate_pem(key)
    return signer.sign(element, key=secret, cert=cert, reference_uri=f"#{element.get('ID')}", **more)


def assertion_of(response: Any) -> Any:
    return response.find("saml:Assertion", NAMES)


def signed(sent: Sent | None = None, **how: Any) -> Any:
    """A response whose assertion is signed."""
    response = (sent or Sent()).tree()
    old = assertion_of(response)
    response.replace(old, sign(old, **how))
    return response


def good(**changes: Any) -> str:
    """What a provider sends, ready for the form field SAMLResponse."""
    return encoded(signed(Sent(**changes)))


def forged_assertion() -> Any:
    """An assertion of the attacker's own making, with nobody's signature."""
    return assertion_of(Sent(name_id="root@corp.example", assertion_id="_evil").tree())


def encrypted(response: Any, *, certificate: str, content: Any = None, key: Any = None) -> Any:
    """The same response with its assertion encrypted for a certificate."""
    constants = xmlsec.constants
    assertion = assertion_of(response)
    holder = etree.SubElement(response, f"{{{SAML}}}EncryptedAssertion")
    data = xmlsec.template.encrypted_data_create(
        holder, content or constants.TransformAes256Gcm, type=constants.TypeEncElement, ns="xenc"
    )
    xmlsec.template.encrypted_data_ensure_cipher_value(data)
    key_info = xmlsec.template.encrypted_data_ensure_key_info(data, ns="ds")
    encrypted_key = xmlsec.template.add_encrypted_key(key_info, key or constants.TransformRsaOaep)
    xmlsec.template.encrypted_data_ensure_cipher_value(encrypted_key)
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(certificate, constants.KeyDataFormatCertPem))
    context = xmlsec.EncryptionContext(manager)
    kind, bits = (constants.KeyDataAes, 256)
    context.key = xmlsec.Key.generate(kind, bits, constants.KeyDataTypeSession)
    sealed = context.encrypt_xml(data, assertion)
    holder.append(sealed)
    if assertion.getparent() is not None:
        assertion.getparent().remove(assertion)
    return etree.fromstring(etree.tostring(response))


Wrap = Callable[[Any], Any]


def xsw(number: int) -> Any:
    """The eight published ways of wrapping a signed message (Somorovsky and others, "On Breaking SAML", 2012)."""
    return _WRAPS[number]()


def _evil_response(genuine: Any) -> tuple[Any, Any]:
    evil = deepcopy(genuine)
    signature = evil.find("ds:Signature", NAMES)
    evil.remove(signature)
    evil.set("ID", "_evil_response")
    evil.find(".//saml:NameID", NAMES).text = "root@corp.example"
    return evil, signature


def _xsw1() -> Any:
    """The genuine response inside the signature of the forged one."""
    genuine = sign(signed())
    evil, signature = _evil_response(genuine)
    genuine.remove(genuine.find("ds:Signature", NAMES))
    signature.append(genuine)
    evil.insert(1, signature)
    return evil


def _xsw2() -> Any:
    """The genuine response beside the signature."""
    genuine = sign(signed())
    evil, signature = _evil_response(genuine)
    genuine.remove(genuine.find("ds:Signature", NAMES))
    evil.insert(1, signature)
    evil.insert(2, genuine)
    return evil


def _xsw3() -> Any:
    """A forged assertion before the genuine one."""
    response = signed()
    response.insert(list(response).index(assertion_of(response)), forged_assertion())
    return response


def _xsw4() -> Any:
    """The genuine assertion inside the forged one."""
    response = signed()
    genuine, evil = assertion_of(response), forged_assertion()
    response.replace(genuine, evil)
    evil.append(genuine)
    return response


def _moved(where: Callable[[Any, Any, Any], None]) -> Any:
    """The forged assertion with the genuine signature; where the genuine assertion goes differs."""
    response = signed()
    genuine = assertion_of(response)
    signature = genuine.find("ds:Signature", NAMES)
    genuine.remove(signature)
    evil = forged_assertion()
    evil.insert(1, signature)
    response.replace(genuine, evil)
    where(response, signature, genuine)
    return response


def _xsw7() -> Any:
    """The genuine assertion in Extensions, where the schema lets anything be."""
    response = signed()
    genuine, evil = assertion_of(response), forged_assertion()
    response.replace(genuine, evil)
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    response.insert(1, extensions)
    extensions.append(genuine)
    return response


def _xsw8() -> Any:
    """The genuine assertion in an Object of the signature."""

    def into_object(response: Any, signature: Any, genuine: Any) -> None:
        etree.SubElement(signature, f"{{{DS}}}Object").append(genuine)

    return _moved(into_object)


_WRAPS: dict[int, Callable[[], Any]] = {
    1: _xsw1,
    2: _xsw2,
    3: _xsw3,
    4: _xsw4,
    5: lambda: _moved(lambda response, signature, genuine: response.append(genuine)),
    6: lambda: _moved(lambda response, signature, genuine: signature.append(genuine)),
    7: _xsw7,
    8: _xsw8,
}
