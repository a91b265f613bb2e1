"""A SAML response, from what a browser or a program brings to claims that can be believed (SAML 2.0 Profiles 4.1).

Nothing is read but the one element whose signature was verified. Order: form, signature of the response if it has one,
decryption, signature of the assertion, and only then what it says. Pure.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from lxml import etree

from federation.saml.claims import Claims
from federation.saml.parsing import DS, SAML, SAMLP, SAMLError, check_nodes, children, name, only_child, parse, text_of
from federation.saml.signatures import check_ids, decrypt, verify

LONGEST = 100_000
SKEW = timedelta(minutes=2)
REDEEM_WITHIN = timedelta(minutes=5)
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
_KNOWN_CONDITIONS = frozenset(name(SAML, word) for word in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction"))
_MOST_VALUES = 1000


class Unproven(SAMLError):
    """It is not shown that the provider said this at all: an outsider learns nothing more."""


class Expired(SAMLError):
    """The provider said it, but too long ago."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known of the provider beforehand, and how it has to name this console."""

    entity_id: str
    certificates: tuple[bytes, ...]
    private_keys: tuple[str, ...]
    must_encrypt: bool
    audiences: frozenset[str]
    recipients: frozenset[str]


def read_response(encoded: str, trust: Trust, now: datetime) -> Claims:
    """Raises Unproven before, Expired or SAMLError after the signature of the assertion was found to be right."""
    response = _response(encoded)
    try:
        assertion = _verified_assertion(response, trust)
    except SAMLError as error:
        raise Unproven(str(error)) from error
    _check_response(response, trust)
    return _Reading(assertion, trust, now).claims(response.get("InResponseTo", ""))


def issuer_of(encoded: str) -> str:
    """Who claims to have sent it, to find the provider whose keys have to show it. Raises Unproven."""
    return _issuer(_response(encoded))


def _response(encoded: str) -> etree._Element:
    if len(encoded) > LONGEST:
        raise Unproven(f"It has more than {LONGEST} characters.")
    try:
        data = base64.b64decode("".join(encoded.split()), validate=True)
        root = parse(data)
    except (binascii.Error, ValueError, SAMLError) as error:
        raise Unproven(str(error) or "It is not base64.") from error
    if root.tag != name(SAMLP, "Response"):
        raise Unproven("It is not a SAML 2.0 Response.")
    return root


def _issuer(response: etree._Element) -> str:
    """Of the Response, or else of its assertion. Says nothing before it is verified."""
    for holder in (response, *children(response, SAML, "Assertion")):
        for issuer in children(holder, SAML, "Issuer"):
            return str(issuer.text or "").strip()
    return ""


@cache
def _schema() -> Any:
    """OASIS's own schema, as python3-saml ships it."""
    path = files("onelogin.saml2") / "schemas" / "saml-schema-protocol-2.0.xsd"
    return etree.XMLSchema(etree.parse(str(path), etree.XMLParser(no_network=True)))


def _check_form(response: etree._Element) -> None:
    if not _schema().validate(response):
        raise SAMLError("It does not follow the schema of SAML 2.0.")
    check_ids(response)
    holders = [response, *children(response, SAML, "Assertion")]
    if any(signature.getparent() not in holders for signature in response.iter(name(DS, "Signature"))):
        raise SAMLError("It holds a signature where none belongs.")


def _verified_assertion(response: etree._Element, trust: Trust) -> etree._Element:
    """The one assertion, of which every byte is signed."""
    _check_form(response)
    plain, sealed = (list(response.iter(name(SAML, word))) for word in ("Assertion", "EncryptedAssertion"))
    if len(plain) + len(sealed) != 1 or (plain or sealed)[0].getparent() is not response:
        raise SAMLError("It must hold exactly one assertion.")
    if trust.must_encrypt and not sealed:
        raise SAMLError("The assertion must be encrypted.")
    if children(response, DS, "Signature"):
        # Before decryption: it was made over the encrypted form.
        verify(response, trust.certificates)
    assertion = _decrypted(response, sealed[0], trust) if sealed else plain[0]
    if not children(assertion, DS, "Signature"):
        raise SAMLError("The assertion is not signed; a signature of the response alone does not do.")
    verify(assertion, trust.certificates)
    return assertion


def _decrypted(response: etree._Element, sealed: etree._Element, trust: Trust) -> etree._Element:
    assertion = decrypt(sealed, trust.private_keys)
    check_nodes(response)
    _check_form(response)
    if [assertion] != list(response.iter(name(SAML, "Assertion"))) or assertion.getparent() is not response:
        raise SAMLError("It must hold exactly one assertion.")
    return assertion


