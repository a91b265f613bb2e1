"""Sessions of people from outside hang on the provider that vouched for them, and people of different providers are
different people, whatever they are called."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from access.federated_roles import identity_from_saml, identity_from_token
from access.models import ConsoleSession
from accounts.models import Account
from audit import clock
from audit.models import Event
from federation.models import OIDCProvider, SAMLProvider
from federation.oidc import WebIdentity
from federation.services.assertions import redeem
from federation.services.oidc_providers import create_oidc_provider, delete_oidc_provider
from federation.services.saml_providers import create_saml_provider, delete_saml_provider, set_use
from identities.models import Role, User
from tests.access import test_oidc_sign_in as oidc
from tests.access import test_saml_sign_in as saml
from tests.api.program import Program, Refused
from tests.api.test_federated_roles import credentials_of, federated, stranger
from tests.cast import ACME, allow, make_role, root_of, trusting
from tests.federation.companies import metadata
from tests.federation.forge import ATTRIBUTES
from tests.federation.issuers import CodeFlow, Issuer

BY_TOKEN, BY_SAML = "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"


@pytest.fixture
def corp(acme: Account) -> SAMLProvider:
    return create_saml_provider(by=root_of(acme), name="corp", metadata=metadata())


@pytest.fixture
def app(acme: Account, issuer: Issuer) -> OIDCProvider:
    return create_oidc_provider(by=root_of(acme), url=issuer.url, client_ids=["app"])


def role_for(provider: SAMLProvider | OIDCProvider) -> Role:
    operation = BY_SAML if isinstance(provider, SAMLProvider) else BY_TOKEN
    role = make_role(provider.account, "ops", federated(provider.arn, operation))
    allow(role, ["iam:List*", "sts:AssumeRole"])
    return role


def by_token(role: Role, issuer: Issuer) -> Program:
    words = {"RoleArn": role.arn, "RoleSessionName": "jane", "WebIdentityToken": issuer.token()}
    return credentials_of(stranger(BY_TOKEN, **words))


def by_assertion(role: Role, corp: SAMLProvider) -> Program:
    words = {"RoleArn": role.arn, "PrincipalArn": corp.arn, "SAMLAssertion": saml.response_to("", corp, role)}
    return credentials_of(stranger(BY_SAML, **words))


def is_over(program: Program) -> bool:
    try:
        program.iam("ListUsers")
    except Refused as error:
        assert error.code == "InvalidClientTokenId"
        return True
    return False


@pytest.mark.bar(90, 103)
def test_a_deleted_web_provider_ends_its_sessions_and_those_of_further_roles(
    acme: Account,
    app: OIDCProvider,
    issuer: Issuer,
) -> None:
    role = role_for(app)
    first = by_token(role, issuer)
    further = make_role(acme, "further", trusting(role.arn))
    allow(further, "iam:List*")
    second = credentials_of(first.sts("AssumeRole", RoleArn=further.arn, RoleSessionName="on"))
    assert not is_over(first) and not is_over(second)
    delete_oidc_provider(by=root_of(acme), provider=app)
    assert is_over(first) and is_over(second)
    with time_machine.travel(clock.now() + timedelta(seconds=2), tick=False):
        create_oidc_provider(by=root_of(acme), url=issuer.url, client_ids=["app"])
        assert is_over(first) and not is_over(by_token(role, issuer))


@pytest.mark.bar(90, 103)
def test_a_deleted_company_ends_its_sessions(acme: Account, corp: SAMLProvider) -> None:
    session = by_assertion(role_for(corp), corp)
    assert not is_over(session)
    delete_saml_provider(by=root_of(acme), provider=corp)
    assert is_over(session)


@pytest.mark.bar(103)
def test_a_company_that_is_switched_off_rests(acme: Account, corp: SAMLProvider) -> None:
    session = by_assertion(role_for(corp), corp)
    set_use(by=root_of(acme), provider=corp, enabled=False, starts_sign_in=False)
    assert is_over(session)
    set_use(by=root_of(acme), provider=corp, enabled=True, starts_sign_in=False)
    assert not is_over(session)


def of_a_company(acme: Account, client: Client, issuer: Issuer) -> Callable[[], Any]:
    corp = create_saml_provider(by=root_of(acme), name="corp", metadata=metadata())
    saml.go_on(client, saml.response_to(saml.begun(client), corp, role_for(corp)))
    return lambda: delete_saml_provider(by=root_of(acme), provider=corp)


def of_an_issuer(acme: Account, client: Client, issuer: Issuer) -> Callable[[], Any]:
    flow = CodeFlow(issuer)
    provider = oidc.known(acme, issuer.url)
    role_for(provider)
    oidc.come_in(client, flow, provider)
    return lambda: delete_oidc_provider(by=root_of(acme), provider=provider)


@pytest.mark.bar(38, 103)
@pytest.mark.parametrize("come_in", [of_a_company, of_an_issuer])
def test_in_the_console_they_end_at_the_next_click(
    acme: Account,
    client: Client,
    issuer: Issuer,
    come_in: Callable[..., Callable[[], Any]],
) -> None:
    delete = come_in(acme, client, issuer)
    assert client.get("/identities/users/").status_code == 200
    delete()
    assert client.get("/identities/users/").status_code == 302
    assert not ConsoleSession.objects.exists()


@pytest.mark.bar(104)
def test_a_name_that_an_iam_user_has_too_is_nobody_but_the_outsider(
    alice: User, corp: SAMLProvider, client: Client
) -> None:
    role = role_for(corp)
    named = {"name_id": "alice", "attributes": {f"{ATTRIBUTES}RoleSessionName": ["alice"]}}
    saml.go_on(client, saml.response_to(saml.begun(client), corp, role, **named))
    session = ConsoleSession.objects.get()
    assert session.user is None and session.is_federated
    assert client.get("/policies/").status_code == 200 and client.get("/identities/users/create/").status_code == 403
    event = Event.objects.filter(outcome="Denied").latest("id")
    assert event.principal_type == "role-session" and event.principal_id == f"{role.unique_id}:alice"
    assert not Event.objects.filter(principal_id=alice.unique_id, action="signin:ConsoleLogin").exists()


@pytest.mark.bar(104, 112)
def test_one_name_at_two_providers_is_two_people(acme: Account, corp: SAMLProvider, globex: Account) -> None:
    """Also where two providers have the same keys and the same entity id, as after a move."""
    twin = create_saml_provider(by=root_of(acme), name="twin", metadata=metadata())
    theirs = create_saml_provider(by=root_of(globex), name="corp", metadata=metadata())
    people = []
    for number, provider in enumerate((corp, twin, theirs)):
        response = saml.response_to("", provider, name_id="jane@corp.example", assertion_id=f"_a{number}")
        people.append(identity_from_saml(provider, redeem(provider, response, clock.now())))
    assert len({person.subject for person in people}) == 1
    assert len({person.unique_id for person in people}) == len({person.provider for person in people}) == 3
    tokens = [WebIdentity(name, {"sub": "jane", "aud": "app"}) for name in ("id.example.com", "id.example.org")]
    arn = f"arn:aws:iam::{ACME}:oidc-provider/"
    assert len({identity_from_token(f"{arn}{each.name}", each).unique_id for each in tokens}) == 2
