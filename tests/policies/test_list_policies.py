import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from identities.models import User, UserAttachment
from policies import services
from policies.models import ManagedPolicy
from tests.cast import allow, browser_of, make_user, principal_of
from tests.policies.documents import ALLOW

PAGE = reverse("policies:list-policies")
BUILT_IN = 9


def make(by: User, *names: str) -> list[ManagedPolicy]:
    return [services.create_policy(by=principal_of(by), name=name, document=ALLOW) for name in names]


def names(browser: Client, **query: str) -> list[str]:
    return [row.policy.name for row in browser.get(PAGE, query).context["rows"]]


def test_it_lists_own_and_built_in_policies(alice: User) -> None:
    make(alice, "zebra", "aardvark")
    found = names(browser_of(alice))
    assert len(found) == BUILT_IN + 2 and found[0] == "aardvark" and found[-1] == "zebra"
    assert names(browser_of(alice), kind="own") == ["aardvark", "zebra"]
    assert len(names(browser_of(alice), kind="built-in")) == BUILT_IN


def test_it_searches_names_and_descriptions_in_any_case(alice: User) -> None:
    make(alice, "Zebra")
    assert names(browser_of(alice), q="zEB") == ["Zebra"]
    assert names(browser_of(alice), q="every action on every") == ["AdministratorAccess"]
    assert b"No policy fits this search" in browser_of(alice).get(PAGE, {"q": "nothing-like-it"}).content


def test_it_counts_uses_in_this_account_only(alice: User, mallory: User) -> None:
    administrators = ManagedPolicy.objects.get(name="AdministratorAccess")
    limited = make_user(alice.account, "limited", console=False)
    User.objects.filter(pk=limited.pk).update(boundary=administrators)
    (row,) = [row for row in browser_of(alice).get(PAGE).context["rows"] if row.policy == administrators]
    assert (row.uses.users, row.uses.groups, row.uses.boundaries) == (1, 0, 1)
    assert names(browser_of(alice), kind="used") == ["AdministratorAccess"]
    assert "AdministratorAccess" not in names(browser_of(alice), kind="unused")


@pytest.mark.parametrize("sort", ["uses", "-uses", "changed", "-changed", "-name"])
def test_it_sorts(alice: User, sort: str) -> None:
    make(alice, "newest")
    found = names(browser_of(alice), sort=sort)
    expected = {"uses": (-1, "AdministratorAccess"), "-uses": (0, "AdministratorAccess")}
    place, name = expected.get(sort, (0, "newest") if sort == "-changed" else (0, found[0]))
    assert found[place] == name and len(found) == BUILT_IN + 1


@pytest.mark.bar(130)
@pytest.mark.parametrize("query", [{"sort": "account__root_user__password"}, {"kind": "versions__document"}])
def test_sorting_and_filtering_know_only_their_own_words(alice: User, query: dict[str, str]) -> None:
    assert names(browser_of(alice), **query) == names(browser_of(alice))


def test_it_pages(alice: User) -> None:
    make(alice, *(f"policy-{number:02}" for number in range(50)))
    assert len(names(browser_of(alice))) == 50
    assert len(names(browser_of(alice), page="2")) == BUILT_IN


def test_it_asks_the_same_number_of_questions_however_many(alice: User, bob: User) -> None:
    make(alice, "first")
    browser = browser_of(alice)
    with CaptureQueriesContext(connection) as few:
        browser.get(PAGE)
    for slot, policy in enumerate(make(alice, *(f"policy-{number}" for number in range(9))), start=1):
        UserAttachment.objects.create(user=bob, policy=policy, slot=slot)
    with CaptureQueriesContext(connection) as many:
        browser.get(PAGE)
    assert len(few) == len(many) <= 16


@pytest.mark.bar(61)
def test_it_hides_other_accounts(alice: User, mallory: User) -> None:
    make(mallory, "secret-plan")
    assert "secret-plan" not in names(browser_of(alice))
    assert browser_of(alice).get(reverse("policies:get-policy", args=["own", "secret-plan"])).status_code == 404


def test_it_requires_permission(bob: User) -> None:
    assert browser_of(bob).get(PAGE).status_code == 403
    allow(bob, "iam:ListPolicies")
    assert browser_of(bob).get(PAGE).status_code == 200
