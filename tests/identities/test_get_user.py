import re

import pytest
from django.urls import reverse

from accounts.ids import new_unique_id
from accounts.models import Account
from audit.errors import NoSuchEntity
from identities.models import User, UserTag
from identities.services.access_keys import create_access_key
from identities.services.users import get_user
from policies.models import ManagedPolicy
from tests.cast import allow, browser_of, principal_of


def page(name: str) -> str:
    return reverse("identities:get-user", args=[name])


def test_it_finds_a_name_in_any_case(bob: User) -> None:
    assert get_user(bob.account_id, "BOB") == bob


@pytest.mark.bar(61)
def test_it_finds_nobody_of_another_account(alice: User, mallory: User) -> None:
    with pytest.raises(NoSuchEntity) as refused:
        get_user(alice.account_id, "mallory")
    assert refused.value.message == "The user with name mallory cannot be found."


def test_it_shows_the_facts(alice: User, bob: User) -> None:
    bob.boundary = ManagedPolicy.objects.get(account=None, name="PowerUserAccess")
    bob.save()
    create_access_key(by=principal_of(alice), user=bob)
    text = browser_of(alice).get(page("bob")).content.decode()
    facts = (bob.arn, bob.unique_id, "PowerUserAccess", "Password set", "no device is turned on", "Active, created")
    assert all(fact in text for fact in facts)
    assert f'href="{reverse("audit:lookup-events")}?person=bob"' in text


@pytest.mark.bar(76)
def test_panels_that_one_may_not_see_say_so(alice: User, bob: User) -> None:
    key, _ = create_access_key(by=principal_of(alice), user=alice)
    allow(bob, "iam:GetUser")
    reply = browser_of(bob).get(page("alice"))
    text = reply.content.decode()
    for action in ("iam:GetLoginProfile", "iam:ListMFADevices", "iam:ListAccessKeys"):
        assert action in text
    assert "Active, created" not in text and reverse("identities:delete-user", args=["alice"]) not in text


@pytest.mark.bar(61, 127)
def test_it_hides_other_accounts_and_what_exists(alice: User, bob: User, mallory: User) -> None:
    assert browser_of(alice).get(page("mallory")).status_code == 404
    assert browser_of(alice).get(page("nobody")).status_code == 404
    refused = [browser_of(bob).get(page(name)) for name in ("alice", "nobody", "mallory")]
    assert [reply.status_code for reply in refused] == [403, 403, 403]
    texts = {
        re.sub(r"/why/[\w-]+/", "", reply.content.decode().replace(name, "X")).split("<main")[1].split("</main")[0]
        for reply, name in zip(refused, ("alice", "nobody", "mallory"), strict=True)
    }
    assert len(texts) == 1


def test_a_tag_of_the_user_counts(alice: User, bob: User) -> None:
    allow(bob, "iam:GetUser", Condition={"StringEquals": {"aws:ResourceTag/Team": "Storage"}})
    assert browser_of(bob).get(page("alice")).status_code == 403
    UserTag.objects.create(user=alice, key="Team", value="Storage")
    assert browser_of(bob).get(page("alice")).status_code == 200


@pytest.mark.bar(50)
@pytest.mark.parametrize("tab", ["get-user", "update-user", "delete-user", "list-user-tags", "clone-user"])
def test_hostile_names_are_text_on_every_page(alice: User, acme: Account, tab: str) -> None:
    # Not through the service, which refuses it: an import or an older release might have let it in.
    name = "<img src=x onerror=1>"
    User.objects.create(account=acme, name=name, path="/<b>/", unique_id=new_unique_id("AIDA"))
    text = browser_of(alice).get(reverse(f"identities:{tab}", args=[name])).content.decode()
    assert "<img src" not in text and "&lt;img src=x" in text and "<b>" not in text


@pytest.mark.parametrize("name", ["create", "a+b", "a=b,c", "x@y.example", "-", "_"])
def test_every_name_has_its_page(alice: User, acme: Account, name: str) -> None:
    User.objects.create(account=acme, name=name, unique_id=new_unique_id("AIDA"))
    assert browser_of(alice).get(page(name)).status_code == 200
