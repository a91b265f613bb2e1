"""Coming into the console through an OpenID Connect provider: a real issuer with both its endpoints, and what is
refused."""

import html
import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client

from access import cookies
from access.federated_roles import TRIES
from access.models import ConsoleSession
from access.oidc_sign_in import session_name
from accounts.models import Account
from audit.models import Event
from federation.models import OIDCProvider
from federation.oidc import WebIdentity
from federation.oidc_client import redirect_uri
from federation.services.oidc_providers import create_oidc_provider, delete_oidc_provider, remove_client_id
from federation.services.oidc_sign_in import set_sign_in
from identities.models import Role
from tests.cast import ACME, allow, browser_of, make_role, root_of
from tests.federation.issuers import CodeFlow, Issuer, running_issuer

CHOOSE = "/choose-role/"


def trusting(provider: OIDCProvider, subject: str = "jane") -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider.arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{provider.url}:aud": "app", f"{provider.url}:sub": subject}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def known(account: Account, url: str, **changes: Any) -> OIDCProvider:
    by = root_of(account)
    provider = create_oidc_provider(by=by, url=url, client_ids=["app", "web"])
    set_sign_in(by=by, provider=provider, **{"client_id": "app", "secret": CodeFlow.SECRET, **changes})
    return provider


# Of the subject auth0|5c8.
MARK = "7f0369b382"


@pytest.fixture
def flow(issuer: Issuer) -> CodeFlow:
    return CodeFlow(issuer)


@pytest.fixture
def provider(acme: Account, flow: CodeFlow) -> OIDCProvider:
    return known(acme, flow.issuer.url)


@pytest.fixture
def ops(acme: Account, provider: OIDCProvider) -> Role:
    role = make_role(acme, "ops", trusting(provider))
    allow(role, ["iam:ListUsers", "iam:ListGroups"])
    return role


def begun(browser: Client, provider: OIDCProvider, next_url: str = "") -> str:
    """Where this browser is sent."""
    page = browser.post(provider.start_path, {"next": next_url} if next_url else {}).content.decode()
    found = re.search(r'<a class="btn[^"]*" href="([^"]+)"', page)
    assert found, page
    return html.unescape(found.group(1))


def back(browser: Client, address: str) -> Any:
    parts = urlsplit(address)
    return browser.get(f"{parts.path}?{parts.query}")


def come_in(browser: Client, flow: CodeFlow, provider: OIDCProvider, next_url: str = "") -> Any:
    return back(browser, flow.sign_in(begun(browser, provider, next_url)))


def is_in(browser: Client) -> bool:
    return browser.get("/identities/users/").status_code == 200


def reasons() -> list[str]:
    return [event.detail.get("reason", "") for event in Event.objects.filter(outcome="Failure")]


@pytest.mark.bar(111, 113)
def test_a_code_opens_the_console_as_the_one_role(
    client: Client, flow: CodeFlow, provider: OIDCProvider, ops: Role
) -> None:
    flow.claims = {"email": "jane@corp.example", "email_verified": True}
    address = begun(client, provider, "/identities/groups/")
    asked = dict(parse_qsl(urlsplit(address).query))
    assert (asked["ui"], asked["response_type"], asked["code_challenge_method"]) == ("plain", "code", "S256")
    assert (asked["client_id"], asked["scope"]) == ("app", "openid profile email")
    reply = back(client, flow.sign_in(address))
    assert reply.headers["Location"] == "/identities/groups/" and is_in(client)
    assert client.get("/policies/").status_code == 403
    session = ConsoleSession.objects.get()
    assert session.is_federated and session.came_from == provider.start_path
    event = Event.objects.get(action="signin:ConsoleLogin")
    assert (event.account_id, event.principal_name, event.resource) == (ACME, "jane", ops.arn)
    assert event.detail["page"] == "oidc" and event.detail["session"].endswith("/jane@corp.example")


@pytest.mark.bar(47, 111)
def test_a_link_alone_begins_nothing(client: Client, provider: OIDCProvider) -> None:
    page = client.get(provider.start_path)
    assert page.status_code == 200 and cookies.name(cookies.OIDC_ASKED) not in client.cookies
    assert Client(enforce_csrf_checks=True).post(provider.start_path).status_code == 403


