"""The pages of identity providers: list, add, look, change, switch off, delete."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit import clock
from audit.models import Event
from federation import sp
from federation.models import OIDCProvider, SAMLProvider
from federation.saml.metadata import read_metadata
from federation.services.oidc_providers import create_oidc_provider
from federation.services.saml_providers import create_saml_provider
from identities.models import User
from tests.cast import ACME, allow, browser_of, make_role, principal_of
from tests.federation.companies import key_descriptor, metadata, pem

LIST = "federation:list-identity-providers"
URL = "id.example.com/tenant"


def trust(arn: str) -> str:
    return (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"' + arn + '"},'
        '"Action":"sts:AssumeRoleWithSAML","Condition":{"StringEquals":{"saml:aud":"x"}}}]}'
    )


@pytest.fixture
def corp(alice: User) -> SAMLProvider:
    return create_saml_provider(by=principal_of(alice), name="corp", metadata=metadata())


@pytest.fixture
def tenant(alice: User) -> OIDCProvider:
    return create_oidc_provider(by=principal_of(alice), url=f"https://{URL}", client_ids=["app"])


@pytest.fixture
def browser(alice: User) -> Client:
    return browser_of(alice)


def text_of(reply: Any) -> str:
    return str(reply.content.decode())


def test_the_list_shows_both_kinds_and_finds_by_name_and_address(
    browser: Client, corp: SAMLProvider, tenant: OIDCProvider
) -> None:
    everything = text_of(browser.get(reverse(LIST)))
    assert "corp" in everything and URL in everything and "Valid until" in everything
    found = text_of(browser.get(reverse(LIST), {"q": "IDP.corp"}, headers={"HX-Request": "true"}))
    assert corp.entity_id in found and URL not in found and "<html" not in found
    assert "corp.example" not in text_of(browser.get(reverse(LIST), {"kind": "oidc"}))
    assert "No provider fits this search" in text_of(browser.get(reverse(LIST), {"q": "nothing"}))


def test_an_empty_list_says_what_it_is_for(browser: Client) -> None:
    assert "No identity providers" in text_of(browser.get(reverse(LIST)))


def test_the_list_warns_of_what_expires(browser: Client, corp: SAMLProvider) -> None:
    for days, word in ((40, "Valid until"), (20, "Expires"), (-1, "Expired")):
        SAMLProvider.objects.update(valid_until=clock.now() + timedelta(days=days))
        assert word in text_of(browser.get(reverse(LIST)))
    assert "out of date" in text_of(browser.get(reverse("federation:get-saml-provider", args=["corp"])))


def test_each_kind_is_listed_only_to_those_who_may(bob: User, corp: SAMLProvider, tenant: OIDCProvider) -> None:
    allow(bob, "iam:ListSAMLProviders")
    reply = browser_of(bob).get(reverse(LIST))
    assert reply.status_code == 200
    assert "corp" in text_of(reply) and URL not in text_of(reply)
    assert "iam:ListOpenIDConnectProviders" in text_of(reply)


def test_nobody_without_permission_sees_anything(bob: User, corp: SAMLProvider, tenant: OIDCProvider) -> None:
    reply = browser_of(bob).get(reverse(LIST))
    assert reply.status_code == 403 and "corp.example" not in text_of(reply) and URL not in text_of(reply)


def test_it_adds_a_saml_provider(browser: Client) -> None:
    address = reverse("federation:create-saml-provider")
    assert sp.acs_url() in text_of(browser.get(address))
    reply = browser.post(address, {"name": "corp", "metadata": metadata(), "private_key": pem("ours")})
    assert reply.status_code == 302
    shown = text_of(browser.get(reply.headers["Location"]))
    assert "CN=corp.example" in shown and "PRIVATE KEY" not in shown


def test_a_mistake_is_told_at_its_field_and_what_was_typed_stays(browser: Client, corp: SAMLProvider) -> None:
    address = reverse("federation:create-saml-provider")
    told = text_of(browser.post(address, {"name": "new", "metadata": "<not-metadata/>"}))
    assert "Could not parse metadata" in told and "&lt;not-metadata/&gt;" in told and 'value="new"' in told
    assert "already exists" in text_of(browser.post(address, {"name": "corp", "metadata": metadata()}))
    assert SAMLProvider.objects.count() == 1


def change(**fields: str) -> dict[str, str]:
    return {
        "enabled": "on",
        "encryption_mode": "",
        "metadata": "",
        "private_key": "",
        "remove_private_key": "",
        **fields,
    }


@pytest.mark.parametrize(
    ("sign_in_url", "by_itself", "words"),
    [
        ("https://idp.example/sso", False, "here only"),
        ("https://idp.example/sso", True, "here, or at the provider"),
        ("javascript:alert(1)", True, "own pages only"),
        ("javascript:alert(1)", False, "nowhere: nobody can sign in"),
    ],
)
def test_its_page_says_where_people_can_begin(
    browser: Client, corp: SAMLProvider, sign_in_url: str, by_itself: bool, words: str
) -> None:
    fields = change(metadata=metadata(sign_in_url=sign_in_url), **({"starts_sign_in": "on"} if by_itself else {}))
    browser.post(reverse("federation:update-saml-provider", args=["corp"]), fields)
    assert words in text_of(browser.get(reverse("federation:get-saml-provider", args=["corp"])))


def test_it_changes_metadata_and_use(browser: Client, corp: SAMLProvider) -> None:
    address = reverse("federation:update-saml-provider", args=["corp"])
    fresh = metadata(key_descriptor("next"))
    assert browser.post(address, change(metadata=fresh, starts_sign_in="on")).status_code == 302
    corp.refresh_from_db()
    assert (corp.metadata_document, corp.starts_sign_in, corp.disabled_at) == (fresh, True, None)
    off = change()
    del off["enabled"]
    browser.post(address, off)
    corp.refresh_from_db()
    assert corp.disabled_at is not None and corp.metadata_document == fresh
    assert "switched off" in text_of(browser.get(reverse("federation:get-saml-provider", args=["corp"])))


def test_saving_without_a_change_records_nothing(browser: Client, corp: SAMLProvider) -> None:
    before = Event.objects.count()
    browser.post(reverse("federation:update-saml-provider", args=["corp"]), change())
    assert Event.objects.count() == before


def test_private_keys_come_and_go(browser: Client, corp: SAMLProvider) -> None:
    address = reverse("federation:update-saml-provider", args=["corp"])
    browser.post(address, change(private_key=pem("ours"), encryption_mode="Required"))
    key_id = corp.private_keys.get().key_id
    refused = text_of(browser.post(address, change(remove_private_key=key_id, encryption_mode="Required")))
    assert "without a private key" in refused
    browser.post(address, change(remove_private_key=key_id))
    assert not corp.private_keys.exists()


@pytest.mark.bar(40)
@pytest.mark.parametrize("action", ["create-saml-provider", "create-open-id-connect-provider"])
def test_adding_asks_for_a_fresh_sign_in(alice: User, action: str) -> None:
    reply = browser_of(alice, fresh=False).get(reverse(f"federation:{action}"))
    assert reply.status_code == 302 and reply.headers["Location"].startswith("/confirm")


@pytest.mark.bar(40)
def test_changing_and_deleting_ask_for_a_fresh_sign_in(alice: User, corp: SAMLProvider) -> None:
    stale = browser_of(alice, fresh=False)
    for action in ("update-saml-provider", "delete-saml-provider"):
        assert stale.post(reverse(f"federation:{action}", args=["corp"]), change()).status_code == 302
    assert SAMLProvider.objects.get().starts_sign_in is False


def test_deleting_says_which_roles_trust_it(browser: Client, corp: SAMLProvider) -> None:
    make_role(corp.account, "operators", trust(corp.arn))
    address = reverse("federation:delete-saml-provider", args=["corp"])
    assert "operators" in text_of(browser.get(address))
    assert "operators" in text_of(browser.get(reverse("federation:get-saml-provider", args=["corp"])))
    assert "nothing was deleted" in text_of(browser.post(address, {"confirmation": "Corp"}))
    assert browser.post(address, {"confirmation": "corp"}).status_code == 302
    assert not SAMLProvider.objects.exists()


def test_roles_are_told_only_to_those_who_may_list_them(bob: User, corp: SAMLProvider) -> None:
    make_role(corp.account, "operators", trust(corp.arn))
    allow(bob, "iam:GetSAMLProvider")
    shown = text_of(browser_of(bob).get(reverse("federation:get-saml-provider", args=["corp"])))
    assert "operators" not in shown and "iam:ListRoles" in shown


def test_it_adds_an_openid_connect_provider(browser: Client) -> None:
    address = reverse("federation:create-open-id-connect-provider")
    reply = browser.post(address, {"url": f"https://{URL}", "client_ids": "app\n\n web \n"})
    assert reply.status_code == 302
    shown = text_of(browser.get(reply.headers["Location"]))
    assert f"arn:aws:iam::{ACME}:oidc-provider/{URL}" in shown and "web" in shown
    assert "must begin with https" in text_of(browser.post(address, {"url": "http://id.example.com"}))


def test_audiences_and_thumbprints_change(browser: Client, tenant: OIDCProvider) -> None:
    def post(action: str, **fields: str) -> Any:
        return browser.post(reverse(f"federation:{action}", args=[URL]), fields)

    post("add-client-id-to-open-id-connect-provider", client_id="web")
    post("remove-client-id-from-open-id-connect-provider", client_id="app")
    assert [row.client_id for row in tenant.client_ids.all()] == ["web"]
    post("update-open-id-connect-provider-thumbprint", thumbprints="a" * 40)
    tenant.refresh_from_db()
    assert tenant.thumbprints == ["a" * 40]
    assert "40 hexadecimal digits" in text_of(post("update-open-id-connect-provider-thumbprint", thumbprints="x"))
    assert post("delete-open-id-connect-provider", confirmation=URL).status_code == 302
    assert not OIDCProvider.objects.exists()


@pytest.mark.parametrize(("kind", "word"), [("saml-provider", "corp"), ("open-id-connect-provider", URL)])
def test_tags_come_and_go_on_both_kinds(
    browser: Client, corp: SAMLProvider, tenant: OIDCProvider, kind: str, word: str
) -> None:
    provider = corp if kind == "saml-provider" else tenant
    tag, untag = (reverse(f"federation:{verb}-{kind}", args=[word]) for verb in ("tag", "untag"))
    browser.post(tag, {"key": "Team", "value": "red"})
    assert {row.key: row.value for row in provider.tags.all()} == {"Team": "red"}
    told = text_of(browser.post(tag, {"key": "aws:x", "value": "kept"}))
    assert "begin with aws:" in told and 'value="kept"' in told
    browser.post(untag, {"key": "Team"})
    assert not provider.tags.exists()


def test_conditions_see_the_tag_that_is_meant(bob: User, corp: SAMLProvider) -> None:
    allow(bob, "iam:TagSAMLProvider", Condition={"StringEquals": {"aws:RequestTag/Team": "red"}})
    browser, tag = browser_of(bob), reverse("federation:tag-saml-provider", args=["corp"])
    assert browser.post(tag, {"key": "Team", "value": "blue"}).status_code == 403
    assert browser.post(tag, {"key": "Team", "value": "red"}).status_code == 302


@pytest.mark.bar(61, 127)
def test_it_hides_other_accounts(mallory: User, corp: SAMLProvider, tenant: OIDCProvider) -> None:
    browser = browser_of(mallory)
    for action, word in (("get-saml-provider", "corp"), ("get-open-id-connect-provider", URL)):
        assert browser.get(reverse(f"federation:{action}", args=[word])).status_code == 404
    for action, word in (("tag-saml-provider", "corp"), ("delete-open-id-connect-provider", URL)):
        assert browser.post(reverse(f"federation:{action}", args=[word]), {"key": "a"}).status_code == 404
    assert "corp.example" not in text_of(browser.get(reverse(LIST)))


@pytest.mark.bar(50)
def test_hostile_names_are_text(browser: Client, alice: User) -> None:
    hostile = metadata(entity_id="https://x/&lt;img src=x&gt;")
    create_saml_provider(by=principal_of(alice), name="odd", metadata=hostile)
    for address in (reverse(LIST), reverse("federation:get-saml-provider", args=["odd"])):
        assert "<img src" not in text_of(browser.get(address)) and "&lt;img src=x&gt;" in text_of(browser.get(address))


@pytest.mark.bar(56)
def test_our_metadata_is_not_shown_as_a_page(db: None) -> None:
    reply = Client().get(reverse("federation:saml-metadata"))
    assert reply.headers["Content-Type"] == "application/samlmetadata+xml"
    assert reply.headers["X-Content-Type-Options"] == "nosniff" and "attachment" in reply.headers["Content-Disposition"]
    assert sp.acs_url() in text_of(reply)
    with pytest.raises(Exception, match="identity provider"):
        read_metadata(text_of(reply))
