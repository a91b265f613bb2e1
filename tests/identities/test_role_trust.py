"""The trust policy on pages, revoking sessions, deleting a role with what hangs on it."""

import json
from datetime import timedelta

import pytest
import time_machine

from access.gate import PrincipalGate
from access.principals import role_session_principal
from access.session_tokens import SessionClaims
from audit import clock
from audit.models import Event
from audit.principal import Principal
from identities.models import Group, Role, User
from identities.services.instance_profiles import add_role_to_instance_profile, create_instance_profile
from identities.services.role_sessions import REVOKED, revoke_sessions
from identities.services.trust import shown_trust
from tests.cast import ORIGIN, allow, browser_of, make_role, principal_of, root_of, trusting

CHANGE = "/identities/role/Worker/trust/change/"


@pytest.fixture
def worker(alice: User) -> Role:
    return make_role(alice.account, "Worker", trusting(alice.arn))


def test_it_shows_names_and_stores_ids(alice: User, bob: User, worker: Role) -> None:
    browser = browser_of(alice)
    seen = browser.get(CHANGE).context["form"].initial["digest_seen"]
    reply = browser.post(CHANGE, {"document": trusting(bob.arn), "digest_seen": seen})
    worker.refresh_from_db()
    assert reply.status_code == 302 and bob.unique_id in worker.document
    assert bob.arn in browser.get("/identities/role/Worker/trust/").content.decode()
    assert Event.objects.filter(action="iam:UpdateAssumeRolePolicy", resource=worker.arn).exists()


def test_a_stale_page_does_not_overwrite(alice: User, bob: User, worker: Role) -> None:
    browser = browser_of(alice)
    reply = browser.post(CHANGE, {"document": trusting(bob.arn), "digest_seen": "0" * 64})
    worker.refresh_from_db()
    assert "Somebody changed the trust policy" in reply.content.decode() and alice.unique_id in worker.document
    assert trusting(bob.arn) in reply.context["form"]["document"].value()
    again = {"document": trusting(bob.arn), "digest_seen": reply.context["form"]["digest_seen"].value()}
    assert browser.post(CHANGE, again).status_code == 302


def test_a_group_is_refused_with_the_reason(alice: User, worker: Role) -> None:
    group = Group.objects.create(account=alice.account, name="Devs", unique_id="AGPADEVS")
    reply = browser_of(alice).post(CHANGE, {"document": trusting(group.arn), "digest_seen": worker.digest})
    text = reply.content.decode()
    assert "group" in text.lower() and "Groups can" in text and reply.context["editor"].errors == 1
    worker.refresh_from_db()
    assert alice.unique_id in worker.document


def test_findings_while_typing_are_those_of_trust_policies(alice: User) -> None:
    form = {"document": trusting(alice.arn), "limit": "2048", "used": "0"}
    browser = browser_of(alice)
    assert "No findings" in browser.post("/policies/validate/", form | {"kind": "trust"}).content.decode()
    assert "Error" in browser.post("/policies/validate/", form).content.decode()


@pytest.mark.bar(40)
def test_changing_it_wants_a_fresh_sign_in(alice: User, worker: Role) -> None:
    reply = browser_of(alice, fresh=False).get(CHANGE)
    assert reply.status_code == 302 and "/confirm/" in reply.headers["Location"]


def session_begun(role: Role) -> Principal:
    claims = SessionClaims(
        made_by="AssumeRole",
        account_id=role.account_id,
        issuer_id=role.unique_id,
        secret="s",
        issued_at=clock.now(),
        expires_at=clock.now() + timedelta(hours=1),
        name="night",
    )
    return role_session_principal(role, claims, ORIGIN)


@pytest.mark.bar(90)
def test_revoking_ends_sessions_under_way_and_not_later_ones(alice: User, worker: Role) -> None:
    allow(worker, "iam:ListUsers")
    with time_machine.travel("2026-03-01T12:00:00.200Z", tick=False) as now:
        older = session_begun(worker)
        assert PrincipalGate(older).may("iam:ListUsers", "*").allowed
        now.shift(timedelta(milliseconds=300))
        revoke_sessions(by=root_of(alice.account), role=worker)
        assert not PrincipalGate(older).may("iam:ListUsers", "*").allowed
        now.shift(timedelta(seconds=1))
        assert PrincipalGate(session_begun(worker)).may("iam:ListUsers", "*").allowed
    event = Event.objects.get(action="iam:PutRolePolicy")
    assert event.resource == worker.arn


def test_the_page_asks_first_and_says_when_it_was_done(alice: User, worker: Role) -> None:
    browser, page = browser_of(alice), "/identities/role/Worker/sessions/"
    assert browser.post(page).status_code == 200 and not worker.inline_policies.exists()
    browser.post(page, {"sure": "on"})
    document = json.loads(worker.inline_policies.get(name=REVOKED).document)
    assert document["Statement"][0]["Effect"] == "Deny" and "Last done" in browser.get(page).content.decode()


def test_deleting_lists_what_goes_and_wants_the_name(alice: User, worker: Role) -> None:
    by = principal_of(alice)
    profile = create_instance_profile(by=by, name="Worker")
    add_role_to_instance_profile(by=by, profile=profile, role=worker)
    allow(worker, "iam:ListUsers", name="look")
    browser, page = browser_of(alice), "/identities/role/Worker/delete/"
    reply = browser.get(page)
    assert "leaves the instance profile Worker" in reply.content.decode()
    seen = reply.context["form"].initial["seen"]
    browser.post(page, {"confirmation": "worker", "seen": seen})
    assert Role.objects.filter(pk=worker.pk).exists()
    browser.post(page, {"confirmation": "Worker", "seen": seen})
    profile.refresh_from_db()
    assert not Role.objects.filter(pk=worker.pk).exists() and profile.role is None


def test_deleting_stops_when_something_was_added_since(alice: User, worker: Role) -> None:
    browser, page = browser_of(alice), "/identities/role/Worker/delete/"
    seen = browser.get(page).context["form"].initial["seen"]
    allow(worker, "iam:ListUsers", name="new")
    reply = browser.post(page, {"confirmation": "Worker", "seen": seen})
    assert reply.status_code == 409 and Role.objects.filter(pk=worker.pk).exists()


def test_deleting_asks_for_each_thing_that_goes(bob: User, alice: User, worker: Role) -> None:
    allow(worker, "iam:ListUsers", name="look")
    reads = ["iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:ListInstanceProfilesForRole"]
    allow(bob, ["iam:DeleteRole", *reads])
    reply = browser_of(bob).post("/identities/role/Worker/delete/", {"confirmation": "Worker"})
    assert reply.status_code == 403 and Role.objects.filter(pk=worker.pk).exists()
    assert shown_trust(worker.document)
