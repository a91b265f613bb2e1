"""The list of roles and the pages of one role."""

import json

import pytest

from audit.models import Event
from identities.models import Role, User
from identities.services.service_linked_roles import create_service_linked_role
from identities.services.trust import shown_trust
from identities.services.trusted_entities import trusted_entities
from identities.services.users import delete_user
from policies.models import ManagedPolicy
from tests.cast import GLOBEX, allow, browser_of, make_role, make_user, principal_of, root_of, trusting

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@pytest.fixture
def worker(alice: User) -> Role:
    return make_role(alice.account, "Worker", trusting(alice.arn), description="Runs the nightly job")


def federated(provider: str, action: str = "sts:AssumeRoleWithWebIdentity") -> str:
    statement = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": action}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def test_the_list_says_whom_each_role_lets_in(alice: User, globex: object, worker: Role) -> None:
    make_role(alice.account, "Partner", trusting(f"arn:aws:iam::{GLOBEX}:root"))
    text = browser_of(alice).get("/identities/roles/").content.decode()
    assert "Worker" in text and "Runs the nightly job" in text
    assert "user <span" in text and f'account <span class="text-break">{GLOBEX}' in text


def test_trusted_entities_in_words(alice: User, globex: object) -> None:
    account, bob = alice.account, make_user(alice.account, "bobby")
    words = {
        trusting(account.root_arn): "this account",
        trusting(f"arn:aws:iam::{GLOBEX}:root"): f"account {GLOBEX}",
        trusting("*"): "everybody",
        '{"Statement":{"Effect":"Allow","Principal":"*"}}': "everybody",
        f'{{"Statement":{{"Effect":"Allow","Principal":"{GLOBEX}"}}}}': f"account {GLOBEX}",
        federated("arn:aws:iam::111122223333:oidc-provider/id.example.com/a"): "web identity of id.example.com/a",
        federated("accounts.google.com"): "web identity of accounts.google.com",
        federated("arn:aws:iam::111122223333:saml-provider/corp"): "SAML provider corp",
        '{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"}}]}': "applications on machines",
        '{"Statement":[{"Effect":"Allow","Principal":{"Service":["a.example"]}}]}': "service a.example",
        trusting(bob.arn): "user bobby",
        trusting("arn:aws:sts::444455556666:assumed-role/Job/now"): f"session of the role Job of account {GLOBEX}",
    }
    assert {text: str(trusted_entities(text, account.id)[0]) for text in words} == words
    assert trusted_entities(trusting(bob.arn).replace("Allow", "Deny"), account.id) == []


def test_a_deleted_principal_is_shown_by_its_id(alice: User) -> None:
    carol = make_user(alice.account, "carol", console=False)
    role = make_role(alice.account, "Old", trusting(carol.arn))
    delete_user(by=root_of(alice.account), user=carol)
    make_user(alice.account, "carol")
    shown = trusted_entities(shown_trust(role.document), alice.account_id)
    assert [str(each) for each in shown] == [f"deleted user {carol.unique_id}"]
    assert carol.unique_id in browser_of(alice).get("/identities/roles/").content.decode()


def test_the_list_is_searched_and_sorted(alice: User, worker: Role) -> None:
    make_role(alice.account, "Auditor")
    browser = browser_of(alice)
    found = browser.get("/identities/roles/?q=ork").context["rows"]
    assert [row.role.name for row in found] == ["Worker"]
    assert [row.role.name for row in browser.get("/identities/roles/?sort=-name").context["rows"]][0] == "Worker"
    by_id = browser.get(f"/identities/roles/?q={worker.unique_id[:12]}").context["rows"]
    assert [row.role.name for row in by_id] == ["Worker"]


def test_last_use_is_shown_to_whoever_may_get_the_role(bob: User, worker: Role) -> None:
    allow(bob, "iam:ListRoles")
    browser = browser_of(bob)
    reply = browser.get("/identities/roles/?sort=-used")
    assert reply.context["sort"] == "name" and "Not allowed: iam:GetRole" in reply.content.decode()
    assert browser.get("/identities/role/Worker/").status_code == 403


