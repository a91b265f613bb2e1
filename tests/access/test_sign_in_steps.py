"""The steps of a sign-in run in their order, for the person whom the first one fixed, and none is a session."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from access import cookies
from access.models import ConsoleSession, SignInAttempt
from accounts.models import Account, PasswordPolicy
from audit.models import Event
from identities.models import LoginProfile, User
from identities.services.login_profiles import delete_login_profile, update_login_profile
from identities.services.mfa import remove_mfa_device
from tests.access.steps import (
    CODE,
    DASHBOARD,
    LONG_PASSWORD,
    NEW_PASSWORD,
    ROOT_EMAIL,
    ROOT_PASSWORD_PAGE,
    SIGN_IN,
    cookie,
    give_cookie,
    is_in,
    logins,
    sign_in,
    sign_in_root,
)
from tests.cast import PASSWORD, ROOT_PASSWORD, browser_of, principal_of, root_of
from tests.identities.devices import codes, device_of

BOTH = {"password": LONG_PASSWORD, "password_again": LONG_PASSWORD}


@pytest.fixture(autouse=True)
def noon() -> Iterator[Any]:
    with time_machine.travel("2026-11-24T12:00:10Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def seed(alice: User) -> str:
    return device_of(alice)[1]


def must_change(user: User) -> None:
    LoginProfile.objects.filter(user=user).update(password_reset_required=True)


def test_root_goes_from_the_address_to_the_password(client: Client, acme: Account) -> None:
    assert client.post(ROOT_EMAIL, {"email": "root@acme.example"}).headers["Location"] == ROOT_PASSWORD_PAGE
    assert "root@acme.example" in client.get(ROOT_PASSWORD_PAGE).content.decode()
    assert not is_in(client)
    client.post(ROOT_PASSWORD_PAGE, {"password": ROOT_PASSWORD})
    assert is_in(client)


def test_with_mfa_the_password_alone_opens_nothing(client: Client, alice: User, seed: str) -> None:
    assert sign_in(client).headers["Location"] == CODE
    assert not is_in(client)
    client.post(CODE, {"code": "12345"})
    assert not is_in(client)
    assert client.post(CODE, {"code": codes(seed)[1]}).headers["Location"] == DASHBOARD
    assert is_in(client) and ConsoleSession.objects.get().mfa_at is not None
    assert logins()[-1].detail["mfa"] is True


@pytest.mark.bar(25)
def test_a_code_signs_in_once(client: Client, alice: User, seed: str) -> None:
    code = codes(seed)[1]
    sign_in(client)
    client.post(CODE, {"code": code})
    other = Client()
    sign_in(other)
    assert "used already" in other.post(CODE, {"code": code}).content.decode()
    assert not is_in(other)


def test_a_first_password_must_be_changed_before_anything_opens(client: Client, bob: User) -> None:
    must_change(bob)
    assert sign_in(client, "bob").headers["Location"] == NEW_PASSWORD
    assert not is_in(client)
    refused = client.post(NEW_PASSWORD, {"password": PASSWORD, "password_again": PASSWORD})
    assert "present password" in refused.content.decode()
    assert client.post(NEW_PASSWORD, BOTH).headers["Location"] == DASHBOARD
    assert is_in(client) and not LoginProfile.objects.get(user=bob).password_reset_required
    sign_in(other := Client(), "bob", LONG_PASSWORD)
    assert is_in(other)
    assert Event.objects.filter(action="iam:ChangePassword", principal_arn=bob.arn).count() == 1


@pytest.mark.parametrize(
    ("password", "again", "says"), [("short", "short", "at least 15"), (LONG_PASSWORD, "x", "differ")]
)
def test_the_new_password_obeys_the_rules(client: Client, bob: User, password: str, again: str, says: str) -> None:
    must_change(bob)
    sign_in(client, "bob")
    page = client.post(NEW_PASSWORD, {"password": password, "password_again": again})
    assert says in page.content.decode() and not is_in(client)


def test_with_mfa_the_change_comes_after_the_code(client: Client, alice: User, seed: str) -> None:
    must_change(alice)
    assert sign_in(client).headers["Location"] == CODE
    assert client.post(NEW_PASSWORD, BOTH).headers["Location"] == SIGN_IN
    sign_in(client)
    assert client.post(CODE, {"code": codes(seed)[1]}).headers["Location"] == NEW_PASSWORD
    assert client.post(NEW_PASSWORD, BOTH).headers["Location"] == DASHBOARD
    assert ConsoleSession.objects.get().mfa_at is not None


@pytest.mark.bar(15)
def test_a_device_that_is_turned_on_meanwhile_is_asked_for_after_the_change(client: Client, bob: User) -> None:
    must_change(bob)
    assert sign_in(client, "bob").headers["Location"] == NEW_PASSWORD
    _, seed = device_of(bob)
    assert client.post(NEW_PASSWORD, BOTH).headers["Location"] == CODE
    assert not is_in(client)
    assert client.post(CODE, {"code": codes(seed)[1]}).headers["Location"] == DASHBOARD


def test_an_expired_password_must_be_changed(client: Client, bob: User, noon: Any) -> None:
    PasswordPolicy.objects.create(account=bob.account, max_password_age=90)
    noon.shift(timedelta(days=80))
    sign_in(client, "bob")
    assert "expires in 10 days" in client.get(DASHBOARD).content.decode()
    noon.shift(timedelta(days=10))
    assert sign_in(Client(), "bob").headers["Location"] == NEW_PASSWORD


def test_with_hard_expiry_an_expired_password_is_a_wrong_one(client: Client, bob: User, noon: Any) -> None:
    PasswordPolicy.objects.create(account=bob.account, max_password_age=90, hard_expiry=True)
    noon.shift(timedelta(days=90))
    assert "did not match" in sign_in(client, "bob").content.decode()
    assert logins()[-1].detail["reason"] == "password expired for good"


@pytest.mark.bar(15)
@pytest.mark.parametrize("page", [ROOT_PASSWORD_PAGE, CODE, NEW_PASSWORD])
@pytest.mark.parametrize("data", [{}, {"code": "", "password": "", "password_again": ""}, {**BOTH, "code": "000000"}])
def test_no_step_opens_without_the_one_before(client: Client, alice: User, page: str, data: dict[str, str]) -> None:
    assert client.get(page).status_code == 302
    assert client.post(page, data).status_code == 302
    assert not is_in(client)


@pytest.mark.bar(15)
@pytest.mark.parametrize("page", [ROOT_PASSWORD_PAGE, NEW_PASSWORD, DASHBOARD])
def test_the_password_step_leads_to_the_code_only(client: Client, alice: User, seed: str, page: str) -> None:
    must_change(alice)
    sign_in(client)
    client.post(page, {**BOTH, "password": PASSWORD})
    assert not is_in(client) and LoginProfile.objects.get(user=alice).check_password(PASSWORD)


@pytest.mark.bar(15)
@pytest.mark.parametrize("data", [{}, {"code": ""}, {"code": "      "}, {"next": "/"}])
def test_an_empty_code_is_no_code(client: Client, alice: User, seed: str, data: dict[str, str]) -> None:
    sign_in(client)
    for _ in range(2):
        assert client.post(CODE, data).status_code == 200
    assert not is_in(client)


@pytest.mark.bar(15, 35)
def test_a_step_that_was_taken_is_over(client: Client, alice: User, seed: str) -> None:
    sign_in(client)
    earlier = cookie(client, cookies.ATTEMPT)
    client.post(CODE, {"code": codes(seed)[1]})
    back = Client()
    give_cookie(back, cookies.ATTEMPT, earlier)
    assert back.get(CODE).status_code == 302
    assert not SignInAttempt.objects.exists()


@pytest.mark.bar(16)
def test_nothing_in_a_later_request_chooses_the_person(client: Client, alice: User, bob: User, seed: str) -> None:
    sign_in(client)
    swapped = {"user_name": "bob", "user": bob.pk, "account": "acme", "email": "root@acme.example", "is_root": "1"}
    client.post(CODE, {"code": codes(seed)[1], **swapped})
    assert ConsoleSession.objects.get().user == alice
    must_change(bob)
    sign_in(other := Client(), "bob")
    other.post(NEW_PASSWORD, {**BOTH, "user_name": "alice", "user": alice.pk})
    assert LoginProfile.objects.get(user=alice).check_password(PASSWORD)


@pytest.mark.bar(16, 31)
def test_another_persons_device_does_not_help(client: Client, alice: User, bob: User, seed: str) -> None:
    _, bobs = device_of(bob, "bobs")
    sign_in(client)
    client.post(CODE, {"code": codes(bobs)[1]})
    assert not is_in(client)


@pytest.mark.bar(16)
def test_the_root_step_asks_for_the_account_of_the_address_only(client: Client, acme: Account, globex: Account) -> None:
    client.post(ROOT_EMAIL, {"email": "root@acme.example"})
    client.post(ROOT_PASSWORD_PAGE, {"password": ROOT_PASSWORD, "email": "root@globex.example", "account": globex.id})
    assert ConsoleSession.objects.get().account == acme


@pytest.mark.bar(23)
def test_a_half_done_sign_in_is_over_after_ten_minutes(client: Client, alice: User, seed: str, noon: Any) -> None:
    sign_in(client)
    noon.shift(timedelta(minutes=9, seconds=59))
    assert client.get(CODE).status_code == 200
    noon.shift(timedelta(seconds=1))
    assert client.post(CODE, {"code": codes(seed)[1]}).headers["Location"] == SIGN_IN
    assert not is_in(client)


@pytest.mark.bar(23, 41)
def test_a_half_done_sign_in_keeps_no_password_and_ends_by_leaving(client: Client, alice: User, seed: str) -> None:
    sign_in(client)
    attempt = SignInAttempt.objects.values().get()
    assert PASSWORD not in str(attempt) and cookie(client, cookies.ATTEMPT) not in str(attempt)
    client.post(reverse("access:sign-out"))
    assert not SignInAttempt.objects.exists()


@pytest.mark.bar(22)
@pytest.mark.parametrize("how", ["deleted", "no password", "new password"])
def test_a_pending_code_ends_with_the_user_or_the_password(client: Client, alice: User, seed: str, how: str) -> None:
    sign_in(client)
    by = root_of(alice.account)
    if how == "deleted":
        alice.delete()
    elif how == "no password":
        delete_login_profile(by=by, user=alice)
    else:
        update_login_profile(by=by, user=alice, password=LONG_PASSWORD, for_console=True)
    assert client.post(CODE, {"code": codes(seed)[1]}).headers["Location"] == SIGN_IN
    assert not is_in(client)


@pytest.mark.bar(22)
@pytest.mark.parametrize("how", ["deleted", "no password"])
def test_a_signed_in_browser_and_the_password_end_at_once(client: Client, bob: User, how: str) -> None:
    browser = browser_of(bob)
    assert is_in(browser)
    if how == "deleted":
        bob.delete()
    else:
        delete_login_profile(by=root_of(bob.account), user=bob)
    assert not is_in(browser)
    sign_in(client, "bob")
    assert not is_in(client)


def test_a_device_that_was_removed_meanwhile_leads_nowhere(client: Client, alice: User) -> None:
    device, seed = device_of(alice)
    sign_in(client)
    remove_mfa_device(by=principal_of(alice), device=device)
    assert "did not match" in client.post(CODE, {"code": codes(seed)[1]}).content.decode()
    assert sign_in(client).headers["Location"] == DASHBOARD


@pytest.mark.bar(14)
@pytest.mark.parametrize(
    "part",
    [
        "throttle._count",
        "sign_in.password_fits",
        "sign_in.password_policy_of",
        "sign_in.has_mfa",
        "sign_in.verify_code",
        "sign_in.record",
        "sessions.open_session",
        "sign_in_attempts.finish",
    ],
)
def test_an_error_in_any_part_lets_nobody_in(
    client: Client, alice: User, seed: str, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(f"access.{part}", fail)
    client.raise_request_exception = False
    sign_in(client)
    client.post(CODE, {"code": codes(seed)[1]})
    monkeypatch.undo()
    assert not ConsoleSession.objects.exists() and not is_in(client)


@pytest.mark.bar(125)
def test_root_is_told_of_every_use_of_root(client: Client, acme: Account, mailoutbox: list[Any],
                                           django_capture_on_commit_callbacks: Any) -> None:  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        sign_in_root(client)
    (mail,) = mailoutbox
    assert mail.to == ["root@acme.example"] and "root user signed in" in mail.subject
    assert "127.0.0.1" in mail.body and "without MFA" in mail.body
