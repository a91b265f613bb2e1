"""The pages of a lockdown: what they tell to whom, and what they ask for."""

from typing import Any

import pytest
from django.test import Client

from access.lockdown import lock_down
from accounts.models import Account
from audit.models import Event
from identities.models import AccessKey, User
from identities.services.service_credentials import create_service_specific_credential
from identities.services.ssh_public_keys import upload_ssh_public_key
from tests.api.conftest import key_of
from tests.cast import allow, browser_of, make_administrator, make_user, principal_of, root_of
from tests.identities.certificates import ssh_key

pytestmark = pytest.mark.bar(139)

LOCK, LIFT, USER = "/user/bob/lock-down/", "/user/bob/lift-lockdown/", "/identities/user/bob/"
REASON = "Key found in a public repository"
SURE = {"reason": REASON, "confirmation": "bob"}


@pytest.fixture
def alices(alice: User) -> Client:
    return browser_of(alice)


@pytest.fixture
def responders(acme: Account) -> Client:
    """Somebody who may lock down and lift, and read nothing but who is there."""
    responder = make_user(acme, "rita")
    allow(responder, ["iam:LockDownUser", "iam:LiftUserLockdown", "iam:GetUser", "iam:ListUsers"])
    return browser_of(responder)


def is_locked(user: User) -> bool:
    return User.objects.get(pk=user.pk).is_locked_down


def test_the_page_lists_what_ends(alices: Client, bob: User) -> None:
    key = key_of(bob)
    key_of(bob, slot=2, status="Inactive")
    upload_ssh_public_key(by=principal_of(bob), user=bob, body=ssh_key())
    browser_of(bob)
    text = alices.get(LOCK).text
    for said in (
        "1 open console session ends",
        "1 active access key becomes inactive",
        key.pk,
        "1 active SSH public key becomes inactive",
        "No active signing certificate or service-specific credential",
        "IAMUserLockdown",
    ):
        assert said in text
    assert not is_locked(bob)


@pytest.mark.parametrize(("backend", "is_sent"), [("smtp", True), ("console", False)])
@pytest.mark.parametrize("page", [LOCK, "/me/password/"])
def test_no_mail_is_promised_where_none_is_sent(
    alices: Client, bob: User, settings: Any, page: str, backend: str, is_sent: bool
) -> None:
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    assert ("told by mail" in alices.get(page).text) is is_sent


def test_it_warns_before_the_last_administrator_is_locked_down(acme: Account, alice: User, responders: Client) -> None:
    page, warning = LOCK.replace("bob", "alice"), "alice is the last administrator who can sign in"
    root = browser_of(acme)
    assert warning in root.get(page).text and warning not in responders.get(page).text
    other = make_administrator(acme, "otto")
    assert warning not in root.get(page).text
    lock_down(by=root_of(acme), user=other, reason=REASON)
    assert warning in root.get(page).text and warning not in root.get(page.replace("alice", "rita")).text


def test_who_may_not_list_sees_no_numbers_and_may_lock_all_the_same(responders: Client, bob: User) -> None:
    key = key_of(bob)
    text = responders.get(LOCK).text
    assert "All active access keys become inactive" in text and "All open console sessions end" in text
    assert key.pk not in text
    assert responders.post(LOCK, SURE)["Location"] == USER
    assert is_locked(bob) and not AccessKey.objects.filter(status="Active")


@pytest.mark.bar(58, 64)
@pytest.mark.parametrize("page", [LOCK, LIFT])
def test_it_requires_permission(alice: User, bob: User, page: str) -> None:
    lock_down(by=principal_of(alice), user=make_user(bob.account, "carol"), reason="x")
    allow(bob, ["iam:Get*", "iam:List*", "iam:UpdateAccessKey", "iam:UpdateLoginProfile", "iamconsole:*"])
    browser = browser_of(bob)
    for target, was in (("carol", True), ("alice", False)):
        address = page.replace("bob", target)
        assert browser.get(address).status_code == browser.post(address, SURE).status_code == 403
        assert is_locked(User.objects.get(name=target)) is was
    text = browser.get("/identities/user/alice/").text + browser.get("/identities/user/carol/").text
    assert "lock-down" not in text and "lift-lockdown" not in text and "is locked down" in text


@pytest.mark.bar(61)
def test_it_hides_other_accounts(alices: Client, mallory: User) -> None:
    assert alices.post("/user/mallory/lock-down/", SURE | {"confirmation": "mallory"}).status_code == 404
    assert not is_locked(mallory)


@pytest.mark.bar(40)
@pytest.mark.parametrize("page", [LOCK, LIFT])
def test_it_asks_for_a_fresh_sign_in(alice: User, bob: User, page: str) -> None:
    assert browser_of(alice, fresh=False).post(page, SURE)["Location"].startswith("/confirm/")
    assert not is_locked(bob)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reason": " "}, "Say why"),
        ({"confirmation": "Bob"}, "Type the name bob exactly; nothing has changed."),
        ({"reason": "x" * 501}, "at most 500 characters"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    alices: Client, bob: User, wrong: dict[str, str], said: str
) -> None:
    reply = alices.post(LOCK, SURE | wrong)
    assert said in reply.text and not is_locked(bob)
    for typed in (SURE | wrong).values():
        assert typed.strip() in reply.text


def test_nobody_locks_themselves_down(alice: User, alices: Client) -> None:
    text = alices.get("/user/alice/lock-down/").text
    assert "This is you, and nobody can lock themselves down" in text and "Lock the user down" not in text
    alices.post("/user/alice/lock-down/", SURE | {"confirmation": "alice"})
    assert not is_locked(alice)
    assert "lock-down" not in alices.get("/identities/user/alice/").text


