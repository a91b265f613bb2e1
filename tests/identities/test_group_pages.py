"""The pages of groups: what they show, what they ask for, and that they change all or nothing."""

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from audit.models import Event, Outcome
from identities.models import Group, Membership, User
from identities.services import groups
from tests.cast import allow, browser_of, make_user, principal_of

LIST, REVIEW = reverse("identities:list-groups"), reverse("identities:create-group-review")
HOSTILE = "<img src=x onerror=alert(1)>"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def page(name: str, *words: str) -> str:
    return reverse(f"identities:{name}", args=words)


@pytest.fixture
def lookers(alice: User) -> Group:
    return groups.create_group(by=principal_of(alice), name="Lookers")


def test_the_list_searches_sorts_and_pages(alice: User, lookers: Group) -> None:
    for number in range(60):
        groups.create_group(by=principal_of(alice), name=f"team-{number:02d}")
    browser = browser_of(alice)
    assert "Lookers" in browser.get(LIST, {"q": "look"}).content.decode()
    assert "team-00" not in browser.get(LIST, {"q": "look"}).content.decode()
    assert "team-59" in browser.get(LIST, {"sort": "-name"}).content.decode()
    assert "team-59" in browser.get(LIST, {"page": 2}).content.decode()


@pytest.mark.bar(130)
@pytest.mark.parametrize("sort", ["account__root_user__password", "-pk", "?", "name;drop", "users__name"])
def test_a_strange_sort_is_the_usual_one(alice: User, lookers: Group, sort: str) -> None:
    reply = browser_of(alice).get(LIST, {"sort": sort})
    assert reply.status_code == 200 and reply.context["sort"] == "name"


