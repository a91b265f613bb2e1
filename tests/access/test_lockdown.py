"""Locking a user down, and lifting it: what stops, who is told, and who may."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from access.lockdown import LIFT, LOCK, lift, lock_down
from access.models import ConsoleSession, SignInAttempt
from access.principals import load_for_access_key
from access.sign_in import find_iam_user
from access.temporary_credentials import SessionRequest
from access.user_sessions import get_federation_token
from accounts.models import Account
from audit import clock
from audit.errors import (
    ServiceError,
    UnmodifiableEntity,
)
from audit.models import Event
from audit.principal import Principal
from identities.models import AccessKey, Lockdown, User
from identities.services import users
from tests.access.brokers import LOOK, as_role, principal_with
from tests.access.locked import REASON, bobs, by, code_of, locked, noon
from tests.access.steps import CODE, facts, is_in, logins, sign_in
from tests.api.conftest import SECRET, key_of
from tests.api.program import Program
from tests.api.test_assume_role import program_with, taken
from tests.cast import ORIGIN, allow, browser_of, make_role, principal_of, root_of, trusting
from tests.identities.devices import device_of

__all__ = ["bobs", "by", "noon"]


@pytest.mark.bar(22, 38, 90, 139)
def test_within_a_second_no_page_no_key_and_no_temporary_credentials_work(
    acme: Account, alice: User, bob: User, bobs: Program, mallory: User
) -> None:
    """By the click itself: what it ends has worked until then, and the second is the next request's."""
    allow(bob, ["iam:ListUsers", "sts:AssumeRole", "sts:GetFederationToken"])
    near, far = make_role(acme, "deploy"), make_role(mallory.account, "guest", trusting(bob.arn))
    allow(near, "sts:AssumeRole")
    chained = make_role(acme, "chained", trusting(near.arn))
    first = taken(bobs, near)
    programs = [
        bobs,
        program_with(bobs.sts("GetSessionToken")),
        program_with(bobs.sts("GetFederationToken", Name="ann")),
        first,
        taken(bobs, far),
        taken(first, chained),
    ]
    browser, administrator = browser_of(bob), browser_of(alice)
    assert is_in(browser) and [program.sts("GetCallerIdentity") for program in programs]
    with time_machine.travel(clock.now(), tick=False):
        administrator.post("/user/bob/lock-down/", {"reason": REASON, "confirmation": "bob"})
        assert {code_of(program) for program in programs} == {"InvalidClientTokenId"}
        assert not is_in(browser) and not ConsoleSession.objects.filter(user=bob)
    assert Program(key_of(alice).access_key_id, SECRET).iam("ListUsers")


@pytest.mark.bar(22, 90, 139)
def test_a_role_that_somebody_took_on_for_whom_the_user_vouched_is_over_too(
    by: Principal, acme: Account, bob: User
) -> None:
    allow(bob, ["sts:AssumeRole", "sts:GetFederationToken"])
    by_key = replace(principal_of(bob), access_key_id=key_of(bob).pk)
    everything = LOOK.replace("iam:ListUsers", "*")
    ann = principal_with(
        get_federation_token(by=by_key, requested=SessionRequest(name="ann", document=everything)).credentials
    )
    role = as_role(ann, make_role(acme, "deploy"))
    acting = principal_with(role)
    locked(by, bob)
    assert load_for_access_key(role.access_key_id, ORIGIN, role.session_token) is None
    with pytest.raises(UnmodifiableEntity):
        lift(by=acting, user=bob)


@pytest.mark.bar(8, 22, 139)
def test_the_right_password_opens_nothing_and_looks_like_a_wrong_one(by: Principal, bob: User) -> None:
    wrong, right = Client(), Client()
    locked(by, bob)
    assert facts(sign_in(right, "bob")) == facts(sign_in(wrong, "bob", "something else altogether"))
    assert not is_in(right)
    assert {event.detail["reason"] for event in logins()} == {"locked down"}
    assert find_iam_user("acme", "bob").owner is None