def refused(reply: Any) -> bool:
    return bool(reply.status_code == 403) and not ConsoleSession.objects.filter(user=None).exists()


@pytest.mark.bar(111)
@pytest.mark.parametrize("state", ["", "made-up"])
def test_without_the_state_nothing_is_even_asked(
    client: Client, flow: CodeFlow, provider: OIDCProvider, ops: Role, state: str
) -> None:
    flow.answer = {"state": state}
    assert refused(come_in(client, flow, provider)) and flow.seen == []


@pytest.mark.bar(47, 111)
def test_an_answer_for_another_browser_is_refused(
    client: Client, flow: CodeFlow, provider: OIDCProvider, ops: Role
) -> None:
    stolen = flow.sign_in(begun(Client(), provider))
    assert refused(back(client, stolen))
    begun(client, provider)
    assert refused(back(client, stolen)) and flow.seen == []


@pytest.mark.bar(111, 113)
def test_an_answer_opens_one_session(client: Client, flow: CodeFlow, provider: OIDCProvider, ops: Role) -> None:
    answer = flow.sign_in(begun(client, provider))
    asked = client.cookies[cookies.name(cookies.OIDC_ASKED)].value
    assert back(client, answer).status_code == 302
    client.cookies[cookies.name(cookies.OIDC_ASKED)] = asked
    assert back(client, answer).status_code == 403
    client.cookies[cookies.name(cookies.OIDC_ASKED)] = asked
    assert back(client, answer.replace("code-0", "code-1")).status_code == 403
    assert len(flow.seen) == 1 and ConsoleSession.objects.count() == 1


@pytest.mark.bar(111)
@pytest.mark.parametrize("nonce", ["", "made-up", None, 7])
def test_a_token_of_another_sign_in_is_refused(
    client: Client, flow: CodeFlow, provider: OIDCProvider, ops: Role, nonce: Any
) -> None:
    flow.claims = {"nonce": nonce}
    assert refused(come_in(client, flow, provider))
    assert reasons() == ["The token's nonce is wrong."]


@pytest.mark.bar(111)
@pytest.mark.parametrize("named", ["https://evil.example", ""])
def test_a_provider_that_does_not_name_itself_rightly_gets_no_code(
    client: Client, flow: CodeFlow, provider: OIDCProvider, ops: Role, named: str
) -> None:
    flow.answer = {"iss": named}
    assert refused(come_in(client, flow, provider)) and flow.seen == []


@pytest.mark.bar(111)
def test_one_provider_s_code_is_never_given_to_another(
    client: Client, flow: CodeFlow, provider: OIDCProvider, ops: Role, acme: Account
) -> None:
    with running_issuer() as evil:
        theirs = CodeFlow(evil)
        del evil.discovery["authorization_response_iss_parameter_supported"]
        other = known(acme, evil.url)
        asked = begun(client, other)
        # The other one sends the browser on to the honest one, with what it was asked for.
        flow.answer = {"iss": ""}
        parts = urlsplit(flow.sign_in(asked))
        assert refused(client.get(f"{urlsplit(redirect_uri(provider)).path}?{parts.query}"))
        assert theirs.seen == [] and flow.seen == []


@pytest.mark.bar(111)
def test_the_code_is_worth_nothing_without_the_verifier(
    client: Client, flow: CodeFlow, provider: OIDCProvider, ops: Role
) -> None:
    first, second = begun(Client(), provider), begun(client, provider)
    state = dict(parse_qsl(urlsplit(second).query))["state"]
    flow.answer = {"state": state}
    assert refused(back(client, flow.sign_in(first)))
    assert flow.seen[0]["code_verifier"] and "status 400" in reasons()[0]


@pytest.mark.bar(108, 111)
def test_a_token_signed_with_the_client_s_secret_is_refused(
    client: Client, flow: CodeFlow, provider: OIDCProvider, ops: Role
) -> None:
    address = begun(client, provider)
    nonce = dict(parse_qsl(urlsplit(address).query))["nonce"]
    flow.token = flow.issuer.token(key=CodeFlow.SECRET * 3, algorithm="HS256", nonce=nonce)
    assert refused(back(client, flow.sign_in(address)))


