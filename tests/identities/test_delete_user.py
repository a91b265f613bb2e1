from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.urls import reverse

from accounts.models import Account
from audit.errors import DeleteConflict
from audit.models import Event
from identities.models import AccessKey, Group, LoginProfile, Membership, MFADevice, User, UserAttachment
from identities.services.access_keys import create_access_key
from identities.services.mfa import create_virtual_mfa_device
from identities.services.service_credentials import create_service_specific_credential
from identities.services.signing_certificates import upload_signing_certificate
from identities.services.ssh_public_keys import upload_ssh_public_key
from identities.services.users import delete_user, delete_user_with_everything, tag_user
from policies.models import ManagedPolicy
from tests.api.test_user_credentials import ssh_line
from tests.cast import ACME, allow, browser_of, make_account, make_user, principal_of, root_of
from tests.identities.certificates import issue
from tests.identities.devices import device_of


def page(name: str) -> str:
    return reverse("identities:delete-user", args=[name])


@pytest.fixture
def carol(alice: User, acme: Account) -> User:
    """Somebody with one of everything."""
    carol = make_user(acme, "carol")
    group = Group.objects.create(account=acme, name="readers", unique_id="AGPA" + "A" * 17)
    Membership.objects.create(user=carol, group=group, slot=1)
    UserAttachment.objects.create(
        user=carol, policy=ManagedPolicy.objects.get(account=None, name="SecurityAudit"), slot=1
    )
    allow(carol, "s3:GetObject", name="own-words")
    create_access_key(by=principal_of(alice), user=carol)
    device_of(carol)
    upload_signing_certificate(by=principal_of(alice), user=carol, body=issue("carol").body)
    upload_ssh_public_key(by=principal_of(alice), user=carol, body=ssh_line())
    create_service_specific_credential(by=principal_of(alice), user=carol, service="codecommit.amazonaws.com")
    return carol


LEFT: list[tuple[str, Any]] = [
    ("delete login profile", lambda user: user.login_profile.delete()),
    ("delete access keys", lambda user: user.access_keys.all().delete()),
    ("delete signing certificates", lambda user: user.signing_certificates.all().delete()),
    ("delete SSH public keys", lambda user: user.ssh_public_keys.all().delete()),
    ("delete service specific credentials", lambda user: user.service_specific_credentials.all().delete()),
    ("delete MFA device", lambda user: user.mfa_devices.all().delete()),
    ("delete policies", lambda user: user.inline_policies.all().delete()),
    ("detach all policies", lambda user: user.attachments.all().delete()),
    ("remove users from group", lambda user: user.memberships.all().delete()),
]


def test_it_names_what_is_left_one_after_the_other(alice: User, carol: User) -> None:
    for what, remove in LEFT:
        with pytest.raises(DeleteConflict) as refused:
            delete_user(by=principal_of(alice), user=carol)
        assert refused.value.message == f"Cannot delete entity, must {what} first."
        remove(User.objects.get(pk=carol.pk))
    delete_user(by=principal_of(alice), user=carol)
    assert not User.objects.filter(name="carol").exists()


def test_a_device_that_was_never_turned_on_is_no_hindrance(alice: User, acme: Account) -> None:
    carol = make_user(acme, "carol", console=False)
    create_virtual_mfa_device(by=principal_of(alice), user=carol, name="phone")
    delete_user(by=principal_of(alice), user=carol)
    assert Event.objects.filter(action="iam:DeleteVirtualMFADevice").count() == 1


@pytest.mark.bar(121)
def test_everything_goes_and_each_thing_is_recorded(alice: User, carol: User) -> None:
    delete_user_with_everything(by=principal_of(alice), user=carol)
    for model in (User, LoginProfile, AccessKey, MFADevice, Membership):
        assert not model.objects.exclude(pk=alice.pk).exclude(pk=getattr(alice, "login_profile", alice).pk).exists()
    actions = set(Event.objects.filter(principal_name="alice").values_list("action", flat=True))
    assert {"iam:DeleteLoginProfile", "iam:DeleteAccessKey", "iam:DeactivateMFADevice"} <= actions
    assert {"iam:DeleteVirtualMFADevice", "iam:DeleteUserPolicy", "iam:DetachUserPolicy"} <= actions
    assert {"iam:RemoveUserFromGroup", "iam:DeleteUser"} <= actions
    further = {"iam:DeleteSigningCertificate", "iam:DeleteSSHPublicKey", "iam:DeleteServiceSpecificCredential"}
    assert further <= actions


def test_the_page_lists_every_kind_of_credential(alice: User, carol: User) -> None:
    shown = browser_of(alice).get(page("carol")).content.decode()
    for what in ("Signing certificate", "SSH public key", "Credential carol-at-111122223333"):
        assert what in shown


