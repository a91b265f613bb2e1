"""The account's name, alias, password policy and the root user's address."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.models import Account, PasswordPolicy, RootUser
from audit.errors import EntityAlreadyExists, InvalidUserType, NoSuchEntity, ValidationError
from audit.models import Event
from identities.models import User
from tests.access.steps import LONG_PASSWORD, is_in, sign_in, sign_in_root
from tests.cast import allow, browser_of, principal_of, root_of

SETTINGS = reverse("accounts:get-account-settings")
NAME, ALIAS = reverse("accounts:put-account-name"), reverse("accounts:create-account-alias")
POLICY, EMAIL = reverse("accounts:update-account-password-policy"), reverse("accounts:start-primary-email-update")
DELETE_ALIAS = reverse("accounts:delete-account-alias")
DELETE_POLICY = reverse("accounts:delete-account-password-policy")


def last(action: str) -> Event:
    return Event.objects.filter(action=action).latest("id")


def test_it_shows_the_settings_to_who_may_read_them(alice: User, bob: User) -> None:
    assert "acme" in browser_of(alice).get(SETTINGS).content.decode()
    assert "iam:GetAccountPasswordPolicy" in browser_of(bob).get(SETTINGS).content.decode()
    allow(bob, "iam:GetAccountPasswordPolicy")
    page = browser_of(bob).get(SETTINGS).content.decode()
    assert "iam:CreateAccountAlias" in page and 'action="/account/alias/"' not in page


def test_root_renames_the_account(acme: Account) -> None:
    assert browser_of(acme).post(NAME, {"name": "  Acme   Rockets "}).headers["Location"] == SETTINGS
    acme.refresh_from_db()
    assert acme.name == "Acme Rockets"
    assert last("account:PutAccountName").detail == {"before": "Acme", "after": "Acme Rockets"}


def test_nobody_else_renames_it(alice: User) -> None:
    with pytest.raises(InvalidUserType):
        services.rename_account(by=principal_of(alice), name="Mine")
    assert browser_of(alice).post(NAME, {"name": "Mine"}).status_code == 400


@pytest.mark.parametrize("name", ["", "   ", "x" * 51, "a\u202eb"])
def test_a_bad_name_is_refused(acme: Account, name: str) -> None:
    with pytest.raises(ValidationError):
        services.rename_account(by=root_of(acme), name=name)


def test_it_sets_and_replaces_the_alias(client: Client, alice: User) -> None:
    browser_of(alice).post(ALIAS, {"alias": "rockets"})
    assert last("iam:CreateAccountAlias").detail == {"before": "acme", "after": "rockets"}
    sign_in(client, account="acme")
    assert not is_in(client)
    sign_in(client, account="rockets")
    assert is_in(client)


def test_an_alias_belongs_to_one_account(acme: Account, globex: Account) -> None:
    page = browser_of(acme).post(ALIAS, {"alias": "globex"})
    assert "globex already exists" in page.content.decode() and page.context["alias_form"]["alias"].value() == "globex"
    acme.refresh_from_db()
    assert acme.alias == "acme"


@pytest.mark.parametrize("alias", ["ab", "Acme", "a--b", "-ab", "ab-", "111122223333", "a" * 64, "a_b"])
def test_a_bad_alias_is_refused(acme: Account, alias: str) -> None:
    with pytest.raises(ValidationError):
        services.create_account_alias(by=root_of(acme), alias=alias)
    assert browser_of(acme).post(ALIAS, {"alias": alias}).context["alias_form"].errors


def test_deleting_the_alias_asks_first_and_wants_the_present_one(alice: User) -> None:
    browser = browser_of(alice)
    assert "stops knowing the account" in browser.get(DELETE_ALIAS).content.decode()
    assert browser.post(DELETE_ALIAS, {"alias": "another"}).status_code == 404
    assert browser.post(DELETE_ALIAS, {"alias": "acme"}).headers["Location"] == SETTINGS
    alice.account.refresh_from_db()
    assert alice.account.alias is None
    with pytest.raises(NoSuchEntity):
        services.delete_account_alias(by=principal_of(alice), alias="acme")


@pytest.mark.bar(5)
def test_a_fresh_policy_has_no_rules_about_kinds_and_no_expiry(alice: User) -> None:
    form = browser_of(alice).get(POLICY).context["form"]
    assert form["minimum_password_length"].value() == 15
    on = [name for name in form.fields if name.startswith("require_") and form[name].value()]
    assert not on and not form["max_password_age"].value() and not form["hard_expiry"].value()
    plain = services.update_account_password_policy(by=principal_of(alice))
    assert services.policy_facts(plain) == {"minimum_password_length": 6, "max_password_age": 0,
        "password_reuse_prevention": 0, "require_symbols": False, "require_numbers": False, "hard_expiry": False,
        "require_uppercase_characters": False, "require_lowercase_characters": False,
        "allow_users_to_change_password": False}  # fmt: skip


def test_it_saves_and_deletes_the_policy(alice: User) -> None:
    browser = browser_of(alice)
    assert (
        browser.post(POLICY, {"minimum_password_length": "14", "password_reuse_prevention": "24"}).headers["Location"]
        == SETTINGS
    )
    policy = PasswordPolicy.objects.get()
    assert (policy.minimum_password_length, policy.password_reuse_prevention, policy.max_password_age) == (14, 24, 0)
    assert last("iam:UpdateAccountPasswordPolicy").detail["after"]["minimum_password_length"] == 14
    assert "built-in ones apply" in browser.get(DELETE_POLICY).content.decode()
    browser.post(DELETE_POLICY)
    assert not PasswordPolicy.objects.exists()
    assert browser.post(DELETE_POLICY).status_code == 404


def test_what_is_left_out_returns_to_its_default(alice: User) -> None:
    by = principal_of(alice)
    services.update_account_password_policy(by=by, minimum_password_length=20, require_numbers=True)
    policy = services.update_account_password_policy(by=by, max_password_age=90)
    assert (policy.minimum_password_length, policy.require_numbers, policy.max_password_age) == (6, False, 90)


@pytest.mark.parametrize(
    ("field", "value"),
    [("minimum_password_length", 5), ("minimum_password_length", 129), ("max_password_age", 1096),
     ("password_reuse_prevention", 25), ("max_password_age", -1)],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(alice: User, field: str, value: int) -> None:
    with pytest.raises(ValidationError) as refused:
        services.update_account_password_policy(by=principal_of(alice), **{field: value})
    assert refused.value.field == field
    page = browser_of(alice).post(POLICY, {"minimum_password_length": 15, field: value})
    assert field in page.context["form"].errors and not PasswordPolicy.objects.exists()


def test_hard_expiry_needs_an_expiry(alice: User) -> None:
    page = browser_of(alice).post(POLICY, {"minimum_password_length": 15, "hard_expiry": "on"})
    assert "hard_expiry" in page.context["form"].errors


def test_a_stale_page_does_not_overwrite_what_somebody_else_saved(alice: User) -> None:
    browser = browser_of(alice)
    opened = browser.get(POLICY).context["form"]["opened"].value()
    services.update_account_password_policy(by=root_of(alice.account), minimum_password_length=30)
    page = browser.post(POLICY, {"minimum_password_length": 15, "opened": opened})
    assert "Somebody else changed the policy" in page.content.decode()
    assert PasswordPolicy.objects.get().minimum_password_length == 30


@pytest.mark.parametrize(
    ("page", "action"),
    [(ALIAS, "iam:CreateAccountAlias"), (DELETE_ALIAS, "iam:DeleteAccountAlias"),
     (POLICY, "iam:UpdateAccountPasswordPolicy"), (DELETE_POLICY, "iam:DeleteAccountPasswordPolicy"),
     (NAME, "account:PutAccountName"), (EMAIL, "account:StartPrimaryEmailUpdate")],
)  # fmt: skip
def test_it_requires_permission(bob: User, page: str, action: str) -> None:
    assert action in browser_of(bob).post(page, {"alias": "acme"}).content.decode()
    assert last(action).outcome == "Denied"
    assert Account.objects.get(pk=bob.account_id).alias == "acme" and not PasswordPolicy.objects.exists()


def test_a_refused_alias_shows_no_policy_to_who_may_not_read_it(bob: User) -> None:
    services.update_account_password_policy(by=root_of(bob.account), minimum_password_length=37)
    allow(bob, "iam:CreateAccountAlias")
    page = browser_of(bob).post(ALIAS, {"alias": "No!"})
    assert page.status_code == 200 and "37 characters" not in page.content.decode()


@pytest.fixture
def mails(mailoutbox: list[Any], django_capture_on_commit_callbacks: Any) -> Any:
    def of(call: Any) -> list[Any]:
        mailoutbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            call()
        return mailoutbox

    return of


def ask_for(browser: Client, email: str, mails: Any) -> str:
    (mail,) = mails(lambda: browser.post(EMAIL, {"email": email}))
    assert mail.to == [email]
    found = re.search(r"http://127\.0\.0\.1:8000(/account/email/\S+)", mail.body)
    return found[1] if found else ""


def test_roots_address_changes_by_the_link_to_the_new_one(client: Client, acme: Account, mails: Any) -> None:
    browser = browser_of(acme)
    link = ask_for(browser, "owner@acme.example", mails)
    assert RootUser.objects.get().email == "root@acme.example"
    assert "owner@acme.example" in browser.get(link).content.decode()
    (notice,) = mails(lambda: browser.post(link))
    assert notice.to == ["root@acme.example"] and "changed to owner@acme.example" in notice.subject
    sign_in_root(client, email="owner@acme.example")
    assert is_in(client)
    assert browser.post(link).status_code == 404


@pytest.mark.bar(17)
def test_the_link_is_roots_own_and_ends_with_the_password(acme: Account, globex: Account, mails: Any) -> None:
    link = ask_for(browser_of(acme), "owner@acme.example", mails)
    assert browser_of(globex).post(link).status_code == 404
    root_user = acme.root_user
    services.change_root_password(by=root_of(acme), root_user=root_user, new_password=LONG_PASSWORD)
    assert browser_of(acme).post(link).status_code == 404


@pytest.mark.bar(9)
def test_the_page_does_not_tell_whose_an_address_is(acme: Account, globex: Account, mails: Any) -> None:
    browser = browser_of(acme)
    assert ask_for(browser, "root@globex.example", mails) == ""
    free = browser.post(EMAIL, {"email": "free@globex.example"})
    taken = browser.post(EMAIL, {"email": "root@globex.example"})
    assert (free.status_code, free.headers["Location"]) == (taken.status_code, taken.headers["Location"])
    with pytest.raises(EntityAlreadyExists):
        services.change_root_email(by=root_of(acme), root_user=acme.root_user, email="ROOT@globex.example")


def test_mails_to_a_new_address_are_few(acme: Account, globex: Account, mails: Any) -> None:
    browser, other = browser_of(acme), browser_of(globex)
    for _ in range(3):
        ask_for(browser, "owner@acme.example", mails)
    for each in (browser, other):
        assert mails(lambda each=each: each.post(EMAIL, {"email": "Owner@acme.example"})) == []
    page = browser.post(EMAIL, {"email": "owner@acme.example"})
    assert "Too many tries. Wait" in page.content.decode() and 'value="owner@acme.example"' in page.content.decode()
    for number in range(7):
        ask_for(browser, f"{number}@acme.example", mails)
    assert mails(lambda: browser.post(EMAIL, {"email": "more@acme.example"})) == []
    ask_for(other, "more@acme.example", mails)


@pytest.mark.bar(40)
def test_roots_address_wants_a_fresh_sign_in(acme: Account, mails: Any) -> None:
    stale = browser_of(acme, fresh=False)
    assert stale.post(EMAIL, {"email": "owner@acme.example"}).headers["Location"].startswith(reverse("access:confirm"))


@pytest.mark.parametrize("email", ["", "owner", "öwner@acme.example", "a b@acme.example"])
def test_a_bad_address_is_refused(acme: Account, email: str) -> None:
    assert browser_of(acme).post(EMAIL, {"email": email}).context["email_form"].errors
