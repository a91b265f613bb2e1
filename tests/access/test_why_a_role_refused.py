"""A role that lets somebody not in: which statement of its trust policy it was, told to those who may read the role."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client

from access.explaining import EXPLAIN
from audit.models import Event
from federation.services.oidc_providers import create_oidc_provider
from federation.services.saml_providers import create_saml_provider, set_use
from identities.models import Role, User
from tests.access.test_saml_sign_in import GO_ON, response_to
from tests.api.conftest import SECRET, key_of
from tests.api.program import Program, Refused
from tests.api.test_federated_roles import federated, stranger
from tests.cast import allow, browser_of, make_role, root_of, trusting
from tests.federation.companies import metadata
from tests.federation.issuers import Issuer
from tests.identities.devices import codes, device_of

MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
SEVEN = {"StringEquals": {"aws:SourceIp": "192.0.2.77"}}


@pytest.fixture
def careful(alice: User, bob: User) -> Role:
    return make_role(alice.account, "careful", trusting(bob.arn, Sid="WithMFA", Condition=MFA))


def switch(who: User, role: Role) -> str:
    page = browser_of(who).post("/switchrole", {"account": role.account_id, "role_name": role.name})
    assert page.status_code == 200
    return str(page.content.decode())


def why_of(who: User, event: Event) -> str:
    return str(browser_of(who).get(f"/why/{event.event_id}/").content.decode())


def denial() -> Event:
    return Event.objects.filter(action="sts:AssumeRole", outcome="Denied").latest("id")


def test_the_page_of_switching_leads_to_the_statement(careful: Role, alice: User, bob: User) -> None:
    allow(bob, "iam:GetRole")
    page = switch(bob, careful)
    assert "Statement 1 (WithMFA) of the trust policy wants Bool aws:MultiFactorAuthPresent true" in page
    assert f"/why/{denial().event_id}/" in page
    for who in (bob, alice):
        assert "WithMFA" in why_of(who, denial())


def test_so_does_the_page_of_temporary_credentials(careful: Role, bob: User) -> None:
    form = {"account": "acme", "role_name": "careful", "seconds": "3600"}
    page = browser_of(bob).post("/temporary-credentials/", form).content.decode()
    assert f"/why/{denial().event_id}/" in page and "WithMFA" not in page


def test_whoever_may_not_read_the_role_learns_as_much_as_if_it_were_not_there(careful: Role, bob: User) -> None:
    pages = []
    with time_machine.travel(datetime(2027, 3, 1, 12, 0, tzinfo=UTC), tick=False):
        for name in ("careful", "nobody-has-it"):
            careful.name = name
            assert "WithMFA" not in switch(bob, careful)
            said = why_of(bob, denial()).replace(name, "ROLE").partition("<main")[2]
            pages.append(said.partition("Request <code>")[0])
    assert "WithMFA" not in pages[0] and pages[0] == pages[1]


def test_of_another_accounts_role_nothing_is_told(careful: Role, mallory: User) -> None:
    assert "WithMFA" not in switch(mallory, careful)
    said = why_of(mallory, denial())
    assert (
        "was refused" in said and "WithMFA" not in said and "MultiFactorAuthPresent" not in said.partition("keys<")[0]
    )


def test_a_decoded_message_knows_what_was_proven(alice: User, bob: User) -> None:
    """The code was good, so the condition on MFA is not what is said to have failed."""
    both = {**MFA, **SEVEN}
    role, (device, seed) = make_role(bob.account, "both", trusting(bob.arn, Condition=both)), device_of(bob)
    query = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": role.arn, "RoleSessionName": "now"}
    proof = {"SerialNumber": device.serial_number, "TokenCode": codes(seed)[1]}
    Program(key_of(bob).access_key_id, SECRET).post("sts", urlencode({**query, **proof}))
    near = denial().explanation["near"]
    assert [line["key"] for line in near if line["layer"] == "resource"] == ["aws:SourceIp"]


def shown_to(who: User, event: Event) -> str:
    assert event.explanation, event.detail
    return why_of(who, event)


def test_a_web_identity_that_no_statement_lets_in(alice: User, bob: User, issuer: Issuer) -> None:
    provider = create_oidc_provider(by=root_of(alice.account), url=issuer.url, client_ids=["app"])
    condition = {"StringEquals": {f"{issuer.name}:sub": "john"}}
    role = make_role(alice.account, "mobile", federated(provider.arn, "AssumeRoleWithWebIdentity", condition))
    with pytest.raises(Refused) as refused:
        stranger("AssumeRoleWithWebIdentity", RoleArn=role.arn, RoleSessionName="me", WebIdentityToken=issuer.token())
    assert refused.value.message == "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    said = shown_to(alice, Event.objects.get(action="sts:AssumeRoleWithWebIdentity"))
    assert f"{issuer.name}:sub" in said and "john" in said and "jane" in said
    allow(bob, EXPLAIN)
    assert "john" not in shown_to(bob, Event.objects.get(action="sts:AssumeRoleWithWebIdentity"))


def test_a_person_of_a_company_whom_no_role_lets_in(alice: User, client: Client) -> None:
    provider = create_saml_provider(by=root_of(alice.account), name="corp", metadata=metadata())
    set_use(by=root_of(alice.account), provider=provider, enabled=True, starts_sign_in=True)
    condition = {"StringEquals": {"saml:sub": "john@corp.example"}}
    role = make_role(alice.account, "ops", federated(provider.arn, "AssumeRoleWithSAML", condition))
    reply: Any = client.post(GO_ON, {"SAMLResponse": response_to("", provider, role)})
    assert reply.status_code == 403 and "john" not in reply.content.decode()
    said = shown_to(alice, Event.objects.get(action="signin:ConsoleLogin"))
    assert "saml:sub" in said and "john@corp.example" in said
    assert json.dumps(Event.objects.get(action="signin:ConsoleLogin").detail).count("jane@corp.example") == 1
