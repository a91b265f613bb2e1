"""Locking a user down, and lifting it: what stops, what comes back, who is told, and who may."""

from collections.abc import Iterator
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

from access.gate import authorize
from access.lockdown import LIFT, LOCK, lift, lock_down
from access.models import ConsoleSession, SignInAttempt
from access.principals import load_for_access_key
from access.sign_in import find_iam_user
from access.temporary import Wish
from access.user_sessions import get_federation_token
from accounts.models import Account
from audit import clock
from audit.errors import (
    ConcurrentModification,
    EntityTemporarilyUnmodifiable,
    NoSuchEntity,
    PolicyNotAttachable,
    ServiceError,
    UnmodifiableEntity,
)
from audit.models import Event
from audit.principal import Principal
from identities.models import AccessKey, Lockdown, User
from identities.services import access_keys, attachments, boundaries, login_profiles, users
from identities.services.cloning import items_of
from identities.services.service_credentials import (
    create_service_specific_credential,
    update_service_specific_credential,
)
from identities.services.signing_certificates import update_signing_certificate, upload_signing_certificate
from identities.services.ssh_public_keys import update_ssh_public_key, upload_ssh_public_key
from policies.models import ManagedPolicy
from tests.access.brokers import LOOK, as_role, principal_with
from tests.access.steps import CODE, facts, is_in, logins, sign_in
from tests.api.conftest import SECRET, key_of
from tests.api.program import Program, Refused
from tests.api.test_assume_role import program_with, taken
from tests.cast import ORIGIN, allow, browser_of, make_role, make_user, principal_of, root_of, trusting
from tests.identities.certificates import issue, ssh_key
from tests.identities.devices import device_of

REASON = "Laptop stolen on the train"
POLICY = "arn:aws:iam::aws:policy/IAMUserLockdown"


@pytest.fixture
def by(alice: User) -> Principal:
    return principal_of(alice)


@pytest.fixture
def bobs(bob: User) -> Program:
    return Program(key_of(bob).access_key_id, SECRET)


@pytest.fixture
def noon() -> Iterator[Any]:
    with time_machine.travel("2026-11-26T12:00:00.500Z", tick=False) as traveller:
        yield traveller


def locked(by: Principal, user: User) -> User:
    lock_down(by=by, user=user, reason=REASON)
    return User.objects.get(pk=user.pk)


def lifted(by: Principal, user: User, *restore: str) -> User:
    lift(by=by, user=user, restore=restore)
    return User.objects.get(pk=user.pk)


def code_of(program: Program, service: str = "sts", operation: str = "GetCallerIdentity") -> str:
    with pytest.raises(Refused) as refused:
        program.call(service, operation)
    return refused.value.code


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
    before = clock.now()
    administrator.post("/user/bob/lock-down/", {"reason": REASON, "confirmation": "bob"})
    assert {code_of(program) for program in programs} == {"InvalidClientTokenId"}
    assert not is_in(browser) and not ConsoleSession.objects.filter(user=bob)
    assert clock.now() - before < timedelta(seconds=1)
    assert Program(key_of(alice).access_key_id, SECRET).iam("ListUsers")


@pytest.mark.bar(22, 90, 139)
def test_a_role_that_somebody_took_on_for_whom_the_user_vouched_is_over_too(
    by: Principal, acme: Account, bob: User
) -> None:
    allow(bob, ["sts:AssumeRole", "sts:GetFederationToken"])
    by_key = replace(principal_of(bob), access_key_id=key_of(bob).pk)
    everything = LOOK.replace("iam:ListUsers", "*")
    ann = principal_with(get_federation_token(by=by_key, wish=Wish(name="ann", document=everything)).credentials)
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
def test_every_kind_of_active_credential_becomes_inactive_and_comes_back_one_by_one(by: Principal, bob: User) -> None:
    active, inactive = key_of(bob), key_of(bob, slot=2, status="Inactive")
    rows: list[Any] = [
        active,
        upload_signing_certificate(by=by, user=bob, body=issue("bob").body),
        upload_ssh_public_key(by=by, user=bob, body=ssh_key()),
        create_service_specific_credential(by=by, user=bob, service="logs.amazonaws.com")[0],
    ]
    lockdown = lock_down(by=by, user=bob, reason=REASON)
    assert [pk for _, pk in lockdown.deactivated] == [row.pk for row in rows]
    for row in rows:
        row.refresh_from_db()
        assert row.status == "Inactive"
    lift(by=by, user=bob, restore=[row.pk for row in rows[:2]])
    for row, status in zip([*rows, inactive], ["Active", "Active", "Inactive", "Inactive", "Inactive"], strict=True):
        row.refresh_from_db()
        assert row.status == status
    with pytest.raises(NoSuchEntity):
        lift(by=by, user=bob, restore=[active.pk])


