import pytest
from django.urls import reverse

from audit.errors import NoSuchEntity
from audit.models import Event
from identities.models import AccessKey, User
from identities.services.access_keys import create_access_key, delete_access_key, update_access_key
from tests.cast import allow, browser_of, principal_of


@pytest.fixture
def key(bob: User) -> AccessKey:
    return create_access_key(by=principal_of(bob), user=bob)[0]


def page(user: User, key: AccessKey) -> str:
    return reverse("identities:delete-access-key", args=[user.name, key.pk])


def test_it_deletes_and_records(alice: User, key: AccessKey) -> None:
    delete_access_key(by=principal_of(alice), key=key)
    assert not AccessKey.objects.exists()
    event = Event.objects.get(action="iam:DeleteAccessKey")
    assert event.detail == {"access_key_id": key.access_key_id}


def test_a_second_time_it_is_not_found(alice: User, key: AccessKey) -> None:
    stale = AccessKey.objects.get()
    delete_access_key(by=principal_of(alice), key=key)
    with pytest.raises(NoSuchEntity, match="cannot be found."):
        delete_access_key(by=principal_of(alice), key=stale)


def test_it_makes_room_for_another_one(alice: User, bob: User, key: AccessKey) -> None:
    create_access_key(by=principal_of(alice), user=bob)
    delete_access_key(by=principal_of(alice), key=key)
    assert create_access_key(by=principal_of(alice), user=bob)[0].slot == 1


def test_the_page_asks_to_deactivate_first_and_to_type_the_id(alice: User, bob: User, key: AccessKey) -> None:
    browser = browser_of(alice)
    browser.post(page(bob, key), {"confirmation": key.pk})
    assert AccessKey.objects.exists()
    update_access_key(by=principal_of(alice), key=key, status="Inactive")
    assert "is not this key" in browser.post(page(bob, key), {"confirmation": "bob"}).content.decode()
    assert browser.post(page(bob, key), {"confirmation": key.pk}).status_code == 302
    assert not AccessKey.objects.exists()


def test_the_page_requires_permission(bob: User, key: AccessKey) -> None:
    assert browser_of(bob).get(page(bob, key)).status_code == 403
    allow(bob, "iam:DeleteAccessKey", bob.arn)
    assert browser_of(bob).get(page(bob, key)).status_code == 200


@pytest.mark.bar(61, 62)
def test_a_key_is_reached_only_through_its_owner(alice: User, mallory: User, key: AccessKey) -> None:
    assert browser_of(alice).post(page(alice, key), {"confirmation": key.pk}).status_code == 404
    assert browser_of(mallory).post(page(mallory, key), {"confirmation": key.pk}).status_code == 404
    assert AccessKey.objects.exists()


@pytest.mark.bar(121)
def test_a_page_that_failed_to_delete_is_in_the_trail(alice: User, key: AccessKey) -> None:
    browser = browser_of(alice)
    browser.get(page(alice, key))
    browser.post(page(alice, key), {"confirmation": key.pk})
    tried = Event.objects.get(action="iam:DeleteAccessKey")
    assert (tried.outcome, tried.error_code, tried.resource) == ("Failure", "NoSuchEntity", alice.arn)
