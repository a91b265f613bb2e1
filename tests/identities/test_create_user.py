import re
import threading
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import Account
from audit.errors import EntityAlreadyExists, InvalidInput, LimitExceeded, NoSuchEntity, ValidationError
from audit.models import Event
from identities.models import Group, LoginProfile, User
from identities.services.users import create_user
from policies.models import ManagedPolicy
from tests.cast import allow, browser_of, make_account, make_user, principal_of, root_of

CREATE = reverse("identities:create-user")
PERMISSIONS = reverse("identities:create-user-permissions")
REVIEW = reverse("identities:create-user-review")
PLAIN = {"name": "carol", "path": "/"}
WITH_CONSOLE = PLAIN | {"console": "on", "reset": "on", "self_manage": "on"}


def review(state: dict[str, Any]) -> str:
    return REVIEW + "?" + "&".join(f"{key}={value}" for key, value in state.items())


def built_in(name: str) -> ManagedPolicy:
    return ManagedPolicy.objects.get(account=None, name=name)


def test_it_creates_a_user_with_nothing(alice: User) -> None:
    user = create_user(by=principal_of(alice), name="carol", path="/staff/", tags={"Team": "Storage"})
    assert user.arn == "arn:aws:iam::111122223333:user/staff/carol"
    assert user.unique_id.startswith("AIDA") and len(user.unique_id) == 21
    assert list(user.tags.values_list("key", "value")) == [("Team", "Storage")]
    assert not user.attachments.exists() and not hasattr(user, "login_profile")


@pytest.mark.bar(121)
def test_it_records_what_was_made(alice: User) -> None:
    user = create_user(by=principal_of(alice), name="carol", tags={"Team": "Storage"})
    event = Event.objects.get(action="iam:CreateUser")
    assert (event.resource, event.principal_name) == (user.arn, "alice")
    assert event.detail["after"]["unique_id"] == user.unique_id
    assert event.detail["tags"] == {"Team": "Storage"}


@pytest.mark.parametrize("name", ["", "a b", "a/b", "é", "x" * 65, "a\nb", "<b>"])
def test_it_refuses_bad_names(alice: User, name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        create_user(by=principal_of(alice), name=name)
    assert refused.value.field == "name"


@pytest.mark.parametrize("path", ["staff", "/staff", "/a b/", "//" + "x" * 511])
def test_it_refuses_bad_paths(alice: User, path: str) -> None:
    with pytest.raises(ValidationError):
        create_user(by=principal_of(alice), name="carol", path=path)


def test_it_refuses_bad_tags(alice: User) -> None:
    for tags in ({"aws:x": "1"}, {"Team": "1", "team": "2"}, {f"k{n}": "" for n in range(51)}):
        with pytest.raises(InvalidInput):
            create_user(by=principal_of(alice), name="carol", tags=tags)


def test_names_ignore_case(alice: User, bob: User) -> None:
    with pytest.raises(EntityAlreadyExists) as refused:
        create_user(by=principal_of(alice), name="BOB")
    assert refused.value.message == "User with name BOB already exists."


def test_another_account_may_have_the_same_name(alice: User, mallory: User) -> None:
    assert create_user(by=principal_of(mallory), name="alice").account_id == mallory.account_id


@pytest.mark.bar(61)
def test_the_boundary_must_be_of_the_account(alice: User, globex: Account) -> None:
    theirs = ManagedPolicy.objects.create(account=globex, name="Limit", unique_id="ANPA" + "A" * 17)
    with pytest.raises(NoSuchEntity):
        create_user(by=principal_of(alice), name="carol", boundary=theirs)


def test_it_keeps_the_quota(alice: User, acme: Account) -> None:
    acme.quota_overrides = {"users": 2}
    acme.save()
    create_user(by=principal_of(alice), name="carol")
    with pytest.raises(LimitExceeded) as refused:
        create_user(by=principal_of(alice), name="dave")
    assert refused.value.message == "Cannot exceed quota for UsersPerAccount: 2"


@pytest.mark.bar(74)
@pytest.mark.django_db(transaction=True)
def test_the_quota_holds_in_a_race() -> None:
    account = make_account("777788889999", "Race", "race")
    account.quota_overrides = {"users": 3}
    account.save()
    outcomes: list[str] = []

    def create(number: int) -> None:
        try:
            create_user(by=root_of(account), name=f"user{number}")
            outcomes.append("made")
        except LimitExceeded:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=create, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made"] * 3 + ["refused"] * 7
    assert User.objects.filter(account=account).count() == 3


def test_the_first_step_leads_on_with_what_was_typed(alice: User) -> None:
    reply = browser_of(alice).get(CREATE, WITH_CONSOLE | {"tags": "Team=Storage", "go": "permissions"})
    assert reply.status_code == 302 and reply.headers["Location"].startswith(PERMISSIONS)
    assert (
        "name=carol" in reply.headers["Location"]
        and "tags=Team%3DStorage" in reply.headers["Location"]
        and "console=on" in reply.headers["Location"]
    )


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": "a b"}, "can&#x27;t contain a space"),
        ({"name": ".."}, "needs more than dots"),
        ({"name": "bob"}, "User with name bob already exists."),
        ({"name": "carol", "path": "staff"}, "A path begins and ends with /"),
        ({"name": "carol", "tags": "Team"}, "write it as Key=Value"),
    ],
)
def test_the_first_step_shows_mistakes_and_keeps_what_was_typed(
    alice: User, bob: User, typed: dict[str, str], sentence: str
) -> None:
    text = browser_of(alice).get(CREATE, typed | {"go": "permissions"}).content.decode()
    assert sentence in text
    assert all(value in text for value in typed.values())


