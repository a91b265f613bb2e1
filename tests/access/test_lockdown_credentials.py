"""What a lockdown does to credentials, and the deny that stands for it."""

from typing import Any

import pytest

from access.gate import authorize
from access.lockdown import lift, lock_down
from accounts.models import Account
from audit.errors import (
    ConcurrentModification,
    EntityTemporarilyUnmodifiable,
    NoSuchEntity,
    PolicyNotAttachable,
)
from audit.principal import Principal
from identities.models import AccessKey, User
from identities.services import access_keys, attachments, boundaries, login_profiles
from identities.services.cloning import items_of
from identities.services.service_credentials import (
    create_service_specific_credential,
    update_service_specific_credential,
)
from identities.services.signing_certificates import update_signing_certificate, upload_signing_certificate
from identities.services.ssh_public_keys import update_ssh_public_key, upload_ssh_public_key
from policies.models import ManagedPolicy
from tests.access.locked import POLICY, REASON, by, lifted, locked
from tests.access.steps import is_in
from tests.api.conftest import SECRET, key_of
from tests.api.program import Program, Refused
from tests.cast import allow, browser_of, make_role, make_user, principal_of
from tests.identities.certificates import issue, ssh_key

__all__ = ["by"]


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
