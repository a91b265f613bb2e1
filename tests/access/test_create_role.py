"""Creating a role by pages: each use writes its trust policy, every step is asked for, all or nothing is made."""

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client

from access.carried_text import LONGEST, packed, unpacked
from accounts.models import Account
from audit.models import Event
from federation.services.oidc_providers import create_oidc_provider
from federation.services.saml_providers import create_saml_provider
from identities.models import InstanceProfile, Role, User
from identities.services.trust import shown_trust
from tests.cast import GLOBEX, allow, browser_of, make_role, principal_of, trusting
from tests.federation.companies import metadata

START = "/identities/roles/create/"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def written(browser: Client, who: str, **answers: Any) -> dict[str, Any]:
    """The trust policy that the page offers for some answers."""
    query = urlencode({"who": who, **answers, "go": "trust"}, doseq=True)
    page = browser.get(f"{START}who/?{query}", follow=True)
    document: dict[str, Any] = json.loads(page.context["form"]["document"].value())["Statement"][0]
    return document


def review_page(browser: Client, trust: str, **more: Any) -> str:
    """The address of the last step, reached by sending the trust policy."""
    reply = browser.post(f"{START}trust/?{urlencode({'who': 'custom', **more}, doseq=True)}", {"document": trust})
    assert reply.status_code == 302, reply.context["form"].errors
    state = parse_qs(urlsplit(reply.headers["Location"]).query)
    return f"{START}review/?{urlencode(state, doseq=True)}"


def test_the_first_question_offers_all_uses(alice: User) -> None:
    text = browser_of(alice).get(START).content.decode()
    assert text.count("who=") == 7 and "When is an IAM user right instead?" in text


def test_users_of_the_account(alice: User, bob: User) -> None:
    browser = browser_of(alice)
    named = written(browser, "user", users=["bob"], mfa="on")
    assert named["Principal"] == {"AWS": bob.arn}
    assert named["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    assert written(browser, "user")["Principal"] == {"AWS": alice.account.root_arn}


def test_another_account_with_its_external_id(alice: User, globex: Account) -> None:
    statement = written(browser_of(alice), "account", account=GLOBEX, external_id="c-17")
    assert statement["Principal"] == {"AWS": globex.root_arn}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "c-17"}}
    own = browser_of(alice).get(f"{START}who/?who=account&account={alice.account_id}&go=trust")
    assert "That is this account" in own.content.decode()


def test_a_web_identity_is_let_in_by_its_audience_and_subject(alice: User) -> None:
    provider = create_oidc_provider(by=principal_of(alice), url="https://id.example.com", client_ids=["app"])
    browser = browser_of(alice)
    exact = written(browser, "web", provider=provider.arn, audience="app", subject="repo:acme/one")
    equal = {"id.example.com:aud": "app", "id.example.com:sub": "repo:acme/one"}
    assert exact["Principal"] == {"Federated": provider.arn} and exact["Condition"] == {"StringEquals": equal}
    wild = written(browser, "web", provider="accounts.google.com", audience="app", subject="1*")["Condition"]
    assert wild["StringLike"] == {"accounts.google.com:sub": "1*"}


def test_people_of_a_company(alice: User, settings: Any) -> None:
    provider = create_saml_provider(by=principal_of(alice), name="corp", metadata=metadata())
    statement = written(browser_of(alice), "saml", provider=provider.arn)
    assert statement["Action"] == "sts:AssumeRoleWithSAML"
    assert statement["Condition"] == {"StringEquals": {"SAML:aud": f"{settings.SITE_URL}/saml"}}


@pytest.mark.parametrize("who", ["user", "machine", "custom"])
def test_every_offered_policy_is_accepted(alice: User, who: str) -> None:
    browser = browser_of(alice)
    page = browser.get(f"{START}trust/?who={who}")
    assert page.context["editor"].errors == 0
    assert (
        browser.post(
            page.request["PATH_INFO"] + f"?who={who}", {"document": page.context["form"]["document"].value()}
        ).status_code
        == 302
    )