@pytest.mark.bar(22, 139)
def test_a_sign_in_under_way_is_over(by: Principal, bob: User) -> None:
    device_of(bob)
    browser = Client()
    assert sign_in(browser, "bob")["Location"] == CODE and browser.get(CODE).status_code == 200
    attempt = SignInAttempt.objects.get()
    locked(by, bob)
    assert not SignInAttempt.objects.exists()
    # One that a request wrote at the same time is no better.
    attempt.save(force_insert=True)
    assert browser.get(CODE).status_code == 302


@pytest.mark.bar(139)
def test_a_session_or_token_that_was_made_at_the_same_time_never_works(
    by: Principal, acme: Account, bob: User, bobs: Program, noon: Any
) -> None:
    """Whoever was let in a moment before writes their session after the lockdown: it is as dead as the others."""
    role = make_role(acme, "deploy", trusting(bob.arn))
    late = [taken(bobs, role), program_with(bobs.sts("GetSessionToken"))]
    lock_down(by=by, user=bob, reason=REASON)
    browser = browser_of(bob)
    session = ConsoleSession.objects.get()
    assert not is_in(browser) and {code_of(program) for program in late} == {"InvalidClientTokenId"}
    noon.shift(1)
    lift(by=by, user=bob, restore=[bobs.access_key_id])
    session.save(force_insert=True)
    assert not is_in(browser) and {code_of(program) for program in late} == {"InvalidClientTokenId"}
    noon.shift(1)
    assert is_in(browser_of(bob)) and taken(bobs, role).sts("GetCallerIdentity")


@pytest.mark.bar(22, 139)
def test_a_key_that_is_active_all_the_same_is_refused(by: Principal, bob: User, bobs: Program) -> None:
    temporary = program_with(bobs.sts("GetSessionToken"))
    locked(by, bob)
    AccessKey.objects.update(status="Active")
    assert {code_of(bobs), code_of(temporary)} == {"InvalidClientTokenId"}


@pytest.mark.bar(139)
def test_a_session_of_an_outsider_or_another_user_goes_on(
    by: Principal, acme: Account, alice: User, bob: User, bobs: Program
) -> None:
    role = make_role(acme, "deploy", trusting(acme.root_arn))
    hers = taken(Program(key_of(alice).access_key_id, SECRET), role)
    browser = browser_of(alice)
    locked(by, bob)
    assert hers.sts("GetCallerIdentity") and is_in(browser)


@pytest.mark.bar(139)
def test_doing_it_twice_changes_nothing(by: Principal, acme: Account, bob: User) -> None:
    key_of(bob)
    first = lock_down(by=by, user=bob, reason=REASON)
    again = lock_down(by=root_of(acme), user=bob, reason="Seen in a paste")
    assert again == first and Lockdown.objects.get().reason == REASON and len(first.deactivated) == 1
    assert [event.detail["changed"] for event in Event.objects.filter(action=LOCK).order_by("id")] == [True, False]


@pytest.mark.bar(125, 139)
def test_it_is_recorded_with_its_reason_and_the_root_user_is_told(
    by: Principal, bob: User, django_capture_on_commit_callbacks: Any
) -> None:
    key = key_of(bob)
    browser_of(bob)
    with django_capture_on_commit_callbacks(execute=True):
        lock_down(by=by, user=bob, reason=f"  {REASON}\n ")
        lift(by=by, user=bob, restore=[key.pk])
    changes = list(Event.objects.order_by("id").values_list("action", "resource"))
    assert changes == [
        (action, bob.arn)
        for action in (
            "iam:AttachUserPolicy",
            "iam:UpdateAccessKey",
            LOCK,
            "iam:DetachUserPolicy",
            "iam:UpdateAccessKey",
            LIFT,
        )
    ]
    told = Event.objects.get(action=LOCK).detail
    assert (told["reason"], told["sessions_ended"], told["deactivated"]) == (REASON, 1, [key.pk])
    assert Event.objects.get(action=LIFT).detail == {"reason": REASON, "restored": [key.pk]}
    subjects = {message.subject: message for message in mail.outbox}
    locked_mail = subjects["[Acme] IAM user bob was locked down"]
    assert locked_mail.to == ["root@acme.example"] and REASON in locked_mail.body and "by alice" in locked_mail.body
    assert key.pk in subjects["[Acme] The lockdown of IAM user bob was lifted"].body


