"""Console passwords by program."""

import pytest

from accounts.models import PasswordPolicy
from audit.models import Event
from identities.models import LoginProfile, PasswordHistory, User, UserTag
from identities.services import login_profiles
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused
from tests.cast import PASSWORD, allow, make_user
from tests.identities.devices import device_of

NEW = "Marble-Otter-19-Kite"


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


@pytest.fixture
def carol(alice: User) -> User:
    return make_user(alice.account, "carol", console=False)


def refusal(program: Program, operation: str, **inputs: object) -> tuple[int, str, str]:
    with pytest.raises(Refused) as refused:
        program.iam(operation, **inputs)
    return refused.value.status, refused.value.code, refused.value.message


def test_create_login_profile_gives_a_password(program: Program, carol: User) -> None:
    made = program.iam("CreateLoginProfile", UserName="carol", Password=NEW, PasswordResetRequired=True)
    assert made["LoginProfile"]["UserName"] == "carol"
    assert program.iam("GetLoginProfile", UserName="carol")["LoginProfile"]["PasswordResetRequired"] is True
    assert LoginProfile.objects.get(user=carol).check_password(NEW)


def test_create_login_profile_wants_a_password(program: Program, carol: User) -> None:
    assert refusal(program, "CreateLoginProfile", UserName="carol")[:2] == (400, "ValidationError")


def test_create_login_profile_refuses_a_second(program: Program, bob: User) -> None:
    status, code, message = refusal(program, "CreateLoginProfile", UserName="bob", Password=NEW)
    assert (status, code, message) == (409, "EntityAlreadyExists", "Login Profile for user bob already exists.")


@pytest.mark.bar(78, 122)
def test_a_weak_password_is_refused_and_not_repeated(program: Program, carol: User) -> None:
    status, code, message = refusal(program, "CreateLoginProfile", UserName="carol", Password="lantern")
    assert (status, code) == (400, "PasswordPolicyViolation")
    assert "lantern" not in message + str(list(Event.objects.values()))


def test_get_login_profile_says_when_there_is_none(program: Program, carol: User) -> None:
    expected = (404, "NoSuchEntity", "Login Profile for User carol cannot be found.")
    assert refusal(program, "GetLoginProfile", UserName="carol") == expected
    assert refusal(program, "UpdateLoginProfile", UserName="carol", Password=NEW) == expected
    assert refusal(program, "DeleteLoginProfile", UserName="carol") == expected


def test_update_login_profile_replaces_what_is_given(program: Program, bob: User) -> None:
    program.iam("UpdateLoginProfile", UserName="bob", PasswordResetRequired=True)
    profile = LoginProfile.objects.get(user=bob)
    assert profile.password_reset_required and profile.check_password(PASSWORD)
    program.iam("UpdateLoginProfile", UserName="bob", Password=NEW)
    assert LoginProfile.objects.get(user=bob).check_password(NEW)


def test_delete_login_profile_takes_the_password_away(program: Program, bob: User) -> None:
    program.iam("DeleteLoginProfile", UserName="bob")
    assert not LoginProfile.objects.filter(user=bob).exists()


def test_change_password_is_for_the_caller(program_of: ProgramOf, bob: User) -> None:
    allow(bob, "iam:ChangePassword", "arn:aws:iam::*:user/${aws:username}")
    program = program_of(bob)
    wrong = refusal(program, "ChangePassword", OldPassword="wrong", NewPassword=NEW)
    assert wrong[:2] == (403, "AccessDenied")
    program.iam("ChangePassword", OldPassword=PASSWORD, NewPassword=NEW)
    assert LoginProfile.objects.get(user=bob).check_password(NEW)


@pytest.mark.bar(6)
@pytest.mark.parametrize("kept", [3, 24])
def test_change_password_asks_no_more_with_rules_and_earlier_passwords(
    program_of: ProgramOf, bob: User, kept: int
) -> None:
    """The account lets its users change theirs, remembers 24, and Bob has tags and a second factor."""
    PasswordPolicy.objects.create(
        account=bob.account, allow_users_to_change_password=True, password_reuse_prevention=24
    )
    earlier = [PasswordHistory(user=bob, password=f"old-{number}") for number in range(kept)]
    PasswordHistory.objects.bulk_create(earlier)
    device_of(bob)
    UserTag.objects.create(user=bob, key="team", value="red")
    program = program_of(bob)
    program.iam("ChangePassword", OldPassword=PASSWORD, NewPassword=NEW)
    assert PasswordHistory.objects.filter(user=bob).count() == min(kept + 1, 24)
    again = refusal(program, "ChangePassword", OldPassword=NEW, NewPassword=PASSWORD)
    assert again[:2] == (400, "PasswordPolicyViolation")


def test_change_password_is_decided_with_the_callers_tags(program_of: ProgramOf, bob: User) -> None:
    allow(bob, "iam:ChangePassword", Condition={"StringEquals": {"iam:ResourceTag/team": "red"}})
    program = program_of(bob)
    assert refusal(program, "ChangePassword", OldPassword=PASSWORD, NewPassword=NEW)[1] == "AccessDenied"
    assert LoginProfile.objects.get(user=bob).check_password(PASSWORD)
    UserTag.objects.create(user=bob, key="team", value="red")
    program.iam("ChangePassword", OldPassword=PASSWORD, NewPassword=NEW)


@pytest.mark.bar(10, 11)
def test_after_ten_wrong_passwords_none_is_hashed(
    program_of: ProgramOf, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(bob, "iam:ChangePassword")
    program = program_of(bob)
    for _ in range(10):
        wrong = refusal(program, "ChangePassword", OldPassword="wrong", NewPassword=NEW)
        assert wrong[:2] == (403, "AccessDenied")
    monkeypatch.setattr(login_profiles, "check_password", None)
    assert refusal(program, "ChangePassword", OldPassword=PASSWORD, NewPassword=NEW)[:2] == (400, "Throttling")
    assert LoginProfile.objects.get(user=bob).check_password(PASSWORD)


@pytest.mark.bar(77)
def test_change_password_is_not_for_root(program_of: ProgramOf, alice: User) -> None:
    program = program_of(alice.account)
    assert refusal(program, "ChangePassword", OldPassword="a", NewPassword=NEW)[:2] == (400, "InvalidUserType")