@pytest.mark.bar(139)
@pytest.mark.parametrize("change", ["was inactive", "deleted since", "of somebody else"])
def test_lifting_activates_only_what_the_lockdown_made_inactive(by: Principal, bob: User, change: str) -> None:
    key = key_of(make_user(bob.account, "carol") if change == "of somebody else" else bob)
    if change == "was inactive":
        AccessKey.objects.update(status="Inactive")
    locked(by, bob)
    if change == "deleted since":
        key.delete()
    with pytest.raises(ConcurrentModification):
        lift(by=by, user=bob, restore=[key.pk])
    assert User.objects.get(pk=bob.pk).is_locked_down and not AccessKey.objects.filter(user=bob, status="Active")


@pytest.mark.bar(139)
def test_no_credential_is_made_or_activated_while_it_holds(by: Principal, bob: User) -> None:
    key, line = key_of(bob, status="Inactive"), ssh_key()
    certificate = upload_signing_certificate(by=by, user=bob, body=issue("bob").body)
    public_key = upload_ssh_public_key(by=by, user=bob, body=line)
    credential, _ = create_service_specific_credential(by=by, user=bob, service="logs.amazonaws.com")
    bob = locked(by, bob)
    attempts: list[Any] = [
        lambda: access_keys.create_access_key(by=by, user=bob),
        lambda: access_keys.update_access_key(by=by, key=key, status="Active"),
        lambda: upload_signing_certificate(by=by, user=bob, body=issue("again").body),
        lambda: update_signing_certificate(by=by, certificate=certificate, status="Active"),
        lambda: upload_ssh_public_key(by=by, user=bob, body=line),
        lambda: update_ssh_public_key(by=by, key=public_key, status="Active"),
        lambda: create_service_specific_credential(by=by, user=bob, service="logs.amazonaws.com"),
        lambda: update_service_specific_credential(by=by, credential=credential, status="Active"),
    ]
    for attempt in attempts:
        with pytest.raises(EntityTemporarilyUnmodifiable, match="bob is locked down"):
            attempt()
    # A new password may be made ready before the lockdown is lifted.
    login_profiles.update_login_profile(by=by, user=bob, password="Walnut-tractor-5519")
    assert not is_in(browser_of(bob))


@pytest.mark.bar(139)
def test_the_deny_is_attached_explains_itself_and_stays(by: Principal, acme: Account, bob: User) -> None:
    allow(bob, "s3:*")
    for number in range(10):
        policy = ManagedPolicy.objects.create(account=acme, name=f"p{number}", unique_id=f"ANPA{number}")
        bob.attachments.create(policy=policy, slot=number + 1)
    bob = locked(by, bob)
    decision = authorize(principal_of(bob), "s3:GetObject", "arn:aws:s3:::a/b")
    assert decision.outcome == "ExplicitlyDenied"
    assert [(each.source, each.sid) for each in decision.statements] == [(POLICY, "TheUserIsLockedDown")]
    deny = ManagedPolicy.objects.get(name="IAMUserLockdown")
    with pytest.raises(EntityTemporarilyUnmodifiable, match="by lifting the lockdown"):
        attachments.detach_user_policy(by=by, user=bob, policy=deny)
    assert POLICY not in {item.key for item in items_of(bob)} and len(items_of(bob)) == 11
    assert authorize(principal_of(lifted(by, bob)), "s3:GetObject", "arn:aws:s3:::a/b").allowed
    assert bob.attachments.count() == 10
    with pytest.raises(NoSuchEntity):
        attachments.detach_user_policy(by=by, user=bob, policy=deny)


def test_the_deny_is_not_attached_by_hand(by: Principal, acme: Account, bob: User) -> None:
    attempts: list[Any] = [
        lambda: attachments.attach_user_policy(by=by, user=bob, policy=POLICY),
        lambda: attachments.attach_role_policy(by=by, role=make_role(acme, "deploy"), policy=POLICY),
        lambda: boundaries.put_user_permissions_boundary(by=by, user=bob, policy=POLICY),
    ]
    for attempt in attempts:
        with pytest.raises(PolicyNotAttachable):
            attempt()


@pytest.mark.bar(139)
@pytest.mark.parametrize(
    ("operation", "inputs", "refusal"),
    [
        ("CreateAccessKey", {}, (409, "EntityTemporarilyUnmodifiable")),
        ("DetachUserPolicy", {"PolicyArn": POLICY}, (409, "EntityTemporarilyUnmodifiable")),
        ("AttachUserPolicy", {"PolicyArn": POLICY}, (400, "PolicyNotAttachable")),
        ("PutUserPermissionsBoundary", {"PermissionsBoundary": POLICY}, (400, "PolicyNotAttachable")),
        ("DeleteUser", {}, (409, "DeleteConflict")),
    ],
)
def test_programs_are_told_in_awss_own_codes(
    alice: User, bob: User, operation: str, inputs: dict[str, str], refusal: tuple[int, str]
) -> None:
    program = Program(key_of(alice).access_key_id, SECRET)
    bob.login_profile.delete()
    locked(principal_of(alice), bob)
    (attached,) = program.iam("ListAttachedUserPolicies", UserName="bob")["AttachedPolicies"]
    assert attached["PolicyArn"] == POLICY
    with pytest.raises(Refused) as refused:
        program.iam(operation, UserName="bob", **inputs)
    assert (refused.value.status, refused.value.code) == refusal


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