@pytest.mark.parametrize("address", [LIST, "/identities/group/Lookers/"])
def test_a_long_list_costs_as_many_queries_as_a_short_one(
    alice: User, lookers: Group, address: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    browser = browser_of(alice)

    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            group = groups.create_group(by=principal_of(alice), name=f"team-{number}")
            user = make_user(alice.account, f"user-{number}", console=False)
            Membership.objects.create(user=user, group=group, slot=1)
            Membership.objects.create(user=user, group=lookers, slot=2)

    fill(0, 2)
    browser.get(address)
    with django_assert_max_num_queries(12) as few:
        browser.get(address)
    fill(2, 40)
    with django_assert_max_num_queries(len(few.captured_queries)):
        browser.get(address)


def test_creating_asks_for_each_part_and_does_all_of_it(alice: User, bob: User) -> None:
    query = f"?name=Lookers&path=/&policies={READ_ONLY}&users=bob"
    assert browser_of(alice).post(REVIEW + query).status_code == 302
    group = Group.objects.get()
    assert group.attachments.get().policy.name == "ReadOnlyAccess" and group.memberships.get().user == bob


@pytest.mark.bar(75)
@pytest.mark.parametrize("missing", ["iam:AttachGroupPolicy", "iam:AddUserToGroup", "iam:CreateGroup"])
def test_creating_without_one_of_the_permissions_makes_nothing(alice: User, bob: User, missing: str) -> None:
    allow(bob, {"iam:AttachGroupPolicy", "iam:AddUserToGroup", "iam:CreateGroup"} - {missing})
    reply = browser_of(bob).post(f"{REVIEW}?name=Lookers&path=/&policies={READ_ONLY}&users=alice")
    assert reply.status_code == 403 and not Group.objects.exists()
    assert Event.objects.filter(action=missing, outcome=Outcome.DENIED).exists()


@pytest.mark.bar(75)
def test_creating_with_something_missing_makes_nothing(alice: User) -> None:
    reply = browser_of(alice).post(f"{REVIEW}?name=Lookers&path=/&policies={READ_ONLY}&users=nobody-here")
    assert reply.status_code == 409 and not Group.objects.exists()


@pytest.mark.bar(61, 127)
@pytest.mark.parametrize("name", ["get-group", "update-group", "delete-group", "add-user-to-group"])
def test_another_accounts_group_is_as_one_that_is_not_there(
    mallory: User, acme: Account, alice: User, lookers: Group, name: str
) -> None:
    browser = browser_of(mallory)
    theirs, missing = browser.get(page(name, "Lookers")), browser.get(page(name, "Missing"))
    assert theirs.status_code == missing.status_code == 404


@pytest.mark.bar(127)
def test_a_refusal_does_not_tell_whether_a_group_is_there(bob: User, alice: User, lookers: Group) -> None:
    browser = browser_of(bob)
    groups.update_group(by=principal_of(alice), group=lookers, new_path="/secret/")
    there, missing = (browser.get(page("get-group", name)) for name in ("Lookers", "Nothing"))
    assert there.status_code == missing.status_code == 403
    assert "/secret/" not in there.content.decode()


def test_several_join_and_several_leave(alice: User, bob: User, lookers: Group) -> None:
    make_user(alice.account, "carol", console=False)
    browser = browser_of(alice)
    browser.post(page("add-user-to-group", "Lookers"), {"users": ["bob", "carol"]})
    assert lookers.memberships.count() == 2
    assert "bob" in browser.get(page("remove-user-from-group", "Lookers"), {"users": ["bob"]}).content.decode()
    browser.post(page("remove-user-from-group", "Lookers"), {"users": ["bob"]})
    assert lookers.memberships.get().user.name == "carol"


def test_moving_between_groups_in_one_step(alice: User, bob: User, lookers: Group) -> None:
    groups.create_group(by=principal_of(alice), name="Writers")
    groups.add_user_to_group(by=principal_of(alice), group=lookers, user=bob)
    browser_of(alice).post(page("move-user-review", "bob") + "?leave=Lookers&join=Writers")
    assert [membership.group.name for membership in bob.memberships.all()] == ["Writers"]


@pytest.mark.bar(75)
def test_moving_without_one_of_the_permissions_changes_nothing(alice: User, bob: User, lookers: Group) -> None:
    groups.create_group(by=principal_of(alice), name="Writers")
    groups.add_user_to_group(by=principal_of(alice), group=lookers, user=bob)
    allow(bob, ["iam:ListGroupsForUser", "iam:RemoveUserFromGroup"])
    reply = browser_of(bob).post(page("move-user-review", "bob") + "?leave=Lookers&join=Writers")
    assert reply.status_code == 403
    assert [membership.group.name for membership in bob.memberships.all()] == ["Lookers"]


def test_renaming_needs_both_names(alice: User, bob: User, lookers: Group) -> None:
    allow(bob, ["iam:UpdateGroup", "iam:GetGroup"], "arn:aws:iam::*:group/Lookers")
    form = {"name": "Watchers", "path": "/", "opened_path": "/"}
    assert browser_of(bob).post(page("update-group", "Lookers"), form).status_code == 403
    assert browser_of(alice).post(page("update-group", "Lookers"), form).status_code == 302
    assert Group.objects.get().name == "Watchers"


def test_a_stale_page_says_so_and_keeps_what_was_typed(alice: User, lookers: Group) -> None:
    groups.update_group(by=principal_of(alice), group=lookers, new_path="/eng/")
    form = {"name": "Typed", "path": "/x/", "opened_path": "/"}
    text = browser_of(alice).post(page("update-group", "Lookers"), form).content.decode()
    assert "Somebody moved this group" in text and 'value="Typed"' in text


def test_deleting_asks_for_the_name(alice: User, lookers: Group) -> None:
    browser = browser_of(alice)
    seen = browser.get(page("delete-group", "Lookers")).context["form"].initial["seen"]
    assert "Type the name" in browser.post(page("delete-group", "Lookers"), {"seen": seen}).content.decode()
    browser.post(page("delete-group", "Lookers"), {"confirmation": "Lookers", "seen": seen})
    assert not Group.objects.exists()


@pytest.mark.bar(50)
def test_hostile_text_is_shown_as_text(alice: User, lookers: Group) -> None:
    Group.objects.update(path=f"/{HOSTILE}/".replace(" ", ""))
    for address in (LIST, page("get-group", "Lookers"), page("delete-group", "Lookers")):
        assert "<img" not in browser_of(alice).get(address).content.decode()