def test_groups_and_policies_themselves_stay(alice: User, carol: User) -> None:
    delete_user_with_everything(by=principal_of(alice), user=carol)
    assert Group.objects.filter(name="readers").exists()
    assert ManagedPolicy.objects.filter(account=None, name="SecurityAudit").exists()


def test_the_page_lists_what_goes(alice: User, carol: User) -> None:
    browser_of(carol)
    text = browser_of(alice).get(page("carol")).content.decode()
    key = carol.access_keys.get().access_key_id
    for thing in ("Console password", key, "phone", "readers", "SecurityAudit", "own-words", "1 open console session"):
        assert thing in text
    assert User.objects.filter(name="carol").exists()


def test_the_name_must_be_typed(alice: User, carol: User) -> None:
    browser = browser_of(alice)
    for typed in ("", "Carol", "bob"):
        reply = browser.post(page("carol"), {"confirmation": typed})
        assert reply.status_code == 200 and "nothing was deleted" in reply.content.decode()
    assert browser.post(page("carol"), {"confirmation": "carol"}).status_code == 302
    assert not User.objects.filter(name="carol").exists()


@pytest.mark.bar(22)
def test_the_sessions_of_the_user_end_at_once(alice: User, carol: User) -> None:
    theirs = browser_of(carol)
    browser_of(alice).post(page("carol"), {"confirmation": "carol"})
    assert theirs.get(reverse("identities:list-users")).status_code == 302


def test_it_requires_permission(bob: User, carol: User) -> None:
    assert browser_of(bob).get(page("carol")).status_code == 403
    assert browser_of(bob).post(page("carol"), {"confirmation": "carol"}).status_code == 403


READ = ["iam:Get*", "iam:List*"]
REMOVE = [
    "iam:DeleteLoginProfile",
    "iam:DeleteAccessKey",
    "iam:DeactivateMFADevice",
    "iam:DeleteVirtualMFADevice",
    "iam:RemoveUserFromGroup",
    "iam:DetachUserPolicy",
    "iam:DeleteUserPolicy",
]


@pytest.mark.bar(58)
@pytest.mark.parametrize("missing", REMOVE)
def test_one_thing_that_may_not_go_keeps_all(bob: User, carol: User, missing: str) -> None:
    allow(bob, [*READ, "iam:DeleteUser", *(action for action in REMOVE if action != missing)])
    assert missing in browser_of(bob).get(page("carol")).content.decode()
    assert browser_of(bob).post(page("carol"), {"confirmation": "carol"}).status_code == 403
    assert User.objects.filter(name="carol").exists() and carol.access_keys.exists()


@pytest.mark.bar(127)
def test_who_may_not_read_learns_nothing(bob: User, carol: User) -> None:
    allow(bob, "iam:DeleteUser")
    reply = browser_of(bob).post(page("carol"), {"confirmation": "carol"})
    assert reply.status_code == 403
    assert "readers" not in reply.content.decode() and "iam:GetUser" in reply.content.decode()


@pytest.mark.bar(61)
def test_it_hides_other_accounts(alice: User, mallory: User) -> None:
    assert browser_of(alice).post(page("mallory"), {"confirmation": "mallory"}).status_code == 404
    assert User.objects.filter(pk=mallory.pk).exists()


@pytest.mark.bar(40)
def test_it_asks_for_a_fresh_sign_in(alice: User, carol: User) -> None:
    reply = browser_of(alice, fresh=False).post(page("carol"), {"confirmation": "carol"})
    assert reply.status_code == 302 and reply.headers["Location"].startswith(reverse("access:confirm"))
    assert User.objects.filter(name="carol").exists()


@pytest.mark.bar(121)
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_trail_tells_tags_that_were_being_changed() -> None:
    """Who deletes waits for who tags, and then tells what is there: not what there was when it began to wait."""
    by, carol = root_of(make_account(ACME, "Acme", "acme")), make_user(Account.objects.get(), "carol", console=False)

    def delete() -> None:
        try:
            delete_user(by=by, user=carol)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(), connection.cursor() as cursor:
            tag_user(by=by, user=carol, tags={"team": "red"})
            deleting = pool.submit(delete)
            waiting = (0,)
            while not waiting[0] and not deleting.done():
                cursor.execute("SELECT COUNT(*) FROM pg_locks WHERE NOT granted")
                waiting = cursor.fetchone() or (0,)
        deleting.result(timeout=60)
    assert Event.objects.get(action="iam:DeleteUser").detail["tags"] == {"team": "red"}
    assert not User.objects.exists()