@pytest.mark.bar(139)
@pytest.mark.parametrize("way", ["oneself", "a role taken on", "somebody vouched for"])
def test_nobody_locks_themselves_down_or_lifts_their_own_lockdown(acme: Account, bob: User, way: str) -> None:
    """Also by a request that was let in a moment before."""
    people = {
        "oneself": principal_of(bob),
        "a role taken on": Principal(acme.id, "role-session", "arn", "AROA:ci", begun_by=bob.unique_id),
        "somebody vouched for": Principal(acme.id, "federated-user", "arn", "1:ann", issuer_id=bob.unique_id),
    }
    with pytest.raises(UnmodifiableEntity, match="can't lock yourself down"):
        lock_down(by=people[way], user=bob, reason=REASON)
    lock_down(by=root_of(acme), user=bob, reason=REASON)
    with pytest.raises(UnmodifiableEntity, match="can't lift your own"):
        lift(by=people[way], user=bob)


@pytest.mark.bar(139)
@pytest.mark.parametrize("reason", ["", " \n", "x" * 501])
def test_it_wants_a_reason(by: Principal, bob: User, reason: str) -> None:
    with pytest.raises(ServiceError, match="Say why|at most 500"):
        lock_down(by=by, user=bob, reason=reason)
    assert not Lockdown.objects.exists()


@pytest.mark.bar(139)
@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": "", "locked_by": "x"},
        {"reason": "x", "locked_by": ""},
        {"reason": "x", "locked_by": "x", "lifted_at": clock.now() + timedelta(days=1)},
        {"reason": "x", "locked_by": "x", "lifted_by": "x"},
        {"reason": "x", "locked_by": "x", "lifted_at": clock.now() - timedelta(days=1), "lifted_by": "x"},
    ],
)
def test_the_database_keeps_what_a_lockdown_says_whole(bob: User, wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Lockdown.objects.create(account=bob.account, unique_id=bob.unique_id, **wrong)


@pytest.mark.bar(139)
def test_the_database_holds_one_at_a_time(by: Principal, bob: User) -> None:
    lock_down(by=by, user=bob, reason=REASON)
    with pytest.raises(IntegrityError), transaction.atomic():
        Lockdown.objects.create(account=bob.account, unique_id=bob.unique_id, reason="x", locked_by="x")
    lift(by=by, user=bob)
    lock_down(by=by, user=bob, reason=REASON)
    assert Lockdown.objects.count() == 2


@pytest.mark.bar(90, 139)
def test_deleting_the_user_brings_nothing_back(by: Principal, acme: Account, bob: User, bobs: Program) -> None:
    session = taken(bobs, make_role(acme, "deploy", trusting(bob.arn)))
    bob = locked(by, bob)
    users.delete_user_with_everything(by=by, user=bob)
    assert not User.objects.filter(pk=bob.pk) and code_of(session) == "InvalidClientTokenId"


@pytest.mark.bar(139)
def test_the_root_user_comes_in_whoever_is_locked_down(acme: Account, alice: User) -> None:
    lock_down(by=root_of(acme), user=alice, reason=REASON)
    root = browser_of(acme, fresh=True)
    assert "Lift the lockdown" in root.get("/identities/user/alice/").text
    root.post("/user/alice/lift-lockdown/")
    assert not User.objects.get(pk=alice.pk).is_locked_down


@pytest.mark.bar(139)
def test_the_command_does_both(acme: Account, bob: User) -> None:
    key, out = key_of(bob), StringIO()
    call_command("lockdown", acme.id, "BOB", "--reason", REASON, stdout=out)
    assert f"made inactive: {key.pk}" in out.getvalue()
    assert Lockdown.objects.get().locked_by == "command line"
    call_command("lockdown", acme.id, "bob", "--lift", "--restore", key.pk, stdout=out)
    key.refresh_from_db()
    assert key.is_active and not User.objects.get(pk=bob.pk).is_locked_down


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["000000000000", "bob", "--reason", "x"], "There is no account"),
        (["111122223333", "eve", "--reason", "x"], "The user with name eve"),
        (["111122223333", "bob"], "Say why"),
        (["111122223333", "bob", "--lift"], "is not locked down"),
        (["111122223333", "bob", "--restore", "AKIA"], "--restore goes with --lift"),
    ],
)
def test_the_command_says_what_is_wrong(bob: User, words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("lockdown", *words)
