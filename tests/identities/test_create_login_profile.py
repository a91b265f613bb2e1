import pytest
from django.contrib.auth.hashers import check_password
from django.urls import reverse

from accounts.models import Account, PasswordPolicy
from audit.errors import EntityAlreadyExists, PasswordPolicyViolation
from audit.models import Event
from identities.models import LoginProfile, User
from identities.services.login_profiles import create_login_profile
from tests.cast import allow, browser_of, make_user, principal_of

GIVEN = "Kite-4-river"


@pytest.fixture
def carol(acme: Account) -> User:
    return make_user(acme, "carol", console=False)


def page(user: User) -> str:
    return reverse("identities:create-login-profile", args=[user.name])


def test_it_gives_a_password(alice: User, carol: User) -> None:
    create_login_profile(by=principal_of(alice), user=carol, password=GIVEN, password_reset_required=True)
    profile = LoginProfile.objects.get(user=carol)
    assert check_password(GIVEN, profile.password)
    assert profile.password_reset_required


def test_a_second_one_is_refused(alice: User, bob: User) -> None:
    with pytest.raises(EntityAlreadyExists, match="Login Profile for user bob already exists."):
        create_login_profile(by=principal_of(alice), user=bob, password=GIVEN)


def test_the_accounts_policy_applies(alice: User, carol: User) -> None:
    PasswordPolicy.objects.create(account=carol.account, require_symbols=True)
    with pytest.raises(PasswordPolicyViolation, match="symbols"):
        create_login_profile(by=principal_of(alice), user=carol, password="Kite4river")


@pytest.mark.bar(122)
def test_it_records_without_the_password(alice: User, carol: User) -> None:
    create_login_profile(by=principal_of(alice), user=carol, password=GIVEN)
    event = Event.objects.get(action="iam:CreateLoginProfile")
    assert (event.resource, event.detail) == (carol.arn, {"password_reset_required": False})


@pytest.mark.bar(54, 78)
def test_the_page_makes_a_password_and_shows_it_once(alice: User, carol: User) -> None:
    browser = browser_of(alice)
    reply = browser.post(page(carol))
    password = reply.context["password"]
    assert check_password(password, LoginProfile.objects.get(user=carol).password)
    assert reply.headers["Cache-Control"] == "no-store"
    assert password not in browser.get(reverse("identities:list-access-keys", args=["carol"])).content.decode()


def test_a_password_from_the_page_must_be_changed(alice: User, carol: User) -> None:
    browser_of(alice).post(page(carol))
    assert LoginProfile.objects.get(user=carol).password_reset_required


def test_an_administrator_cannot_choose_the_password(alice: User, carol: User) -> None:
    browser_of(alice).post(page(carol), {"password": GIVEN, "password_reset_required": ""})
    profile = LoginProfile.objects.get(user=carol)
    assert profile.password_reset_required and not check_password(GIVEN, profile.password)


@pytest.mark.bar(55)
def test_a_name_in_the_file_is_no_formula(alice: User, acme: Account) -> None:
    hostile = make_user(acme, "=cmd@A1", console=False)
    lines = browser_of(alice).post(page(hostile)).context["csv"].splitlines()
    assert lines[0] == "User name,Password,Console sign-in URL"
    assert lines[1].startswith("'=cmd@A1,")


def test_the_page_requires_permission(bob: User, carol: User) -> None:
    assert browser_of(bob).post(page(carol)).status_code == 403
    allow(bob, "iam:CreateLoginProfile", carol.arn)
    assert browser_of(bob).post(page(carol)).status_code == 200


@pytest.mark.bar(61)
def test_the_page_hides_other_accounts(alice: User, mallory: User) -> None:
    assert browser_of(alice).post(page(mallory)).status_code == 404


@pytest.mark.bar(40)
def test_the_page_wants_a_fresh_sign_in(alice: User, carol: User) -> None:
    assert "confirm" in browser_of(alice, fresh=False).post(page(carol)).headers["Location"]
    assert not LoginProfile.objects.filter(user=carol).exists()