@pytest.mark.bar(110, 111)
@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "web"},
        {"aud": ["app", "web"]},
        {"aud": "app", "azp": "web"},
        {"aud": "other"},
        {"iss": "https://a.example"},
    ],
)
def test_a_token_for_another_client_is_refused(
    client: Client, flow: CodeFlow, provider: OIDCProvider, ops: Role, claims: Any
) -> None:
    flow.claims = claims
    assert refused(come_in(client, flow, provider))
    # Not because no role would have it: the token itself is not taken.
    assert not reasons()[0].startswith("No role")


@pytest.mark.bar(103)
@pytest.mark.parametrize("change", ["off", "deleted", "audience", "client"])
def test_what_changes_meanwhile_counts(
    client: Client, flow: CodeFlow, provider: OIDCProvider, ops: Role, acme: Account, change: str
) -> None:
    answer, by = flow.sign_in(begun(client, provider)), root_of(acme)
    if change == "off":
        set_sign_in(by=by, provider=provider, client_id="app", secret=None, enabled=False)
    elif change == "client":
        set_sign_in(by=by, provider=provider, client_id="web", secret=None)
    elif change == "audience":
        remove_client_id(by=by, provider=provider, client_id="app")
    else:
        delete_oidc_provider(by=by, provider=provider)
    assert refused(back(client, answer)) and flow.seen == []
    if change != "client":
        assert client.get(provider.start_path).status_code == 404


@pytest.mark.bar(112)
def test_who_is_let_in_by_no_role_is_told_so(
    client: Client, flow: CodeFlow, provider: OIDCProvider, ops: Role, globex: Account
) -> None:
    make_role(globex, "theirs", trusting(provider, "john"))
    flow.claims = {"sub": "john", "email": "jane", "preferred_username": "jane"}
    reply = come_in(client, flow, provider)
    assert refused(reply) and "No role lets jane-96d9632f36 in through this provider." in reply.content.decode()
    event = Event.objects.get(outcome="Failure")
    assert (event.account_id, event.action, event.resource) == (ACME, "signin:ConsoleLogin", provider.arn)


def test_the_provider_s_refusal_is_told(client: Client, flow: CodeFlow, provider: OIDCProvider, ops: Role) -> None:
    flow.answer = {"error": "access_denied", "code": "", "error_description": "<b>call the helpdesk</b>"}
    reply = come_in(client, flow, provider)
    assert (
        refused(reply) and "did not sign you in" in reply.content.decode() and "helpdesk" not in reply.content.decode()
    )
    assert reasons() == ["The provider answered: access_denied"]


def test_of_several_roles_one_is_chosen_once(
    client: Client, acme: Account, flow: CodeFlow, provider: OIDCProvider, ops: Role
) -> None:
    audit = make_role(acme, "audit", trusting(provider))
    closed = make_role(acme, "closed", trusting(provider, "john"))
    page = come_in(client, flow, provider, "/identities/users/").content.decode()
    assert ops.arn in page and audit.arn in page and closed.arn not in page
    found = re.search(r'name="choices" value="([^"]+)"', page)
    assert found
    form = {"choices": found.group(1), "role": ops.arn, "next": "/identities/users/"}
    assert Client().post(CHOOSE, form).status_code == 403
    cookie = client.cookies[cookies.name(cookies.CHOOSING)].value
    assert client.post(CHOOSE, form).headers["Location"] == "/identities/users/" and is_in(client)
    client.cookies[cookies.name(cookies.CHOOSING)] = cookie
    assert client.post(CHOOSE, form).status_code == 403


@pytest.mark.bar(103)
def test_a_provider_switched_off_before_the_choice_opens_nothing(
    client: Client, acme: Account, flow: CodeFlow, provider: OIDCProvider, ops: Role
) -> None:
    make_role(acme, "audit", trusting(provider))
    found = re.search(r'name="choices" value="([^"]+)"', come_in(client, flow, provider).content.decode())
    assert found
    set_sign_in(by=root_of(acme), provider=provider, client_id="app", secret=None, enabled=False)
    assert refused(client.post(CHOOSE, {"choices": found.group(1), "role": ops.arn}))


