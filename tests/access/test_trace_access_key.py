"""A key has leaked: whose it is, whether it works, what was done and made with it, and what ends it."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse

from access.key_traces import found_in, is_temporary
from access.lockdown import lock_down
from access.named_pages import page_of as named_page
from accounts.ids import new_access_key_id
from accounts.models import Account
from audit import clock
from audit.models import Event
from identities.models import AccessKey, Role, User, UserTag
from identities.services.access_keys import delete_access_key, update_access_key
from identities.services.role_sessions import revoke_sessions
from identities.services.roles import delete_role_with_everything
from tests.api.conftest import SECRET, key_of
from tests.api.program import Program, Refused
from tests.cast import ACME, GLOBEX, allow, browser_of, make_role, make_user, principal_of, trusting

FIND = "/access-keys/"
TRAIL = "cloudtrail:LookupEvents"
WORKS, UNKNOWN = ">Works<", "Nothing is known of this access key here"


def page_of(key_id: str) -> str:
    return f"/access-key/{key_id}/"


@pytest.fixture
def key(bob: User) -> AccessKey:
    return key_of(bob)


@pytest.fixture
def deploy(acme: Account, bob: User) -> Role:
    role = make_role(acme, "deploy", trusting(bob.arn), path="/ci/")
    allow(role, "iam:CreateGroup")
    return role


@pytest.fixture
def thief(bob: User, key: AccessKey) -> Program:
    allow(bob, ["iam:CreateUser", "iam:CreateAccessKey", "sts:*"])
    return Program(key.pk, SECRET, address="203.0.113.77")


@pytest.fixture
def alices(alice: User) -> Client:
    return browser_of(alice)


def taken_on(program: Program, role: Role) -> Program:
    made = program.sts("AssumeRole", RoleArn=role.arn, RoleSessionName="nightly")["Credentials"]
    return Program(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"], address=program.address)


def who_may(account: Account, *actions: str) -> Client:
    user = make_user(account, "rita")
    allow(user, list(actions))
    return browser_of(user)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (" AKIAIOSFODNN7EXAMPLE\n", "AKIAIOSFODNN7EXAMPLE"),
        ("aws_access_key_id=ASIAIOSFODNN7EXAMPLE;", "ASIAIOSFODNN7EXAMPLE"),
        ("…/AKIAIOSFODNN7EXAMPLE/20261126/us-east-1/iam/aws4_request", "AKIAIOSFODNN7EXAMPLE"),
        ("AKIAIOSFODNN7EXAMPLEX", ""),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""),
    ],
)
def test_it_finds_the_id_in_what_was_pasted(text: str, found: str) -> None:
    assert found_in(text) == found


def test_what_is_pasted_goes_into_no_address_and_a_secret_is_not_sent_back(alices: Client) -> None:
    reply = alices.post(FIND, {"text": f"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET={SECRET}"})
    assert reply["Location"] == page_of("AKIAIOSFODNN7EXAMPLE")
    refused = alices.post(FIND, {"text": SECRET}).text
    assert "There is no access key id in this" in refused and SECRET not in refused
    assert "AKIAIOSFODNN7EXAMP" in alices.post(FIND, {"text": "AKIAIOSFODNN7EXAMP"}).text


def test_it_tells_whose_it_is_and_where_it_was_last_used(alices: Client, thief: Program) -> None:
    thief.sts("GetCallerIdentity")
    text = alices.get(page_of(thief.access_key_id)).text
    for said in ("/identities/user/bob/", WORKS, "for sts in us-east-1", "203.0.113.77"):
        assert said in text
    assert SECRET not in text


def test_it_tells_what_was_done_and_made_with_it(alices: Client, thief: Program, deploy: Role) -> None:
    thief.iam("CreateUser", UserName="backdoor")
    made = thief.iam("CreateAccessKey", UserName="backdoor")["AccessKey"]["AccessKeyId"]
    session = taken_on(thief, deploy)
    with pytest.raises(Refused):
        thief.iam("ListUsers")
    text = alices.get(page_of(thief.access_key_id)).text
    for said in ("user/backdoor", page_of(made), page_of(session.access_key_id), "role/ci/deploy", "4 events"):
        assert said in text
    assert f"?key={thief.access_key_id}&amp;action=iam%3AListUsers&amp;outcome=Denied" in text
    listed = alices.get("/audit/", {"key": thief.access_key_id, "action": "iam:Create"}).text
    assert listed.count("<tr>") == 3 and "iam:CreateUser" in listed  # the heading and two events


def test_a_session_leads_to_its_role_and_to_who_began_it(
    alices: Client, acme: Account, thief: Program, deploy: Role
) -> None:
    session = taken_on(thief, deploy)
    next_role = make_role(acme, "store", trusting(deploy.arn))
    allow(deploy, "sts:AssumeRole")
    text = alices.get(page_of(taken_on(session, next_role).access_key_id)).text
    for said in ("/identities/role/store/", "begun by", "/identities/user/bob/", page_of(session.access_key_id)):
        assert said in text
    assert page_of(thief.access_key_id) in text and "/user/bob/lock-down/" in text
    assert "End the sessions of the role store" in text


@pytest.mark.parametrize("ended", ["expired", "locked", "revoked", "deleted"])
def test_it_tells_that_and_why_a_role_session_is_over(
    alices: Client, alice: User, bob: User, thief: Program, deploy: Role, ended: str
) -> None:
    session, by = taken_on(thief, deploy), principal_of(alice)
    page = page_of(session.access_key_id)
    assert "at the latest until" in alices.get(page).text
    if ended == "locked":
        lock_down(by=by, user=bob, reason="Key leaked")
    elif ended == "revoked":
        revoke_sessions(by=by, role=deploy)
    elif ended == "deleted":
        delete_role_with_everything(by=by, role=deploy)
    ahead = timedelta(hours=2) if ended == "expired" else timedelta(minutes=1)
    with time_machine.travel(clock.now() + ahead, tick=False):
        text = browser_of(alice).get(page).text
    words = {"expired": "expired", "locked": "was locked down", "revoked": "ended with all", "deleted": "was deleted"}
    assert "Does not work" in text and words[ended] in text


@pytest.mark.parametrize("change", ["Inactive", "deleted"])
def test_what_was_made_of_a_long_term_key_is_over_with_it(
    alices: Client, alice: User, thief: Program, key: AccessKey, change: str
) -> None:
    made = thief.sts("GetSessionToken")["Credentials"]["AccessKeyId"]
    assert "at the latest until" in alices.get(page_of(made)).text
    if change == "deleted":
        delete_access_key(by=principal_of(alice), key=key)
    else:
        update_access_key(by=principal_of(alice), key=key, status=change)
    assert f"the access key that made it {'was deleted' if change == 'deleted' else 'is inactive'}" in (
        alices.get(page_of(made)).text
    )


@pytest.mark.bar(53)
def test_whether_that_key_is_active_is_not_told_where_its_user_is_hidden_by_a_tag(
    acme: Account, alice: User, bob: User, thief: Program, key: AccessKey
) -> None:
    made = thief.sts("GetSessionToken")["Credentials"]["AccessKeyId"]
    update_access_key(by=principal_of(alice), key=key, status="Inactive")
    UserTag.objects.create(user=bob, key="class", value="secret")
    rita = make_user(acme, "rita")
    allow(rita, "*")
    hidden = {"StringEquals": {"aws:ResourceTag/class": "secret"}}
    allow(rita, "iam:ListAccessKeys", name="hidden", Effect="Deny", Condition=hidden)
    assert "the access key that made it" not in browser_of(rita).get(page_of(made)).text


def test_a_session_of_another_accounts_role_goes_on_without_the_key(
    alices: Client, alice: User, mallory: User, thief: Program, key: AccessKey, bob: User
) -> None:
    session = taken_on(thief, make_role(mallory.account, "theirs", trusting(bob.arn)))
    delete_access_key(by=principal_of(alice), key=key)
    text = alices.get(page_of(session.access_key_id)).text
    assert "at the latest until" in text and "Does not work" not in text and "role/theirs" in text
    theirs = browser_of(mallory).get(page_of(session.access_key_id)).text
    assert "End the sessions of the role theirs" in theirs and "lock-down" not in theirs


def test_a_deleted_key_is_found_in_the_trail(alices: Client, alice: User, key: AccessKey) -> None:
    delete_access_key(by=principal_of(alice), key=key)
    text = alices.get(page_of(key.pk)).text
    assert "deleted on " in text and "user/bob" in text and "iam:DeleteAccessKey" in text


def test_it_ends_the_key_and_stays_on_the_page(alices: Client, bob: User, key: AccessKey) -> None:
    page = page_of(key.pk)
    assert "/user/bob/lock-down/" in alices.get(page).text
    update = reverse("identities:update-access-key", args=["bob", key.pk])
    assert update in alices.get(page).text
    assert alices.post(update, {"status": "Inactive", "from": "looked-up"})["Location"] == page
    assert "inactive since " in alices.get(page).text and not AccessKey.objects.get(pk=key.pk).is_active


@pytest.mark.bar(61, 127)
@pytest.mark.parametrize("of", ["nobody", "another account", "somebody whom the reader may not see"])
def test_what_may_not_be_seen_is_as_what_is_not_there(
    acme: Account, alices: Client, mallory: User, key: AccessKey, of: str
) -> None:
    reader = who_may(acme, "sts:GetAccessKeyInfo") if of.startswith("somebody") else alices
    asked = {"nobody": new_access_key_id(GLOBEX), "another account": key_of(mallory).pk}.get(of, key.pk)
    reply = reader.get(page_of(asked))
    account = f"account <code>{GLOBEX}</code>" if reader is alices else "this account"
    assert reply.status_code == 404 and UNKNOWN in reply.text and f"would be of {account}" in reply.text
    # As words: three letters may well stand in a random token.
    assert not re.search(r"\b(bob|mallory)\b", reply.text)


@pytest.mark.parametrize(
    ("actions", "shown", "hidden"),
    [
        (["iam:ListAccessKeys"], WORKS, ["203.0.113.77", "for sts", "user/backdoor"]),
        (["iam:GetAccessKeyLastUsed"], "203.0.113.77", [WORKS, "user/backdoor"]),
        ([TRAIL], "user/backdoor", [WORKS, "for sts", "/identities/user/bob/"]),
    ],
)
def test_each_part_is_shown_to_who_may_read_it(
    acme: Account, thief: Program, actions: list[str], shown: str, hidden: list[str]
) -> None:
    thief.iam("CreateUser", UserName="backdoor")
    text = who_may(acme, *actions).get(page_of(thief.access_key_id)).text
    assert shown in text and not [said for said in hidden if said in text]
    assert ("You are not allowed to do this." in text) == (TRAIL not in actions)
    assert "lock-down" not in text and "Deactivate" not in text


@pytest.mark.parametrize(
    ("action", "offered"),
    [
        ("iam:UpdateAccessKey", "Deactivate the key"),
        ("iam:LockDownUser", "/user/bob/lock-down/"),
        ("iam:PutRolePolicy", "End the sessions of the role deploy"),
    ],
)
def test_each_end_is_offered_to_who_may(acme: Account, thief: Program, deploy: Role, action: str, offered: str) -> None:
    taken_on(thief, deploy)
    reads, page = ("iam:ListAccessKeys", TRAIL), page_of(thief.access_key_id)
    reader = who_may(acme, *reads)
    text = reader.get(page).text
    assert "There is nothing here that you may end" in text and offered not in text
    allow(User.objects.get(name="rita"), [*reads, action])
    assert offered in reader.get(page).text


def test_only_root_ends_a_key_of_root(acme: Account, alices: Client) -> None:
    page = page_of(key_of(acme).pk)
    assert "only root can deactivate it" in alices.get(page).text
    assert "/me/access-key/" in browser_of(acme).get(page).text


def test_names_of_strangers_do_no_harm(alices: Client, alice: User) -> None:
    for name in ("../x", "a b/c", "<i>", "AKIA"):
        assert alices.get(page_of(quote(name))).status_code == 404


@pytest.mark.postgres
@pytest.mark.parametrize(("key_id", "index"), [("AKIA", "event_by_key"), ("ASIA", "event_by_made_key")])
def test_events_of_a_key_are_found_by_an_index(acme: Account, key_id: str, index: str) -> None:
    events: Any = Event.objects.of_account(acme.id)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    plan = (events.that_made(key_id) if is_temporary(key_id) else events.filter(access_key_id=key_id)).explain()
    assert index in plan


@pytest.mark.parametrize(
    ("named", "page"),
    [
        ("user/team/ann", "/identities/user/ann/"),
        ("policy/ann", "/policies/policy/own/ann/"),
        ("saml-provider/okta", "/identity-providers/saml/at/okta/"),
        ("oidc-provider/id.example/tenant", "/identity-providers/oidc/at/id.example/tenant"),
        ("mfa/phone", ""),
        ("user/*", ""),
        ("user/", ""),
    ],
)
def test_what_was_made_leads_to_its_page(named: str, page: str) -> None:
    assert named_page(f"arn:aws:iam::{ACME}:{named}", ACME) == page
    assert named_page(f"arn:aws:iam::{GLOBEX}:{named}", ACME) == ""


def test_the_page_of_a_key_links_what_was_made_with_it(alices: Client, thief: Program, key: AccessKey) -> None:
    thief.iam("CreateUser", UserName="ann", Path="/team/")
    assert 'href="/identities/user/ann/"' in alices.get(page_of(key.pk)).text