def test_list_and_page_of_the_user_say_it(alices: Client, bob: User) -> None:
    assert "Locked down" not in alices.get("/identities/users/").text
    assert alices.post(LOCK, SURE, follow=True).text.count(REASON) == 1
    assert "Locked down" in alices.get("/identities/users/").text
    banner = alices.get(USER).text
    assert "bob is locked down." in banner and "user/alice" in banner and LIFT in banner and LOCK not in banner
    # Who may see the groups of a user need not be told why.
    groups = alices.get(f"{USER}groups/").text
    assert "bob is locked down." in groups and REASON not in groups


def test_again_it_says_that_nothing_has_changed(alices: Client, acme: Account, bob: User) -> None:
    lock_down(by=root_of(acme), user=bob, reason="first")
    assert "is locked down already" in alices.get(LOCK).text
    assert "Nothing has changed" in alices.post(LOCK, SURE, follow=True).text
    assert Event.objects.get(action="iam:LockDownUser", detail__changed=False).detail["reason"] == REASON


def test_nothing_is_ticked_and_what_is_ticked_comes_back(alices: Client, acme: Account, bob: User) -> None:
    key, other = key_of(bob), key_of(bob, slot=2)
    lock_down(by=root_of(acme), user=bob, reason=REASON)
    text = alices.get(LIFT).text
    assert key.pk in text and other.pk in text and REASON in text and "checked" not in text
    alices.post(LIFT, {"restore": [key.pk]})
    assert not is_locked(bob) and [row.pk for row in AccessKey.objects.filter(status="Active")] == [key.pk]
    assert "There is nothing to lift" in alices.get(LIFT).text


@pytest.mark.parametrize("may", ["iam:ListAccessKeys", "iam:UpdateAccessKey"])
@pytest.mark.parametrize("forged", [True, False])
def test_who_may_not_activate_a_key_does_not_by_lifting(
    responders: Client, acme: Account, bob: User, forged: bool, may: str
) -> None:
    key = key_of(bob)
    allow(User.objects.get(name="rita"), may, name="half")
    lock_down(by=root_of(acme), user=bob, reason=REASON)
    text = responders.get(LIFT).text
    assert key.pk not in text and "It made more credentials inactive" in text
    data: dict[str, Any] = {"restore": [key.pk]} if forged else {}
    reply = responders.post(LIFT, data)
    assert is_locked(bob) == forged and not AccessKey.objects.filter(status="Active")
    assert not forged or "have changed since you looked" in reply.text


def test_a_credential_of_a_service_that_one_may_not_touch_stays_off(acme: Account, bob: User) -> None:
    """The service that a credential is for is part of the question, as on its own pages."""
    by, rita = root_of(acme), make_user(acme, "rita")
    kept, other = (
        create_service_specific_credential(by=by, user=bob, service=f"{service}.amazonaws.com")[0]
        for service in ("bedrock", "codecommit")
    )
    allow(rita, "iam:*")
    of_kept = {"StringEquals": {"iam:ServiceSpecificCredentialServiceName": kept.service}}
    allow(rita, "iam:UpdateServiceSpecificCredential", name="kept", Effect="Deny", Condition=of_kept)
    lock_down(by=by, user=bob, reason=REASON)
    text = browser_of(rita).get(LIFT).text
    assert other.pk in text and kept.pk not in text


def test_the_policy_of_the_lockdown_is_neither_offered_nor_detached_by_hand(
    alices: Client, acme: Account, bob: User
) -> None:
    lock_down(by=root_of(acme), user=bob, reason=REASON)
    text = alices.get(f"{USER}permissions/").text
    assert "IAMUserLockdown" in text and "Detach IAMUserLockdown" not in text and "0 of at most 10" in text
    assert "IAMUserLockdown" not in alices.get(f"{USER}permissions/attach/").text.partition("Attached already")[0]
    reply = alices.post(f"{USER}permissions/detach/", {"policy": "arn:aws:iam::aws:policy/IAMUserLockdown"})
    assert "by lifting the lockdown" in reply.text and bob.attachments.count() == 1


def test_the_pages_of_credentials_say_why_nothing_is_activated(alices: Client, acme: Account, bob: User) -> None:
    key = key_of(bob)
    lock_down(by=root_of(acme), user=bob, reason=REASON)
    activated = alices.post(f"{USER}credentials/access-key/{key.pk}/update/", {"status": "Active"})
    made = alices.post(f"{USER}credentials/access-keys/create/", {"seen": key.pk})
    for reply in (activated, made):
        assert reply.status_code == 409 and "The user bob is locked down: no credential" in reply.text
    assert AccessKey.objects.get().status == "Inactive"


def test_who_is_locked_down_is_deleted_with_all_that_was_theirs(alices: Client, acme: Account, bob: User) -> None:
    key_of(bob)
    lock_down(by=root_of(acme), user=bob, reason=REASON)
    assert "IAMUserLockdown" not in alices.get(f"{USER}delete/").text
    alices.post(f"{USER}delete/", {"confirmation": "bob"})
    assert not User.objects.filter(pk=bob.pk)


def test_the_simulator_says_what_denies(alices: Client, acme: Account, bob: User) -> None:
    allow(bob, "iam:*")
    lock_down(by=root_of(acme), user=bob, reason=REASON)
    text = alices.post(
        "/simulator/", {"principal": "bob", "actions": "iam:GetUser", "resources": "", "cell": "0.0"}
    ).text
    assert "“TheUserIsLockedDown”" in text and "IAMUserLockdown" in text and "The user is locked down; their" in text
