"""Reading an identity provider's metadata, and what is refused of it."""

from datetime import UTC, datetime

import pytest

from federation.saml.metadata import read_metadata
from federation.saml.parsing import SAMLError
from tests.federation.companies import ENTITY_ID, SIGN_IN_URL, certificate, key_descriptor, metadata


def test_it_reads_who_where_and_with_which_keys() -> None:
    read = read_metadata(metadata())
    assert (read.entity_id, read.sign_in_url) == (ENTITY_ID, SIGN_IN_URL)
    assert [key.subject for key in read.keys] == ["CN=corp.example"]
    assert read.valid_until == certificate().not_valid_after_utc


def test_it_takes_several_keys_once_each_and_leaves_those_for_encryption() -> None:
    encryption = key_descriptor("other", use=' use="encryption"')
    read = read_metadata(metadata(key_descriptor(), key_descriptor("next", use=""), key_descriptor(), encryption))
    assert [key.subject for key in read.keys] == ["CN=corp.example", "CN=next.example"]


def test_its_own_date_of_expiry_counts() -> None:
    assert read_metadata(metadata(more=' validUntil="2027-01-02T03:04:05Z"')).valid_until == datetime(
        2027, 1, 2, 3, 4, 5, tzinfo=UTC
    )


def test_comments_and_one_wrapper_are_no_harm() -> None:
    inside = metadata().partition("?>")[2]
    wrapped = f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"><!-- ours -->{inside}'
    assert read_metadata(f"{wrapped}</md:EntitiesDescriptor>").entity_id == ENTITY_ID


@pytest.mark.parametrize(
    ("count", "said"), [(2, "idp0.example, https://idp1.example."), (7, "idp4.example and 2 more")]
)
def test_of_several_it_says_which_there_are(count: int, said: str) -> None:
    entities = "".join(metadata(entity_id=f"https://idp{each}.example").partition("?>")[2] for each in range(count))
    begin = '<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">'
    with pytest.raises(SAMLError) as refused:
        read_metadata(f"{begin}{entities}</md:EntitiesDescriptor>")
    assert f"It describes {count} identity providers: https://idp0.example" in str(refused.value)
    assert said in str(refused.value) and "Paste the EntityDescriptor of one" in str(refused.value)


def without(text: str) -> str:
    assert text in metadata()
    return metadata().replace(text, "")


BAD = {
    "no XML": "hello",
    "not closed": metadata()[:-5],
    "a DTD": metadata().replace("<md:Entity", "<!DOCTYPE a><md:Entity", 1),
    "an entity": metadata().replace(
        "<md:Entity", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><md:Entity', 1
    ),
    "another encoding": metadata().replace("UTF-8", "UTF-16"),
    "no name": without(f' entityID="{ENTITY_ID}"'),
    "no key": metadata("<md:NameIDFormat>x</md:NameIDFormat>"),
    "no certificate": metadata(key_descriptor().replace("MII", "AAA", 1)),
    "eleven keys": metadata(*(key_descriptor().replace("MII", f"{number:03}", 1) for number in range(11))),
    "a weak key": metadata(key_descriptor("weak", 1024)),
    "no provider": metadata().replace("IDPSSODescriptor", "SPSSODescriptor"),
    "another protocol": metadata().replace("SAML:2.0:protocol", "SAML:1.1:protocol"),
    "a date that is none": metadata(more=' validUntil="soon"'),
    "a date before all others": metadata(more=' validUntil="0001-01-01T00:00:00+14:00"'),
    "too deep": f"{'<a>' * 40}{'</a>' * 40}",
}


@pytest.mark.bar(95, 98)
@pytest.mark.parametrize("document", BAD.values(), ids=BAD)
def test_it_refuses(document: str) -> None:
    with pytest.raises(SAMLError):
        read_metadata(document)