def test_the_first_step_keeps_the_choices_of_the_second(alice: User) -> None:
    text = browser_of(alice).get(CREATE, PLAIN | {"groups": "developers", "way": "groups"}).content.decode()
    assert '<input type="hidden" name="groups" value="developers">' in text


def test_an_administrator_starts_with_console_access_and_the_policy(acme: Account) -> None:
    browser = browser_of(acme)
    assert "administrator" in browser.get(CREATE + "?administrator=1").content.decode()
    state = WITH_CONSOLE | {"administrator": "1", "go": "permissions"}
    text = browser.get(CREATE, state, follow=True).content.decode()
    assert f'value="{built_in("AdministratorAccess").arn}" checked' in text


def test_who_unticked_the_administrator_policy_is_believed(acme: Account) -> None:
    state = WITH_CONSOLE | {"administrator": "1", "way": "policies", "go": "permissions"}
    assert "AdministratorAccess" not in browser_of(acme).get(CREATE, state).headers["Location"]


def test_search_keeps_what_was_ticked(alice: User, acme: Account) -> None:
    for name in ("readers", "writers"):
        Group.objects.create(account=acme, name=name, unique_id=f"AGPA{name:A<17}")
    state = PLAIN | {"way": "groups", "shown": "groups", "groups": "readers", "q": "wri"}
    text = browser_of(alice).get(PERMISSIONS, state, headers={"HX-Request": "true"}).content.decode()
    assert 'value="readers" checked' in text and 'value="writers">' in text
    assert "<html" not in text


def test_a_list_that_may_not_be_seen_says_so(bob: User) -> None:
    allow(bob, "iam:CreateUser")
    text = browser_of(bob).get(PERMISSIONS, PLAIN | {"way": "groups"}).content.decode()
    assert "iam:ListGroups" in text


def test_it_creates_with_everything_chosen(alice: User, acme: Account) -> None:
    group = Group.objects.create(account=acme, name="readers", unique_id="AGPA" + "A" * 17)
    policy, limit = built_in("SecurityAudit"), built_in("PowerUserAccess")
    state = WITH_CONSOLE | {"groups": "readers", "policies": policy.arn, "boundary": limit.arn, "tags": "Team=Storage"}
    reply = browser_of(alice).post(review(state))
    user = User.objects.get(name="carol")
    assert reply.status_code == 200 and user.boundary == limit
    assert [membership.group for membership in user.memberships.all()] == [group]
    attached = {attachment.policy.name for attachment in user.attachments.all()}
    assert attached == {"SecurityAudit", "IAMSelfManageCredentials"}
    assert user.login_profile.password_reset_required


def test_without_console_access_there_is_no_password(alice: User) -> None:
    text = browser_of(alice).post(review(PLAIN | {"self_manage": "on"})).content.decode()
    assert not LoginProfile.objects.filter(user__name="carol").exists()
    assert not User.objects.get(name="carol").attachments.exists()
    assert "can’t sign in" in text or "can't sign in" in text