def test_a_bad_trust_policy_stays_on_its_step_with_findings(alice: User) -> None:
    reply = browser_of(alice).post(
        f"{START}trust/?who=custom", {"document": trusting("arn:aws:iam::111122223333:group/x")}
    )
    assert reply.status_code == 200 and reply.context["editor"].errors == 1


def test_it_makes_the_role_with_everything(alice: User, bob: User) -> None:
    browser = browser_of(alice)
    more = {"name": "Auditor", "policies": READ_ONLY, "boundary": READ_ONLY, "tags": "Team=Audit", "hours": 7200}
    page = review_page(browser, trusting(bob.arn), **more)
    assert "Create the role" in browser.get(page).content.decode()
    reply = browser.post(page)
    role = Role.objects.get(name="Auditor")
    assert reply.headers["Location"] == "/identities/role/Auditor/created/"
    assert role.attachments.get().policy.arn == READ_ONLY == (role.boundary and role.boundary.arn)
    assert role.tags.get().value == "Audit" and role.max_session_seconds == 7200
    assert bob.unique_id in role.document and bob.arn in shown_trust(role.document)
    text = browser.get(reply.headers["Location"]).content.decode()
    assert "role_arn = arn:aws:iam::111122223333:role/Auditor" in text and "/switchrole?" in text
    assert Event.objects.filter(action="iam:CreateRole", resource=role.arn).exists()


def test_each_step_is_asked_for_before_anything_is_made(alice: User, bob: User) -> None:
    allow(bob, ["iam:CreateRole", "iam:GetRole"])
    browser = browser_of(bob)
    page = review_page(browser, trusting(bob.arn), name="Auditor", policies=READ_ONLY)
    assert "iam:AttachRolePolicy" in browser.get(page).content.decode()
    assert browser.post(page).status_code == 403 and not Role.objects.exists()


def test_a_machine_gets_its_instance_profile_in_the_same_change(alice: User) -> None:
    browser = browser_of(alice)
    trust = browser.get(f"{START}trust/?who=machine").context["form"]["document"].value()
    page = review_page(browser, trust, who="machine", name="Worker", profile="on")
    text = browser.get(page).content.decode()
    assert "instance profile" in text
    browser.post(page)
    profile = InstanceProfile.objects.get(name="Worker")
    assert profile.role == Role.objects.get(name="Worker")
    assert (
        "/identities/machines/register/?profile=Worker"
        in browser.get("/identities/role/Worker/created/").content.decode()
    )


def test_handing_the_role_to_a_machine_takes_pass_role(bob: User) -> None:
    allow(bob, ["iam:CreateRole", "iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile"])
    browser = browser_of(bob)
    trust = browser.get(f"{START}trust/?who=machine").context["form"]["document"].value()
    page = review_page(browser, trust, who="machine", name="Worker", profile="on")
    assert "iam:PassRole" in browser.get(page).content.decode()
    assert browser.post(page).status_code == 403 and not InstanceProfile.objects.exists()


def test_a_profile_of_that_name_stops_all_of_it(alice: User) -> None:
    InstanceProfile.objects.create(account=alice.account, name="worker", unique_id="AIPAX")
    browser = browser_of(alice)
    page = review_page(browser, trusting(alice.arn), who="machine", name="Worker", profile="on")
    reply = browser.post(page)
    assert reply.status_code == 409 and "already exists" in reply.content.decode() and not Role.objects.exists()


def test_a_name_that_is_taken_is_said_early(alice: User) -> None:
    make_role(alice.account, "Auditor")
    state = urlencode({"who": "custom", "trust": packed(trusting(alice.arn)), "name": "auditor", "go": "review"})
    assert "already exists" in browser_of(alice).get(f"{START}details/?{state}").content.decode()


def test_a_text_travels_packed_and_comes_back_whole() -> None:
    text = trusting("arn:aws:iam::111122223333:user/ü", Condition={"StringEquals": {"a": ["x" * 200] * 9}})
    assert unpacked(packed(text)) == text and len(packed(text)) < len(text)


@pytest.mark.parametrize("word", ["", "x", "!!", "eJwDAAAAAAE", packed("x" * (LONGEST + 1)), "A" * 9000])
def test_what_was_not_packed_is_nothing(word: str) -> None:
    assert unpacked(word) == ""