@pytest.mark.bar(35)
def test_root_s_session_ends_though_its_cookie_stays_behind(
    acme: Account, flow: CodeFlow, provider: OIDCProvider, ops: Role
) -> None:
    browser = browser_of(acme)
    answer = flow.sign_in(begun(browser, provider))
    del browser.cookies[cookies.name(cookies.SESSION)]
    assert back(browser, answer).status_code == 302
    assert [session.kind for session in ConsoleSession.objects.all()] == ["federated"]


@pytest.mark.bar(51)
@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"])
def test_it_leads_nowhere_else(client: Client, flow: CodeFlow, provider: OIDCProvider, ops: Role, address: str) -> None:
    assert come_in(client, flow, provider, address).headers["Location"] == "/dashboard/"


@pytest.mark.bar(51, 114)
@pytest.mark.parametrize("endpoint", ["javascript:alert(1)", "http://a.example/x", "https://u@a.example/", "", 7, None])
def test_a_provider_s_configuration_leads_nowhere_but_to_https(
    client: Client, flow: CodeFlow, provider: OIDCProvider, endpoint: Any
) -> None:
    flow.issuer.discovery["authorization_endpoint"] = endpoint
    assert client.post(provider.start_path).status_code == 503


@pytest.mark.bar(114)
def test_the_secret_follows_no_redirect(client: Client, flow: CodeFlow, provider: OIDCProvider, ops: Role) -> None:
    from_token = flow.issuer.pages["/token"]
    flow.issuer.pages["/elsewhere"] = from_token

    def away(handler: Any) -> None:
        handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.send_response(307)
        handler.send_header("Location", f"{flow.issuer.url}/elsewhere")
        handler.end_headers()

    flow.issuer.pages["/token"] = away
    assert refused(come_in(client, flow, provider)) and "/elsewhere" not in flow.issuer.requests


@pytest.mark.bar(10, 11)
def test_failures_from_one_address_are_counted(
    client: Client, flow: CodeFlow, provider: OIDCProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("access.oidc_sign_in.TRIES", type(TRIES)(TRIES.name, 2, TRIES.window))
    replies = [come_in(client, flow, provider).status_code for _ in range(3)]
    assert replies == [403, 403, 429]


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"email": "jane@corp.example", "email_verified": True}, "jane@corp.example"),
        ({"email": "jane@corp.example", "email_verified": "true"}, f"auth0-5c8-{MARK}"),
        ({"email": "jane@corp.example", "preferred_username": "jane"}, f"jane-{MARK}"),
        ({"preferred_username": "j" * 64}, f"{'j' * 53}-{MARK}"),
        ({"sub": "jane", "preferred_username": "jane"}, "jane"),
        ({"sub": "5c8"}, "5c8"),
        ({"email": "j" * 70, "email_verified": True, "preferred_username": "Jane Doe"}, f"auth0-5c8-{MARK}"),
        ({"sub": "7"}, "7-7902699be4"),
    ],
)
@pytest.mark.bar(112)
def test_a_session_is_called_by_what_the_provider_is_sure_of(claims: dict[str, Any], name: str) -> None:
    assert session_name(WebIdentity("id.example.com", {"sub": "auth0|5c8", "aud": "app", **claims})) == name


@pytest.mark.bar(9)
def test_the_sign_in_page_offers_only_what_is_listed(client: Client, acme: Account, provider: OIDCProvider) -> None:
    assert provider.url not in client.get("/signin/acme/").content.decode()
    set_sign_in(by=root_of(acme), provider=provider, client_id="app", secret=None, listed=True)
    for address in ("/signin/acme/", f"/signin/{ACME}/"):
        assert f'action="{provider.start_path}"' in client.get(address).content.decode()
    for address in ("/signin/", "/signin/globex/"):
        assert provider.url not in client.get(address).content.decode()
    set_sign_in(by=root_of(acme), provider=provider, client_id="app", secret=None, listed=True, enabled=False)
    assert provider.url not in client.get("/signin/acme/").content.decode()
