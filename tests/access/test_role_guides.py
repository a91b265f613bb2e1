"""“How to use it”: what is said of each way into a role, and what only those learn who may read more."""

import json
from typing import Any

import pytest

from access.gate import PrincipalGate
from access.role_guides import Guide, guides
from accounts.models import Account
from federation.services.oidc_providers import create_oidc_provider
from federation.services.oidc_sign_in import set_sign_in
from federation.services.saml_providers import create_saml_provider
from identities.models import Role, User
from identities.services.trust import shown_trust
from tests.api.test_federated_roles import federated
from tests.cast import allow, browser_of, make_role, principal_of, root_of, trusting
from tests.federation.companies import SIGN_IN_URL, metadata

MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
ISSUER = "id.example.com"


def guides_of(role: Role, reader: User, who: str = "") -> dict[str, Guide]:
    gate = PrincipalGate(principal_of(reader))
    return {guide.key: guide for guide in guides(role, shown_trust(role.document), gate, who=who)}


def values(guide: Guide) -> dict[str, str]:
    return {value.key: value.text for value in guide.values}


def test_named_users_need_no_policy_and_the_account_s_own_do(alice: User, bob: User) -> None:
    named = guides_of(make_role(alice.account, "named", trusting(bob.arn)), alice)
    assert list(named) == ["console", "program"]
    of_account = guides_of(make_role(alice.account, "shared"), alice)
    policy = json.loads(values(of_account["permission"])["policy"])["Statement"]
    assert policy[0]["Resource"] == f"arn:aws:iam::{alice.account_id}:role/shared"
    assert "role/shared" not in values(of_account["permission"]).get("arn", "")


def test_another_account_gets_what_it_has_to_be_sent(alice: User, globex: Account) -> None:
    condition = {"StringEquals": {"sts:externalid": "c-17"}}
    role = make_role(alice.account, "partner", trusting(globex.root_arn, Condition=condition), path="/visit/")
    found = guides_of(role, alice)
    assert found["console"].values == () and "only programs take it on" in found["console"].lead
    assert values(found["permission"])["arn"] == role.arn and values(found["permission"])["external-id"] == "c-17"
    assert "external_id = c-17" in values(found["program"])["profile"].splitlines()
    assert "ExternalId='c-17'" in values(guides_of(role, alice, "broker")["broker"])["broker"]


def test_the_profile_asks_for_the_device_that_the_role_asks_for(alice: User, bob: User) -> None:
    found = guides_of(make_role(alice.account, "careful", trusting(bob.arn, Condition=MFA)), alice)
    assert "mfa_serial = " in values(found["program"])["profile"]
    assert "MFA device" in found["program"].values[0].hint


def test_where_people_of_an_issuer_begin_is_told_when_they_can_and_to_whoever_may_know(
    alice: User, bob: User, settings: Any
) -> None:
    provider = create_oidc_provider(by=root_of(alice.account), url=f"https://{ISSUER}", client_ids=["app"])
    condition = {"StringEquals": {f"{ISSUER}:aud": "app"}}
    role = make_role(alice.account, "mobile", federated(provider.arn, "AssumeRoleWithWebIdentity", condition))
    assert "made for app" in guides_of(role, alice)["web"].lead
    assert "start" not in values(guides_of(role, alice)["web"])
    set_sign_in(by=root_of(alice.account), provider=provider, client_id="app", secret="quiet harbour")
    start = f"{settings.SITE_URL}{provider.start_path}"
    assert values(guides_of(role, alice)["web"])["start"] == start
    assert "start" not in values(guides_of(role, bob)["web"])
    allow(bob, "iam:GetOpenIDConnectProvider")
    assert "start" in values(guides_of(role, bob)["web"])


def test_where_people_of_a_company_begin_is_told_when_its_metadata_says(alice: User, bob: User) -> None:
    by = root_of(alice.account)
    corp = create_saml_provider(by=by, name="corp", metadata=metadata())
    mute = create_saml_provider(by=by, name="mute", metadata=metadata().replace(SIGN_IN_URL, "urn:none"))
    for provider, shown in ((corp, True), (mute, False)):
        role = make_role(alice.account, provider.name, federated(provider.arn, "AssumeRoleWithSAML"))
        assert ("start" in values(guides_of(role, alice)["saml"])) is shown
        assert "start" not in values(guides_of(role, bob)["saml"])


@pytest.mark.parametrize(
    ("principal", "key", "said"),
    [
        ({"Federated": "www.amazon.com"}, "web", "nobody gets in this way"),
        ({"Federated": ["graph.facebook.com", "accounts.google.com"]}, "web-1", "A token of accounts.google.com"),
        ({"Service": "backup.example.com"}, "service", "iam:PassRole"),
    ],
)
def test_what_else_can_be_trusted(alice: User, principal: Any, key: str, said: str) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRoleWithWebIdentity"}
    if "Service" in principal:
        statement["Action"] = "sts:AssumeRole"
    role = make_role(alice.account, "other", json.dumps({"Version": "2012-10-17", "Statement": statement}))
    assert said in guides_of(role, alice)[key].lead


def test_the_page_says_when_the_role_lets_in_nobody(alice: User, bob: User) -> None:
    role = make_role(alice.account, "closed", trusting(bob.arn, Effect="Deny"))
    page = browser_of(alice).get(f"/identities/role/{role.name}/created/").content.decode()
    assert "The trust policy lets in nobody." in page


def test_it_requires_permission(alice: User, bob: User) -> None:
    make_role(alice.account, "named", trusting(bob.arn))
    assert browser_of(bob).get("/identities/role/named/created/").status_code == 403
