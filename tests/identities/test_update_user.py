import pytest
from django.urls import reverse

from accounts.models import Account
from audit.errors import EntityAlreadyExists, NoSuchEntity, ValidationError
from audit.models import Event
from identities.models import Group, Membership, User
from identities.services.access_keys import create_access_key
from identities.services.users import update_user
from tests.cast import allow, browser_of, principal_of


def page(name: str) -> str:
    return reverse("identities:update-user", args=[name])


NEW = {"name": "robert", "path": "/staff/", "opened_path": "/"}


def test_it_keeps_everything_but_the_name(alice: User, bob: User, acme: Account) -> None:
    group = Group.objects.create(account=acme, name="readers", unique_id="AGPA" + "A" * 17)
    Membership.objects.create(user=bob, group=group, slot=1)
    key, _ = create_access_key(by=principal_of(alice), user=bob)
    changed = update_user(by=principal_of(alice), user=bob, new_name="robert", new_path="/staff/")
    assert changed.arn == "arn:aws:iam::111122223333:user/staff/robert"
    assert (changed.pk, changed.unique_id) == (bob.pk, bob.unique_id)
    assert changed.memberships.get().group == group and changed.access_keys.get() == key
    assert changed.login_profile.check_password is not None


@pytest.mark.bar(121)
def test_it_records_before_and_after(alice: User, bob: User) -> None:
    update_user(by=principal_of(alice), user=bob, new_name="robert")
    event = Event.objects.get(action="iam:UpdateUser")
    assert event.resource == bob.arn
    assert (event.detail["before"]["name"], event.detail["after"]["name"]) == ("bob", "robert")


def test_it_refuses_a_name_that_is_taken_in_any_case(alice: User, bob: User) -> None:
    with pytest.raises(EntityAlreadyExists) as refused:
        update_user(by=principal_of(alice), user=bob, new_name="ALICE")
    assert refused.value.message == "User with name ALICE already exists."


def test_only_the_case_of_a_name_can_change(alice: User, bob: User) -> None:
    assert update_user(by=principal_of(alice), user=bob, new_name="Bob").name == "Bob"


@pytest.mark.bar(66)
def test_the_new_values_are_checked_as_at_creation(alice: User, bob: User) -> None:
    for bad in ({"new_name": "a b"}, {"new_path": "staff"}):
        with pytest.raises(ValidationError):
            update_user(by=principal_of(alice), user=bob, **bad)


def test_a_user_that_went_away_is_said(alice: User, bob: User) -> None:
    User.objects.filter(pk=bob.pk).delete()
    with pytest.raises(NoSuchEntity):
        update_user(by=principal_of(alice), user=bob, new_name="robert")


def test_the_page_renames_and_goes_to_the_new_address(alice: User, bob: User) -> None:
    reply = browser_of(alice).post(page("bob"), NEW)
    assert reply.status_code == 302 and reply.headers["Location"] == reverse("identities:get-user", args=["robert"])


def test_a_mistake_is_shown_at_the_field_and_what_was_typed_stays(alice: User, bob: User) -> None:
    text = browser_of(alice).post(page("bob"), NEW | {"name": "rob ert"}).content.decode()
    assert "can&#x27;t contain a space" in text and 'value="rob ert"' in text


def test_it_needs_permission_on_both_names(alice: User, bob: User) -> None:
    arn = "arn:aws:iam::111122223333:user"
    assert browser_of(bob).post(page("alice"), NEW).status_code == 403
    allow(bob, "iam:UpdateUser", f"{arn}/alice")
    assert browser_of(bob).post(page("alice"), NEW).status_code == 403
    allow(bob, "iam:UpdateUser", f"{arn}/staff/robert")
    assert browser_of(bob).post(page("alice"), NEW).status_code == 403
    allow(bob, "iam:UpdateUser", [f"{arn}/alice", f"{arn}/staff/robert"])
    assert browser_of(bob).post(page("alice"), NEW).status_code == 302


@pytest.mark.bar(61)
def test_it_hides_other_accounts(alice: User, mallory: User) -> None:
    assert browser_of(alice).post(page("mallory"), NEW).status_code == 404
    mallory.refresh_from_db()
    assert mallory.name == "mallory"


@pytest.mark.bar(62)
def test_further_fields_change_nothing(alice: User, bob: User, globex: Account) -> None:
    more = {"account": globex.id, "account_id": globex.id, "unique_id": "AIDAX", "user": "alice", "boundary": "1"}
    browser_of(alice).post(page("bob"), NEW | more)
    changed = User.objects.get(pk=bob.pk)
    assert (changed.account_id, changed.unique_id, changed.boundary) == (bob.account_id, bob.unique_id, None)


def test_a_stale_page_says_so(alice: User, bob: User) -> None:
    update_user(by=principal_of(alice), user=bob, new_path="/elsewhere/")
    text = browser_of(alice).post(page("bob"), NEW).content.decode()
    assert "Somebody moved this user to /elsewhere/" in text
    bob.refresh_from_db()
    assert (bob.name, bob.path) == ("bob", "/elsewhere/")