@pytest.mark.bar(78)
def test_the_password_is_shown_once_and_works(alice: User) -> None:
    browser = browser_of(alice)
    reply = browser.post(review(WITH_CONSOLE))
    password = reply.context["password"]
    assert User.objects.get(name="carol").login_profile.check_password(password)
    assert password in unescape(reply.content.decode()) and reply.headers["Cache-Control"] == "no-store"
    assert "http://" in reply.context["sign_in_address"] and reply.context["sign_in_address"].endswith("/signin/acme/")
    later = browser.get(reverse("identities:get-user", args=["carol"]))
    assert password not in unescape(later.content.decode())
    assert not any(password in str(event.detail) for event in Event.objects.all())


@pytest.mark.bar(55)
def test_the_file_holds_no_formula(alice: User) -> None:
    reply = browser_of(alice).post(review(WITH_CONSOLE | {"name": "%3D1%2B1"}))
    assert reply.context["csv"].splitlines()[1].startswith("'=1+1,")


def test_it_requires_permission(bob: User) -> None:
    for address in (CREATE, PERMISSIONS, review(PLAIN)):
        assert browser_of(bob).get(address).status_code == 403
    assert browser_of(bob).post(review(PLAIN)).status_code == 403


@pytest.mark.bar(40)
@pytest.mark.parametrize("method", ["get", "post"])
def test_it_asks_for_a_fresh_sign_in(alice: User, method: str) -> None:
    reply = getattr(browser_of(alice, fresh=False), method)(review(WITH_CONSOLE))
    assert reply.status_code == 302 and reply.headers["Location"].startswith(reverse("access:confirm"))
    assert not User.objects.filter(name="carol").exists()


ONE_BY_ONE = {
    "iam:CreateUser": {},
    "iam:TagUser": {"tags": "Team=Storage"},
    "iam:CreateLoginProfile": {"console": "on"},
    "iam:AddUserToGroup": {"groups": "readers"},
    "iam:AttachUserPolicy": {"policies": "arn:aws:iam::aws:policy/SecurityAudit"},
    "iam:PutUserPermissionsBoundary": {"boundary": "arn:aws:iam::aws:policy/PowerUserAccess"},
}


@pytest.mark.bar(58, 65)
@pytest.mark.parametrize("missing", ONE_BY_ONE)
def test_one_missing_permission_refuses_all(bob: User, acme: Account, missing: str) -> None:
    Group.objects.create(account=acme, name="readers", unique_id="AGPA" + "A" * 17)
    allow(bob, [action for action in ONE_BY_ONE if action != missing])
    allow(bob, missing, "arn:aws:iam::111122223333:user/nobody", name="nearly")
    state = PLAIN | ONE_BY_ONE[missing]
    shown = browser_of(bob).get(review(state)).content.decode()
    assert missing in shown and "Create user</button>" not in shown
    reply = browser_of(bob).post(review(state))
    assert reply.status_code == 403 and missing in reply.content.decode()
    assert not User.objects.filter(name="carol").exists()


def test_conditions_see_the_boundary_the_tags_and_the_policy(bob: User) -> None:
    limit, policy = built_in("PowerUserAccess").arn, built_in("SecurityAudit").arn
    bounded = {"StringEquals": {"iam:PermissionsBoundary": limit, "aws:RequestTag/Team": "Storage"}}
    allow(bob, "iam:CreateUser", Condition=bounded)
    allow(bob, ["iam:TagUser", "iam:PutUserPermissionsBoundary"], name="more")
    attach = {"ArnEquals": {"iam:PolicyARN": policy}, "StringEquals": {"iam:PermissionsBoundary": limit}}
    allow(bob, "iam:AttachUserPolicy", name="attach", Condition=attach)
    state = PLAIN | {"boundary": limit, "tags": "Team=Storage", "policies": policy}
    assert browser_of(bob).post(review(state | {"boundary": ""})).status_code == 403
    assert browser_of(bob).post(review(state | {"tags": "Team=Other"})).status_code == 403
    assert browser_of(bob).post(review(state | {"policies": built_in("IAMFullAccess").arn})).status_code == 403
    assert browser_of(bob).post(review(state)).status_code == 200


