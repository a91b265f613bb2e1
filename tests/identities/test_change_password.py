from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.core.mail import EmailMessage
from django.urls import reverse

from accounts.models import Account, PasswordPolicy
from audit import clock
from audit.errors import InvalidUserType, NoSuchEntity, PasswordPolicyViolation
from audit.models import Event
from identities.models import LoginProfile, MFADevice, PasswordHistory, User
from identities.services.login_profiles import IncorrectPassword, change_password, find_holder, replace_own_password
from tests.cast import PASSWORD, browser_of, principal_of, root_of
from tests.identities.devices import unlimited

NEW = "walnut harbour trumpet 5520"


def change(user: User, new: str = NEW, *, old: str = PASSWORD, for_console: bool = True) -> LoginProfile:
    return change_password(
        by=principal_of(user),
        holder=find_holder(User.objects.filter(pk=user.pk)),
        old_password=old,
        new_password=new,
        tried=unlimited,
        for_console=for_console,
    )


def kept(user: User) -> str:
    return LoginProfile.objects.get(user=user).password


@pytest.mark.bar(1)
def test_it_stores_argon2id(bob: User) -> None:
    change(bob)
    assert kept(bob).startswith("argon2$argon2id$v=19$m=32768,t=2,p=1$")
    assert check_password(NEW, kept(bob))


@pytest.mark.bar(6)
def test_it_needs_the_present_password(bob: User) -> None:
    before = kept(bob)
    for wrong in ("", "wrong", PASSWORD.upper(), PASSWORD + " ", "x" * 1_000_000):
        with pytest.raises(IncorrectPassword) as refused:
            change(bob, old=wrong)
        assert (refused.value.code, refused.value.field) == ("AccessDenied", "old_password")
    assert kept(bob) == before


@pytest.mark.bar(6)
def test_it_ends_sessions_opened_with_the_old_password(bob: User) -> None:
    browser = browser_of(bob)
    assert browser.get(reverse("access:my-credentials")).status_code == 200
    change(bob)
    assert browser.get(reverse("access:my-credentials")).status_code == 302


@pytest.mark.bar(77)
def test_it_is_not_for_root(acme: Account) -> None:
    with pytest.raises(InvalidUserType):
        change_password(by=root_of(acme), holder=None, old_password="", new_password=NEW, tried=unlimited)


def test_it_is_only_for_oneself(alice: User, bob: User) -> None:
    with pytest.raises(InvalidUserType):
        change_password(
            by=principal_of(alice),
            holder=find_holder(User.objects.filter(pk=bob.pk)),
            old_password=PASSWORD,
            new_password=NEW,
            tried=unlimited,
        )


def test_it_needs_a_password_to_change(bob: User) -> None:
    LoginProfile.objects.all().delete()
    with pytest.raises(NoSuchEntity, match="Login Profile for User bob cannot be found."):
        change(bob)


@pytest.mark.bar(3)
def test_composed_and_decomposed_letters_are_the_same_password(bob: User) -> None:
    change(bob, "Brücke über den Fluss 9")
    change(bob, NEW, old="Bru\u0308cke u\u0308ber den Fluss 9")
    assert check_password(NEW, kept(bob))


@pytest.mark.bar(2)
def test_a_second_factor_allows_a_shorter_one(bob: User) -> None:
    with pytest.raises(PasswordPolicyViolation, match="at least 15"):
        change(bob, "zu7Kq!vB2")
    MFADevice.objects.create(account_id=bob.account_id, user=bob, name="p", slot=1, enabled_at=bob.created_at)
    change(bob, "zu7Kq!vB2")


@pytest.mark.bar(4)
def test_names_around_the_person_are_refused(bob: User) -> None:
    for name in ("acme is a lovely place 9", "I am root@acme.example 9"):
        with pytest.raises(PasswordPolicyViolation, match="first things tried"):
            change(bob, name)


@pytest.mark.bar(6)
def test_the_console_refuses_the_present_password(bob: User) -> None:
    with pytest.raises(PasswordPolicyViolation, match="present password"):
        change(bob, PASSWORD)


@pytest.mark.bar(6)
def test_a_policy_refuses_earlier_passwords(bob: User, acme: Account) -> None:
    PasswordPolicy.objects.create(account=acme, password_reuse_prevention=2)
    change(bob, NEW)
    with pytest.raises(PasswordPolicyViolation, match="remembers the last 2"):
        change(bob, PASSWORD, old=NEW)
    change(bob, "first other words 11", old=NEW)
    change(bob, PASSWORD, old="first other words 11")


def test_only_as_many_earlier_hashes_are_kept_as_a_policy_can_ask_for(bob: User) -> None:
    now = clock.now()
    earlier = [PasswordHistory(user=bob, password=f"old-{n}", retired_at=now - timedelta(days=n)) for n in range(24)]
    PasswordHistory.objects.bulk_create(earlier)
    before = kept(bob)
    change(bob)
    passwords = set(PasswordHistory.objects.values_list("password", flat=True))
    assert passwords == {before, *(f"old-{n}" for n in range(23))}


def test_of_two_changes_at_once_the_second_is_refused(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def another_one_is_faster(password: str) -> str:
        LoginProfile.objects.update(password="argon2$changed-meanwhile")
        return make_password(password)

    monkeypatch.setattr("identities.services.login_profiles.make_password", another_one_is_faster)
    with pytest.raises(Exception, match="changed by somebody else"):
        change(bob)
    assert kept(bob) == "argon2$changed-meanwhile"


def test_it_takes_the_demand_for_a_change_away(bob: User) -> None:
    LoginProfile.objects.update(password_reset_required=True)
    change(bob)
    assert not LoginProfile.objects.get(user=bob).password_reset_required


@pytest.mark.bar(122)
def test_it_records_the_change_without_passwords(bob: User) -> None:
    change(bob)
    event = Event.objects.get(action="iam:ChangePassword")
    assert (event.resource, event.principal_name) == (bob.arn, "bob")
    assert NEW not in str(vars(event)) and kept(bob) not in str(vars(event))


@pytest.mark.bar(6, 125)
def test_it_tells_root_by_mail(
    bob: User, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        change(bob)
    (mail,) = mailoutbox
    assert "IAM user bob changed their console password" in mail.subject
    assert NEW not in mail.body


def test_whoever_must_choose_a_new_one_needs_the_present_one_no_second_time(bob: User) -> None:
    LoginProfile.objects.update(password_reset_required=True)
    replace_own_password(by=principal_of(bob), user=bob, new_password=NEW)
    profile = LoginProfile.objects.get(user=bob)
    assert check_password(NEW, profile.password) and not profile.password_reset_required


def test_nobody_chooses_for_somebody_else(alice: User, bob: User) -> None:
    with pytest.raises(InvalidUserType):
        replace_own_password(by=principal_of(alice), user=bob, new_password=NEW)


def test_the_one_that_must_be_replaced_is_refused(bob: User) -> None:
    with pytest.raises(PasswordPolicyViolation, match="present password"):
        replace_own_password(by=principal_of(bob), user=bob, new_password=PASSWORD)
