"""What a SAML response must be to be believed: first everything that it must not be."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
import xmlsec
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from federation.saml.parsing import DS, SAML, SAMLError
from federation.saml.response import Expired, Trust, Unproven
from tests.federation import forge
from tests.federation.companies import ENTITY_ID, certificate_pem, pem
from tests.federation.forge import ACS, ATTRIBUTES, NAMES, Sent, assertion_of, good, sign, signed
from tests.federation.reading import PERSON, read, trust


def test_a_good_one_is_believed() -> None:
    claims = read(good(in_response_to="_asked", attributes={"urn:oid:0.9.2342.19200300.100.1.3": [PERSON]}))
    assert (claims.name_id, claims.subject_type, claims.issuer) == (PERSON, "persistent", ENTITY_ID)
    assert (claims.recipient, claims.in_response_to, claims.assertion_id) == (ACS, "_asked", "_assertion1")
    assert claims.condition_keys("111122223333", "corp")["saml:mail"] == (PERSON,)


@pytest.mark.parametrize("method", ["rsa-sha256", "rsa-sha384", "rsa-sha512"])
def test_a_good_one_by_any_strong_algorithm(method: str) -> None:
    assert read(signed(method=method, digest=method[4:])).name_id == PERSON


def test_any_key_of_the_metadata_does() -> None:
    assert read(signed(key="next"), trust("corp", "next")).name_id == PERSON


def test_the_response_may_be_signed_as_well() -> None:
    assert read(sign(signed())).name_id == PERSON


def test_sha_1_is_refused_in_words() -> None:
    with pytest.raises(Unproven, match="SHA-1 is too weak: let the provider sign with SHA-256"):
        read(signed(method="rsa-sha1"))


def raw(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def text_of_good() -> str:
    return base64.b64decode(good()).decode()


HOSTILE_TEXT = {
    "a comment in a value": lambda: text_of_good().replace("jane@", "jane<!-- -->@"),
    "an instruction in a value": lambda: text_of_good().replace("jane@", "jane<?x y?>@"),
    "a CDATA section": lambda: text_of_good().replace("jane@corp.example", "<![CDATA[jane@corp.example]]>"),
    "a DTD": lambda: f"<!DOCTYPE a>{text_of_good()}",
    "an outside entity": lambda: f'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>{text_of_good()}',
    "a billion laughs": lambda: (
        '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + text_of_good().replace("jane", "&b;")
    ),
    "an unknown entity": lambda: text_of_good().replace("jane", "&jane;"),
    "another encoding": lambda: f'<?xml version="1.0" encoding="UTF-7"?>{text_of_good()}',
    "two roots": lambda: text_of_good() * 2,
    "nothing": lambda: "",
    "XInclude": lambda: text_of_good().replace(
        "jane", '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/hostname" parse="text"/>'
    ),
    "too deep": lambda: "<a>" * 500 + "</a>" * 500,
    "a null byte": lambda: text_of_good().replace("jane", "ja\x00ne"),
    "too long": lambda: text_of_good() + " " * 100_000,
}


@pytest.mark.bar(95, 99, 106)
@pytest.mark.parametrize("make", HOSTILE_TEXT.values(), ids=HOSTILE_TEXT)
def test_hostile_text_is_refused(make: Any) -> None:
    with pytest.raises(Unproven):
        read(raw(make()))


@pytest.mark.bar(99)
def test_a_comment_before_signing_is_refused_too() -> None:
    """Canonicalization drops comments, so the signature would be right and a reader might take the first piece."""
    response = Sent().tree()
    person = response.find(".//saml:NameID", NAMES)
    person.text = "root@corp.example"
    comment = etree.Comment("x")
    comment.tail = ".evil.example"
    person.append(comment)
    old = assertion_of(response)
    response.replace(old, sign(old))
    with pytest.raises(Unproven):
        read(response)


@pytest.mark.bar(106)
@given(st.binary(max_size=2000))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with pytest.raises(Unproven):
        read(base64.b64encode(data).decode())


@pytest.mark.bar(97, 106)
@given(st.data())
def test_no_changed_byte_of_the_assertion_gives_another_person(data: st.DataObject) -> None:
    text = bytearray(base64.b64decode(GOOD))
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] = data.draw(st.integers(0, 255))
    try:
        claims = read(base64.b64encode(bytes(text)).decode(), at=MADE)
    except SAMLError:
        return
    assert (claims.name_id, claims.attributes) == (PERSON, {"x": ("y",)})


# What is made here, when pytest collects, is looked at minutes later.
MADE = datetime.now(UTC)
GOOD = good(at=MADE)

NOT_FOR_US: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://idp.other.example/metadata"},
    "another audience": {"audience": "https://other.example/"},
    "another recipient": {"recipient": "https://signin.aws.amazon.com/saml"},
    "another destination": {"destination": "https://other.example/saml"},
    "no destination": {"destination": ""},
    "a longer recipient": {"recipient": f"{ACS}/"},
    "not valid yet": {"since": timedelta(minutes=3)},
    "from the future": {"at": MADE + timedelta(minutes=15)},
    "over": {"lifetime": timedelta(minutes=-3)},
    "issued too long ago": {"at": MADE - timedelta(minutes=8), "lifetime": timedelta(hours=1)},
    "the provider's session over": {"session_end": MADE - timedelta(minutes=1)},
    "no success": {"status": "Responder"},
    "nobody": {"name_id": ""},
}


@pytest.mark.bar(100)
@pytest.mark.parametrize("changes", NOT_FOR_US.values(), ids=NOT_FOR_US)
def test_what_is_not_for_here_and_now_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SAMLError) as refused:
        read(good(**{"at": MADE, **changes}), at=MADE)
    assert not isinstance(refused.value, Unproven)


def without(path: str) -> Any:
    response = Sent().tree()
    element = response.find(f".//{path}", NAMES)
    element.getparent().remove(element)
    return response


def attribute_without(path: str, attribute: str) -> Any:
    response = Sent().tree()
    del response.find(f".//{path}", NAMES).attrib[attribute]
    return response


def twice(path: str) -> Any:
    response = Sent().tree()
    element = response.find(f".//{path}", NAMES)
    element.addnext(etree.fromstring(etree.tostring(element)))
    return response


def with_condition() -> Any:
    response = Sent().tree()
    conditions = response.find(".//saml:Conditions", NAMES)
    conditions.append(
        etree.fromstring(
            f'<saml:Condition xmlns:saml="{SAML}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            'xmlns:x="urn:x" xsi:type="x:Strange"/>'
        )
    )
    return response


INCOMPLETE = {
    "no conditions": lambda: without("saml:Conditions"),
    "no audience": lambda: without("saml:AudienceRestriction"),
    "no subject": lambda: without("saml:Subject"),
    "no name": lambda: without("saml:NameID"),
    "no confirmation": lambda: without("saml:SubjectConfirmation"),
    "no confirmation data": lambda: without("saml:SubjectConfirmationData"),
    "nobody signed in": lambda: without("saml:AuthnStatement"),
    "no recipient": lambda: attribute_without("saml:SubjectConfirmationData", "Recipient"),
    "no end of the confirmation": lambda: attribute_without("saml:SubjectConfirmationData", "NotOnOrAfter"),
    "no end of the conditions": lambda: attribute_without("saml:Conditions", "NotOnOrAfter"),
    "two confirmations": lambda: twice("saml:SubjectConfirmation"),
    "a strange condition": with_condition,
}


@pytest.mark.bar(100)
@pytest.mark.parametrize("make", INCOMPLETE.values(), ids=INCOMPLETE)
def test_an_incomplete_one_is_refused(make: Any) -> None:
    response = make()
    old = assertion_of(response)
    response.replace(old, sign(old))
    with pytest.raises(SAMLError):
        read(response)


def test_answers_to_different_requests_are_refused() -> None:
    response = signed(Sent(in_response_to="_asked"))
    response.set("InResponseTo", "_other")
    with pytest.raises(SAMLError, match="different requests"):
        read(response)


def test_two_minutes_of_difference_between_clocks_are_no_harm() -> None:
    with time_machine.travel(datetime(2027, 5, 1, 12, 0, 0, tzinfo=UTC), tick=False):
        response = good()
        assert read(response, at=datetime(2027, 5, 1, 11, 58, 1, tzinfo=UTC)).name_id == PERSON
        assert read(response, at=datetime(2027, 5, 1, 12, 6, 59, tzinfo=UTC)).name_id == PERSON
        with pytest.raises(SAMLError, match="clocks"):
            read(response, at=datetime(2027, 5, 1, 11, 57, 59, tzinfo=UTC))
        with pytest.raises(Expired):
            read(response, at=datetime(2027, 5, 1, 12, 7, 1, tzinfo=UTC))


def ours() -> Trust:
    return trust(must_encrypt=True, private_keys=(pem("ours-2"), pem("ours")))


def test_an_encrypted_assertion_is_read_with_either_key() -> None:
    assert read(forge.encrypted(signed(), certificate=certificate_pem("ours")), ours()).name_id == PERSON
    assert read(forge.encrypted(signed(), certificate=certificate_pem("ours-2")), ours()).name_id == PERSON


def test_an_encrypted_assertion_in_a_signed_response_is_read() -> None:
    sealed = forge.encrypted(signed(), certificate=certificate_pem("ours"))
    assert read(sign(sealed), ours()).name_id == PERSON


def with_retrieval() -> Any:
    response = forge.encrypted(signed(), certificate=certificate_pem("ours"))
    key_info = response.find(".//ds:KeyInfo", NAMES)
    etree.SubElement(key_info, f"{{{DS}}}RetrievalMethod", URI="file:///etc/hostname")
    return response


def beside_a_plain_one() -> Any:
    response = forge.encrypted(signed(), certificate=certificate_pem("ours"))
    response.append(assertion_of(signed(Sent(assertion_id="_plain"))))
    return response


WRONGLY_ENCRYPTED = {
    "not at all": signed,
    "for somebody else": lambda: forge.encrypted(signed(), certificate=certificate_pem("attacker")),
    "but not signed": lambda: forge.encrypted(Sent().tree(), certificate=certificate_pem("ours")),
    "by RSA 1.5": lambda: forge.encrypted(
        signed(), certificate=certificate_pem("ours"), key=xmlsec.constants.TransformRsaPkcs1
    ),
    "with a key fetched from elsewhere": with_retrieval,
    "beside a plain one": beside_a_plain_one,
}


@pytest.mark.bar(96, 98)
@pytest.mark.parametrize("make", WRONGLY_ENCRYPTED.values(), ids=WRONGLY_ENCRYPTED)
def test_wrong_encryption_is_refused(make: Any) -> None:
    with pytest.raises(Unproven):
        read(make(), ours())


ROLE, PROVIDER = "arn:aws:iam::111122223333:role/team/ops", "arn:aws:iam::111122223333:saml-provider/corp"


def test_roles_are_named_in_either_order() -> None:
    values = [f"{ROLE},{PROVIDER}", f"{PROVIDER}, {ROLE}2", "nonsense", ROLE]
    claims = read(good(attributes={f"{ATTRIBUTES}Role": values}))
    assert claims.roles == ((ROLE, PROVIDER), (f"{ROLE}2", PROVIDER))


def test_tags_and_their_transitive_keys() -> None:
    attributes = {
        f"{ATTRIBUTES}PrincipalTag:Project": ["Marketing"],
        f"{ATTRIBUTES}PrincipalTag:Two": ["a", "b"],
        f"{ATTRIBUTES}TransitiveTagKeys": ["Project", "Other"],
    }
    claims = read(good(attributes=attributes))
    assert claims.tags == {"Project": "Marketing"}
    assert claims.transitive_tag_keys == ("Project", "Other")


def test_the_name_qualifier_is_aws_s_formula() -> None:
    """BASE64(SHA1("https://example.com/saml" + "123456789012" + "/MySAMLIdP")), from the API reference."""
    claims = read(good())
    keys = claims.condition_keys("123456789012", "MySAMLIdP")
    assert keys["saml:doc"] == ("123456789012/MySAMLIdP",)
    assert len(base64.b64decode(keys["saml:namequalifier"][0])) == 20