def _check_response(response: etree._Element, trust: Trust) -> None:
    for issuer in children(response, SAML, "Issuer"):
        _expect(text_of(issuer) == trust.entity_id, "Issuer not present in specified provider")
    _expect(response.get("Destination", "") in trust.recipients, "Its Destination is not this console.")
    code = only_child(only_child(response, SAMLP, "Status"), SAMLP, "StatusCode")
    _expect(code.get("Value") == _SUCCESS, "The provider says that the sign-in failed.")


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SAMLError(otherwise)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One verified assertion, being read."""

    assertion: etree._Element
    trust: Trust
    now: datetime

    def claims(self, in_response_to: str) -> Claims:
        self._check_issue()
        self._check_conditions()
        subject = only_child(self.assertion, SAML, "Subject")
        person = only_child(subject, SAML, "NameID")
        confirmation = self._confirmation(subject)
        asked = confirmation.get("InResponseTo", "")
        _expect(in_response_to in ("", asked), "Response and assertion answer different requests.")
        _expect(bool(text_of(person)), "Its NameID is empty.")
        return Claims(
            issuer=self.trust.entity_id,
            assertion_id=self.assertion.get("ID"),
            name_id=text_of(person),
            name_id_format=person.get("Format", _UNSPECIFIED),
            recipient=confirmation.get("Recipient"),
            in_response_to=asked,
            attributes=self._attributes(),
            usable_until=self._usable_until(confirmation),
            session_ends_at=self._session_end(),
        )

    def _check_issue(self) -> None:
        issuer = text_of(only_child(self.assertion, SAML, "Issuer"))
        _expect(issuer == self.trust.entity_id, "Issuer not present in specified provider")
        issued = _moment(self.assertion, "IssueInstant")
        _expect(issued <= self.now + SKEW, "It comes from the future: compare the clocks.")
        if issued < self.now - REDEEM_WITHIN - SKEW:
            raise Expired("Token must be redeemed within 5 minutes of issuance")

    def _check_conditions(self) -> None:
        conditions = only_child(self.assertion, SAML, "Conditions")
        _expect(all(part.tag in _KNOWN_CONDITIONS for part in conditions), "It has a condition that is not known here.")
        self._check_window(conditions)
        restrictions = children(conditions, SAML, "AudienceRestriction")
        _expect(bool(restrictions), "It is for no audience in particular.")
        for restriction in restrictions:
            named = {text_of(audience) for audience in children(restriction, SAML, "Audience")}
            _expect(bool(named & self.trust.audiences), "It is for another audience.")

    def _check_window(self, element: etree._Element) -> None:
        if element.get("NotBefore"):
            _expect(_moment(element, "NotBefore") <= self.now + SKEW, "It is not valid yet: compare the clocks.")
        if _moment(element, "NotOnOrAfter") <= self.now - SKEW:
            raise Expired("Response has expired")

    def _confirmation(self, subject: etree._Element) -> etree._Element:
        confirmation = only_child(subject, SAML, "SubjectConfirmation")
        _expect(confirmation.get("Method") == _BEARER, "Its SubjectConfirmation is not of a bearer.")
        data = only_child(confirmation, SAML, "SubjectConfirmationData")
        _expect(data.get("Recipient", "") in self.trust.recipients, "Its Recipient is not this console.")
        self._check_window(data)
        return data

    def _usable_until(self, confirmation: etree._Element) -> datetime:
        """Some providers let it end in the year 9999."""
        redeemed_by = _moment(self.assertion, "IssueInstant") + REDEEM_WITHIN
        return min(_moment(confirmation, "NotOnOrAfter"), redeemed_by) + SKEW

    def _session_end(self) -> datetime | None:
        statements = children(self.assertion, SAML, "AuthnStatement")
        _expect(bool(statements), "It does not say that anybody signed in (AuthnStatement).")
        ends = [_moment(each, "SessionNotOnOrAfter") for each in statements if each.get("SessionNotOnOrAfter")]
        if ends and min(ends) <= self.now:
            raise Expired("The provider's own session has ended")
        return min(ends, default=None)

    def _attributes(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for attribute in self._each_attribute():
            values = tuple(text_of(value) for value in children(attribute, SAML, "AttributeValue") if not len(value))
            found[attribute.get("Name")] = (*found.get(attribute.get("Name"), ()), *values)
        _expect(sum(map(len, found.values())) <= _MOST_VALUES, f"It has more than {_MOST_VALUES} attribute values.")
        return found

    def _each_attribute(self) -> Iterator[etree._Element]:
        for statement in children(self.assertion, SAML, "AttributeStatement"):
            yield from children(statement, SAML, "Attribute")


def _moment(element: etree._Element, attribute: str) -> datetime:
    try:
        moment = datetime.fromisoformat(element.get(attribute, ""))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise SAMLError(f"Its {attribute} is missing or no date.") from error
