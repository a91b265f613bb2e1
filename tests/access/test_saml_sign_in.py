"""Coming into the console from a company's own sign-in: begun here, begun there, several roles, and what is refused."""

import base64
import json
import re
import zlib
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from lxml import etree

from access import cookies
from access.models import ConsoleSession
from accounts.models import Account
from audit.models import Event
from federation import sp
from federation.models import SAMLProvider
from federation.services.oidc_providers import create_oidc_provider
from federation.services.oidc_sign_in import set_sign_in
from federation.services.saml_providers import create_saml_provider, set_use
from federation.start_paths import SAML, start_path
from identities.models import Role, User
from tests.cast import ACME, allow, browser_of, make_role, root_of
from tests.federation.companies import ENTITY_ID, SIGN_IN_URL, key_descriptor, metadata
from tests.federation.forge import ATTRIBUTES, Sent, encoded, signed

START = start_path(SAML, "111122223333", "corp")
BACK, GO_ON, CHOOSE = "/saml", "/saml/sign-in/", "/choose-role/"


def trusting(provider: SAMLProvider) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider.arn},
        "Action": "sts:AssumeRoleWithSAML",
        "Condition": {"StringEquals": {"saml:aud": sp.acs_url()}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def provider(acme: Account) -> SAMLProvider:
    return create_saml_provider(by=root_of(acme), name="corp", metadata=metadata())


@pytest.fixture
def ops(acme: Account, provider: SAMLProvider) -> Role:
    role = make_role(acme, "ops", trusting(provider))
    allow(role, ["iam:ListUsers", "iam:ListGroups"])
    return role


def response_to(request_id: str, provider: SAMLProvider, *roles: Role, **changes: Any) -> str:
    attributes = {
        f"{ATTRIBUTES}Role": [f"{role.arn},{provider.arn}" for role in roles],
        f"{ATTRIBUTES}RoleSessionName": ["jane@corp.example"],
        **changes.pop("attributes", {}),
    }
    here = {"audience": sp.entity_id(), "recipient": sp.acs_url(), "destination": sp.acs_url()}
    return encoded(signed(Sent(**{**here, "in_response_to": request_id, "attributes": attributes, **changes})))


def begun(browser: Client, next_url: str = "") -> str:
    """The id of the request that this browser carries to the provider."""
    reply = browser.get(START, {"next": next_url} if next_url else {})
    address = urlsplit(reply.headers["Location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == SIGN_IN_URL
    packed = base64.b64decode(parse_qs(address.query)["SAMLRequest"][0])
    document = etree.fromstring(zlib.decompress(packed, -15))
    assert document.get("AssertionConsumerServiceURL") == sp.acs_url()
    return str(document.get("ID"))


def go_on(browser: Client, response: str, relay_state: str = "") -> Any:
    return browser.post(GO_ON, {"SAMLResponse": response, "RelayState": relay_state})


def is_in(browser: Client) -> bool:
    return bool(browser.get("/identities/users/").status_code == 200)


def test_a_sign_in_that_began_here_opens_the_role(client: Client, provider: SAMLProvider, ops: Role) -> None:
    response = response_to(begun(client, "/identities/groups/"), provider, ops)
    back = client.post(BACK, {"SAMLResponse": response})
    assert back.status_code == 200 and "Go on to the console" in back.content.decode()
    reply = go_on(client, response)
    assert (reply.status_code, reply.headers["Location"]) == (302, "/identities/groups/")
    assert is_in(client)
    assert client.get("/policies/").status_code == 403
    session = ConsoleSession.objects.get()
    assert session.is_federated and session.came_from == START
    event = Event.objects.get(action="signin:ConsoleLogin")
    assert (event.account_id, event.principal_name, event.resource) == (ACME, "jane@corp.example", ops.arn)


@pytest.mark.bar(45)
def test_another_site_s_form_alone_changes_nothing(alice: User, provider: SAMLProvider, ops: Role) -> None:
    browser = browser_of(alice, enforce_csrf=True)
    from_outside = {"Origin": "https://idp.corp.example", "Sec-Fetch-Site": "cross-site"}
    back = browser.post(BACK, {"SAMLResponse": response_to("", provider, ops)}, headers=from_outside)
    assert back.status_code == 200 and ConsoleSession.objects.get().user == alice
    for address in (GO_ON, CHOOSE):
        assert browser.post(address, {"SAMLResponse": "x"}, headers=from_outside).status_code == 403


@pytest.mark.bar(101)
def test_a_sign_in_that_nobody_began_is_refused_unless_the_provider_may(
    client: Client, provider: SAMLProvider, ops: Role, acme: Account
) -> None:
    response = response_to("", provider, ops)
    assert go_on(client, response).status_code == 403
    set_use(by=root_of(acme), provider=provider, enabled=True, starts_sign_in=True)
    assert go_on(client, response, "/identities/users/").headers["Location"] == "/identities/users/"
    assert is_in(client)
    assert go_on(Client(), response).status_code == 403


@pytest.mark.bar(47, 101)
def test_a_response_for_another_browser_is_refused(client: Client, provider: SAMLProvider, ops: Role) -> None:
    stolen = response_to(begun(Client()), provider, ops)
    assert go_on(client, stolen).status_code == 403
    begun(client)
    assert go_on(client, stolen).status_code == 403
    assert not ConsoleSession.objects.exists()


@pytest.mark.bar(101)
def test_an_unsolicited_response_does_not_do_for_a_request(
    client: Client, provider: SAMLProvider, ops: Role, acme: Account
) -> None:
    set_use(by=root_of(acme), provider=provider, enabled=True, starts_sign_in=True)
    begun(client)
    assert go_on(client, response_to("", provider, ops)).status_code == 403


@pytest.mark.bar(102)
def test_a_response_opens_one_session(client: Client, provider: SAMLProvider, ops: Role) -> None:
    response = response_to(begun(client), provider, ops)
    asked = client.cookies[cookies.name(cookies.SAML_ASKED)].value
    assert go_on(client, response).status_code == 302
    client.cookies[cookies.name(cookies.SAML_ASKED)] = asked
    assert go_on(client, response).status_code == 403


def test_of_several_roles_one_is_chosen_once(client: Client, acme: Account, provider: SAMLProvider, ops: Role) -> None:
    audit, closed = make_role(acme, "audit", trusting(provider)), make_role(acme, "closed")
    page = go_on(client, response_to(begun(client), provider, ops, audit, closed)).content.decode()
    assert ops.arn in page and audit.arn in page and closed.arn not in page
    found = re.search(r'name="choices" value="([^"]+)"', page)
    assert found
    form = {"choices": found.group(1), "role": ops.arn, "next": "/identities/users/"}
    assert Client().post(CHOOSE, form).status_code == 403
    cookie = client.cookies[cookies.name(cookies.CHOOSING)].value
    assert client.post(CHOOSE, form).headers["Location"] == "/identities/users/"
    assert is_in(client)
    client.cookies[cookies.name(cookies.CHOOSING)] = cookie
    assert client.post(CHOOSE, form).status_code == 403


@pytest.mark.bar(103, 105)
def test_a_role_that_was_not_offered_can_t_be_chosen(
    client: Client, acme: Account, provider: SAMLProvider, ops: Role
) -> None:
    audit = make_role(acme, "audit", trusting(provider))
    other = make_role(acme, "other", trusting(provider))
    page = go_on(client, response_to(begun(client), provider, ops, audit)).content.decode()
    found = re.search(r'name="choices" value="([^"]+)"', page)
    assert found
    assert client.post(CHOOSE, {"choices": found.group(1), "role": other.arn}).status_code == 403
    set_use(by=root_of(acme), provider=provider, enabled=False, starts_sign_in=False)
    assert client.post(CHOOSE, {"choices": found.group(1), "role": ops.arn}).status_code == 403


@pytest.mark.bar(105)
def test_another_account_s_roles_and_providers_open_nothing(
    client: Client, provider: SAMLProvider, ops: Role, globex: Account
) -> None:
    theirs = create_saml_provider(by=root_of(globex), name="corp", metadata=metadata())
    role = make_role(globex, "ops", trusting(provider))
    assert go_on(client, response_to(begun(client), provider, role)).status_code == 403
    assert go_on(client, response_to(begun(client), theirs, ops)).status_code == 403


@pytest.mark.bar(105)
@pytest.mark.parametrize("opens", [True, False])
@pytest.mark.parametrize("same_keys", [True, False])
def test_an_account_that_knows_the_same_company_learns_nothing_of_who_comes_in_elsewhere(
    client: Client, provider: SAMLProvider, ops: Role, globex: Account, opens: bool, same_keys: bool
) -> None:
    theirs = create_saml_provider(
        by=root_of(globex), name="spy", metadata=metadata() if same_keys else metadata(key_descriptor("next"))
    )
    for each in (provider, theirs):
        set_use(by=root_of(each.account), provider=each, enabled=True, starts_sign_in=True)
    role = ops if opens else make_role(provider.account, "closed")
    assert go_on(client, response_to("", provider, role)).status_code == (302 if opens else 403)
    logins = Event.objects.filter(action="signin:ConsoleLogin")
    assert [(event.account_id, event.outcome) for event in logins] == [(ACME, "Success" if opens else "Failure")]


@pytest.mark.bar(105)
@pytest.mark.parametrize("fault", [{"since": timedelta(hours=1)}, {"audience": "https://elsewhere.example"}])
def test_a_response_that_is_over_or_wrong_is_told_to_the_account_that_it_names(
    client: Client, provider: SAMLProvider, ops: Role, globex: Account, fault: dict[str, Any]
) -> None:
    theirs = create_saml_provider(by=root_of(globex), name="spy", metadata=metadata())
    for each in (provider, theirs):
        set_use(by=root_of(each.account), provider=each, enabled=True, starts_sign_in=True)
    assert go_on(client, response_to("", provider, ops, **fault)).status_code == 403
    assert Event.objects.get(action="signin:ConsoleLogin").account_id == ACME


@pytest.mark.bar(105)
def test_nobody_is_kept_out_by_accounts_that_knew_the_company_before(
    client: Client, globex: Account, acme: Account
) -> None:
    known = create_saml_provider(by=root_of(globex), name="spy0", metadata=metadata())
    set_use(by=root_of(globex), provider=known, enabled=True, starts_sign_in=True)
    known.refresh_from_db()
    for number in range(1, 21):
        known.pk, known.name, known.unique_id = None, f"spy{number}", f"SPY{number}"
        known.save(force_insert=True)
    own = create_saml_provider(by=root_of(acme), name="corp", metadata=metadata())
    set_use(by=root_of(acme), provider=own, enabled=True, starts_sign_in=True)
    assert go_on(client, response_to("", own, make_role(acme, "ops", trusting(own)))).status_code == 302


def test_a_response_that_names_no_provider_here_is_told_to_all_who_know_the_company(
    client: Client, provider: SAMLProvider, ops: Role, globex: Account
) -> None:
    set_use(by=root_of(provider.account), provider=provider, enabled=True, starts_sign_in=True)
    elsewhere = SAMLProvider(account=globex, name="corp")
    assert go_on(client, response_to("", elsewhere, ops)).status_code == 403
    assert Event.objects.get(action="signin:ConsoleLogin").account_id == ACME


def test_who_is_let_in_by_no_role_is_told_so(client: Client, acme: Account, provider: SAMLProvider) -> None:
    closed = make_role(acme, "closed")
    reply = go_on(client, response_to(begun(client), provider, closed))
    assert reply.status_code == 403 and "No role lets jane@corp.example in" in reply.content.decode()
    event = Event.objects.get(outcome="Failure")
    assert (event.account_id, event.action, event.resource) == (ACME, "signin:ConsoleLogin", provider.arn)


def test_the_session_ends_with_what_the_provider_says(client: Client, provider: SAMLProvider, ops: Role) -> None:
    lasting = {f"{ATTRIBUTES}SessionDuration": ["43200"]}
    go_on(client, response_to(begun(client), provider, ops, attributes=lasting))
    session = ConsoleSession.objects.get()
    assert 43100 < (session.expires_at - session.created_at).total_seconds() <= 43200


@pytest.mark.bar(35, 118)
def test_whoever_was_signed_in_is_signed_out(alice: User, provider: SAMLProvider, ops: Role) -> None:
    browser = browser_of(alice)
    old = browser.cookies[cookies.name(cookies.SESSION)].value
    go_on(browser, response_to(begun(browser), provider, ops))
    assert browser.cookies[cookies.name(cookies.SESSION)].value != old
    assert not ConsoleSession.objects.filter(user=alice).exists()


@pytest.mark.bar(51, 107)
@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"])
def test_relay_state_leads_nowhere_else(
    client: Client, provider: SAMLProvider, ops: Role, acme: Account, address: str
) -> None:
    set_use(by=root_of(acme), provider=provider, enabled=True, starts_sign_in=True)
    assert go_on(client, response_to("", provider, ops), address).headers["Location"] == "/dashboard/"
    asked_for_it = response_to(begun(client, address), provider, ops, assertion_id="_second")
    assert go_on(client, asked_for_it, address).headers["Location"] == "/dashboard/"
    asked_for_groups = response_to(begun(client, "/identities/groups/"), provider, ops, assertion_id="_third")
    assert go_on(client, asked_for_groups, address).headers["Location"] == "/identities/groups/"


@pytest.mark.bar(107)
def test_relay_state_leads_to_a_page_of_this_site(
    client: Client, provider: SAMLProvider, ops: Role, acme: Account
) -> None:
    """Where the company began the sign-in: what somebody asked for here is what they get."""
    set_use(by=root_of(acme), provider=provider, enabled=True, starts_sign_in=True)
    own = go_on(client, response_to("", provider, ops), "/identities/groups/")
    assert own.headers["Location"] == "/identities/groups/"
    asked = response_to(begun(client, "/identities/roles/"), provider, ops, assertion_id="_second")
    assert go_on(client, asked, "/identities/groups/").headers["Location"] == "/identities/roles/"


def test_an_unknown_or_switched_off_provider_has_no_sign_in(
    client: Client, acme: Account, provider: SAMLProvider
) -> None:
    assert client.get(start_path(SAML, "111122223333", "nobody")).status_code == 404
    set_use(by=root_of(acme), provider=provider, enabled=False, starts_sign_in=False)
    assert client.get(START).status_code == 404


@pytest.mark.bar(127)
def test_only_who_was_given_the_address_can_ask_for_a_provider(
    client: Client, acme: Account, provider: SAMLProvider
) -> None:
    """An address of somebody's own making answers the same whether there is such a provider or not, without looking."""
    other = create_oidc_provider(by=root_of(acme), url="https://id.example.com", client_ids=["app"])
    set_sign_in(by=root_of(acme), provider=other, client_id="app", secret="")
    marks = [start_path(SAML, acme.id, "nobody").split("/")[4], start_path(SAML, "444455556666", "corp").split("/")[4]]
    for mark in (*marks, "0" * 16, "x"):
        answers = [
            client.get(f"/{page}/{mark}/{name}")
            for page, name in (
                (f"saml/start/{acme.id}", "corp/"),
                (f"saml/start/{acme.id}", "nobody2/"),
                (f"signin/oidc/{acme.id}", other.url),
                (f"signin/oidc/{acme.id}", "nobody.example"),
            )
        ]
        assert {(each.status_code, len(each.content)) for each in answers} == {(404, len(answers[0].content))}
    assert (client.get(START).status_code, client.get(other.start_path).status_code) == (302, 200)


def test_addresses_go_on_to_work_while_the_secret_is_changed(
    client: Client, provider: SAMLProvider, settings: Any
) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 60, [settings.SECRET_KEY]
    assert client.get(START).status_code == client.get(provider.start_path).status_code == 302
    assert provider.start_path != START
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get(START).status_code == 404


@pytest.mark.bar(50, 106)
def test_what_is_sent_back_is_shown_as_text_and_bounded(client: Client, db: None) -> None:
    hostile = client.post(BACK, {"SAMLResponse": '"><img src=x>', "RelayState": "<b>"}).content.decode()
    assert "<img src" not in hostile and "<b>" not in hostile
    assert client.post(BACK, {"SAMLResponse": "A" * 100_001}).status_code == 403
    assert client.post(BACK).status_code == 403
    assert go_on(client, "AAAA").status_code == 403
    assert ENTITY_ID not in hostile


def test_the_provider_s_page_shows_where_its_people_begin(alice: User, provider: SAMLProvider) -> None:
    page = browser_of(alice).get(reverse("federation:get-saml-provider", args=["corp"])).content.decode()
    assert START in page