@pytest.mark.bar(75)
def test_a_failure_in_the_middle_leaves_nothing(alice: User, acme: Account) -> None:
    acme.quota_overrides = {"policies_per_user": 1}
    acme.save()
    before = Event.objects.count()
    reply = browser_of(alice).post(review(WITH_CONSOLE | {"policies": built_in("SecurityAudit").arn}))
    assert reply.status_code == 409 and "SecurityAudit" in reply.content.decode()
    assert not User.objects.filter(name="carol").exists()
    assert Event.objects.count() == before


def test_a_group_that_went_away_is_named(alice: User) -> None:
    state = PLAIN | {"groups": "gone"}
    assert "The group with name gone cannot be found." in browser_of(alice).get(review(state)).content.decode()
    assert browser_of(alice).post(review(state)).status_code == 409
    assert not User.objects.filter(name="carol").exists()


@pytest.mark.bar(61)
def test_groups_and_policies_of_another_account_are_missing(alice: User, globex: Account) -> None:
    Group.objects.create(account=globex, name="theirs", unique_id="AGPA" + "B" * 17)
    theirs = ManagedPolicy.objects.create(account=globex, name="Theirs", unique_id="ANPA" + "B" * 17)
    for state in ({"groups": "theirs"}, {"policies": theirs.arn}, {"boundary": theirs.arn}):
        assert browser_of(alice).post(review(PLAIN | state)).status_code == 409
    assert not User.objects.filter(name="carol").exists()


@pytest.mark.bar(62)
def test_further_fields_change_nothing(alice: User, globex: Account, mallory: User) -> None:
    more = {"account": globex.id, "account_id": globex.id, "unique_id": mallory.unique_id, "password": "mine"}
    more |= {"name": "eve", "groups": "admins", "boundary": "x", "created_at": "1999-01-01"}
    reply = browser_of(alice).post(review(WITH_CONSOLE), more)
    user = User.objects.get(name="carol")
    assert reply.status_code == 200 and user.account_id == alice.account_id
    assert user.unique_id != mallory.unique_id and user.created_at.year > 1999
    assert not user.login_profile.check_password("mine")
    assert not User.objects.filter(name="eve").exists()


def test_a_name_taken_meanwhile_is_said_on_the_review(alice: User, acme: Account) -> None:
    make_user(acme, "carol")
    reply = browser_of(alice).post(review(PLAIN))
    assert reply.status_code == 409 and "User with name carol already exists." in reply.content.decode()


def test_two_boundaries_are_refused(alice: User, bob: User) -> None:
    bob.boundary = built_in("PowerUserAccess")
    bob.save()
    cloned = {"source": "bob", "reviewed": "bob", "items": f"boundary:{bob.boundary.arn}"}
    reply = browser_of(alice).post(review(PLAIN | cloned | {"boundary": built_in("SecurityAudit").arn}))
    assert reply.status_code == 409 and "one permissions boundary" in reply.content.decode()


@pytest.mark.bar(61, 127)
def test_who_may_not_give_a_thing_does_not_learn_whether_it_is_there(bob: User, acme: Account) -> None:
    Group.objects.create(account=acme, name="Finance", path="/secret/", unique_id="AGPA" + "F" * 17)
    ManagedPolicy.objects.create(account=acme, name="Payroll", unique_id="ANPA" + "F" * 17)
    allow(bob, "iam:CreateUser")
    own = f"arn:aws:iam::{acme.id}:policy"
    there = {"groups": ["finance"], "policies": [f"{own}/Payroll"], "boundary": f"{own}/Payroll"}
    missing = {"groups": ["fantasy"], "policies": [f"{own}/Phantom"], "boundary": f"{own}/Phantom"}
    pages = [refused_page(bob, choices) for choices in (there, missing)]
    assert pages[0].replace("finance", "fantasy").replace("Payroll", "Phantom") == pages[1]


def refused_page(user: User, choices: dict[str, Any]) -> str:
    reply = browser_of(user).get(reverse("identities:create-user-review"), {"name": "new", "path": "/", **choices})
    return re.sub(r'(csrfmiddlewaretoken" value="|X-CSRFToken": ")[^"]+', "", reply.content.decode())
