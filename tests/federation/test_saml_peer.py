"""A real identity provider, pysaml2's, in front of ours: its metadata, its responses."""

import base64
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.config import IdPConfig
from saml2.metadata import create_metadata_string
from saml2.saml import NAME_FORMAT_URI, NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server

from federation import sp
from federation.errors import InvalidIdentityToken
from federation.services.assertions import redeem
from federation.services.saml_providers import create_saml_provider
from identities.models import User
from tests.cast import principal_of
from tests.federation.companies import certificate_pem, pem

pytestmark = pytest.mark.skipif(shutil.which("xmlsec1") is None, reason="xmlsec1, which pysaml2 signs with, is missing")

ENTITY_ID = "https://pysaml2.corp.example/metadata"
ROLE = "https://aws.amazon.com/SAML/Attributes/Role"
SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
DIGEST = "http://www.w3.org/2001/04/xmlenc#sha256"


@pytest.fixture
def company(tmp_path: Path, db: None) -> Server:
    """The identity provider, which has loaded our own metadata."""
    (tmp_path / "key.pem").write_text(pem("pysaml2"))
    (tmp_path / "cert.pem").write_text(certificate_pem("pysaml2"))
    (tmp_path / "sp.xml").write_bytes(sp.metadata())
    config: dict[str, Any] = {
        "entityid": ENTITY_ID,
        "xmlsec_binary": shutil.which("xmlsec1"),
        "key_file": str(tmp_path / "key.pem"),
        "cert_file": str(tmp_path / "cert.pem"),
        "metadata": {"local": [str(tmp_path / "sp.xml")]},
        "service": {
            "idp": {
                "endpoints": {"single_sign_on_service": [("https://pysaml2.corp.example/sso", BINDING_HTTP_REDIRECT)]},
                "policy": {"default": {"lifetime": {"minutes": 5}, "name_form": NAME_FORMAT_URI}},
                "sign_assertion": True,
                "signing_algorithm": SHA256,
                "digest_algorithm": DIGEST,
            }
        },
    }
    return Server(config=IdPConfig().load(config))


def response_of(company: Server, **how: Any) -> str:
    arguments: dict[str, Any] = {
        "identity": {"mail": ["jane@corp.example"]},
        "in_response_to": "_asked",
        "destination": sp.acs_url(),
        "sp_entity_id": sp.entity_id(),
        "name_id": NameID(format=NAMEID_FORMAT_PERSISTENT, text="jane"),
        "authn": {"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password", "authn_auth": ENTITY_ID},
        "sign_assertion": True,
        "sign_alg": SHA256,
        "digest_alg": DIGEST,
        **how,
    }
    return base64.b64encode(str(company.create_authn_response(**arguments)).encode()).decode()


@pytest.fixture
def metadata(company: Server) -> str:
    text: bytes = create_metadata_string("", config=company.config, valid=24 * 365)
    return text.decode()


def test_its_metadata_is_read_and_its_response_believed(company: Server, metadata: str, alice: User) -> None:
    provider = create_saml_provider(by=principal_of(alice), name="pysaml2", metadata=metadata)
    assert (provider.entity_id, provider.single_sign_on_url) == (ENTITY_ID, "https://pysaml2.corp.example/sso")
    claims = redeem(provider, response_of(company), datetime.now(UTC))
    assert (claims.name_id, claims.subject_type, claims.in_response_to) == ("jane", "persistent", "_asked")
    assert claims.condition_keys("111122223333", "pysaml2")["saml:mail"] == ("jane@corp.example",)


def test_both_signatures_are_fine(company: Server, metadata: str, alice: User) -> None:
    provider = create_saml_provider(by=principal_of(alice), name="pysaml2", metadata=metadata)
    assert redeem(provider, response_of(company, sign_response=True), datetime.now(UTC)).name_id == "jane"


@pytest.mark.bar(98)
def test_its_sha_1_is_refused(company: Server, metadata: str, alice: User) -> None:
    provider = create_saml_provider(by=principal_of(alice), name="pysaml2", metadata=metadata)
    weak = response_of(company, sign_alg="http://www.w3.org/2000/09/xmldsig#rsa-sha1")
    with pytest.raises(InvalidIdentityToken) as refused:
        redeem(provider, weak, datetime.now(UTC))
    assert "SHA-1 is too weak" in refused.value.detail


def test_ours_says_where_responses_go(company: Server) -> None:
    services = company.metadata.assertion_consumer_service(sp.entity_id(), BINDING_HTTP_POST)
    assert [service["location"] for service in services] == [sp.acs_url()]