def test_the_page_shows_arn_session_length_and_the_link_to_switch(alice: User, worker: Role) -> None:
    text = browser_of(alice).get("/identities/role/worker/").content.decode()
    assert worker.arn in text and "1 hour" in text and "/switchrole?account=111122223333&amp;roleName=Worker" in text


def test_it_changes_description_and_longest_session(alice: User, worker: Role) -> None:
    reply = browser_of(alice).post("/identities/role/Worker/update/", {"description": "New", "hours": "43200"})
    worker.refresh_from_db()
    assert reply.status_code == 302 and (worker.description, worker.max_session_seconds) == ("New", 43200)
    assert Event.objects.filter(action="iam:UpdateRole", resource=worker.arn).exists()
    refused = browser_of(alice).post("/identities/role/Worker/update/", {"description": "New", "hours": "5"})
    assert refused.status_code == 200 and refused.context["form"].errors


def test_the_pages_of_permissions(alice: User, worker: Role) -> None:
    browser = browser_of(alice)
    browser.post("/identities/role/Worker/permissions/attach/", {"policies": READ_ONLY})
    browser.post("/identities/role/Worker/permissions/boundary/", {"boundary": READ_ONLY})
    document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}'
    browser.post("/identities/role/Worker/permissions/inline-policies/create/", {"name": "look", "document": document})
    browser.post("/identities/role/Worker/tags/set/", {"key": "Team", "value": "Storage"})
    worker.refresh_from_db()
    assert worker.attachments.get().policy.arn == READ_ONLY == (worker.boundary and worker.boundary.arn)
    assert worker.inline_policies.get().name == "look" and worker.tags.get().value == "Storage"
    text = browser.get("/identities/role/Worker/permissions/").content.decode()
    assert "ReadOnlyAccess" in text and "look" in text
    browser.post("/identities/role/Worker/permissions/detach/", {"policy": READ_ONLY})
    browser.post("/identities/role/Worker/permissions/boundary/remove/")
    browser.post("/identities/role/Worker/permissions/inline-policy/look/delete/")
    browser.post("/identities/role/Worker/tags/remove/", {"key": "Team"})
    worker.refresh_from_db()
    left = (worker.attachments, worker.inline_policies, worker.tags)
    assert worker.boundary is None and not any(each.exists() for each in left)


def test_a_condition_on_the_policy_counts_on_the_page(bob: User, worker: Role) -> None:
    allow(bob, "iam:AttachRolePolicy", worker.arn, Condition={"ArnEquals": {"iam:PolicyARN": READ_ONLY}})
    page, other = "/identities/role/Worker/permissions/attach/", READ_ONLY.replace("ReadOnly", "Administrator")
    assert browser_of(bob).post(page, {"policies": other}).status_code == 403
    browser_of(bob).post(page, {"policies": READ_ONLY})
    assert worker.attachments.count() == 1


def test_where_a_policy_is_used_names_roles(alice: User, worker: Role) -> None:
    policy = ManagedPolicy.objects.get(account=None, name="ReadOnlyAccess")
    Role.objects.filter(pk=worker.pk).update(boundary=policy)
    page = "/identities/policy/aws/ReadOnlyAccess/entities/?kind=role_boundaries"
    assert "/identities/role/Worker/permissions/" in browser_of(alice).get(page).content.decode()


def test_a_service_linked_role_offers_no_changes(alice: User) -> None:
    role = create_service_linked_role(by=principal_of(alice), service="autoscaling.amazonaws.com")
    browser = browser_of(alice)
    for page in ("", "permissions/", "tags/"):
        text = browser.get(f"/identities/role/{role.name}/{page}").content.decode()
        assert "/update/" not in text and "/attach/" not in text and "/set/" not in text
    reply = browser.post(f"/identities/role/{role.name}/permissions/attach/", {"policies": READ_ONLY})
    assert reply.status_code == 409 and not role.attachments.exists()
