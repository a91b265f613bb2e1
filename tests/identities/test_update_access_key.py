import pytest
from django.urls import reverse

from audit.errors import NoSuchEntity, ValidationError
from audit.models import Event
from identities.models import AccessKey, User
from identities.services.access_keys import create_access_key, get_access_key, update_access_key
from tests.cast import allow, browser_of, principal_of


@pytest.fixture
def key(bob: User) -> AccessKey:
    return create_access_key(by=principal_of(bob), user=bob)[0]


def page(user: User, key: AccessKey) -> str:
    return reverse("identities:update-access-key", args=[user.name, key.pk])


def test_it_deactivates_and_activates(alice: User, key: AccessKey) -> None:
    for status in ("Inactive", "Active"):
        update_access_key(by=principal_of(alice), key=key, status=status)
        assert AccessKey.objects.get().status == status


def test_it_refuses_other_statuses(alice: User, key: AccessKey) -> None:
    with pytest.raises(ValidationError, match="“Expired”"):
        update_access_key(by=principal_of(alice), key=key, status="Expired")


def test_it_records_before_and_after(alice: User, key: AccessKey) -> None:
    update_access_key(by=principal_of(alice), key=key, status="Inactive")
    event = Event.objects.get(action="iam:UpdateAccessKey")
    assert event.detail == {"access_key_id": key.pk, "before": "Active", "after": "Inactive"}


def test_a_key_that_is_gone_is_not_found(alice: User, key: AccessKey) -> None:
    AccessKey.objects.all().delete()
    with pytest.raises(NoSuchEntity):
        update_access_key(by=principal_of(alice), key=key, status="Inactive")


@pytest.mark.bar(61)
def test_another_accounts_key_is_answered_like_a_missing_one(mallory: User, key: AccessKey) -> None:
    for access_key_id in (key.pk, "AKIAAAAAAAAAAAAAAAAA"):
        with pytest.raises(NoSuchEntity) as refused:
            get_access_key(mallory.account_id, access_key_id)
        assert refused.value.message == f"The Access Key with id {access_key_id} cannot be found."


def test_the_page_changes_the_status(alice: User, bob: User, key: AccessKey) -> None:
    reply = browser_of(alice).post(page(bob, key), {"status": "Inactive"}, follow=True)
    assert "Inactive" in reply.content.decode()
    assert not AccessKey.objects.get().is_active


def test_the_page_refuses_other_statuses(alice: User, bob: User, key: AccessKey) -> None:
    reply = browser_of(alice).post(page(bob, key), {"status": "Expired"})
    assert reply.status_code == 400 and "“Expired”" in reply.content.decode()


def test_the_page_requires_permission(bob: User, alice: User, key: AccessKey) -> None:
    assert browser_of(bob).post(page(bob, key), {"status": "Inactive"}).status_code == 403
    allow(bob, "iam:UpdateAccessKey", bob.arn)
    assert browser_of(bob).post(page(bob, key), {"status": "Inactive"}).status_code == 302


@pytest.mark.bar(61, 62)
def test_a_key_is_reached_only_through_its_owner(alice: User, bob: User, mallory: User, key: AccessKey) -> None:
    assert browser_of(alice).post(page(alice, key), {"status": "Inactive"}).status_code == 404
    assert browser_of(mallory).post(page(mallory, key), {"status": "Inactive"}).status_code == 404
    assert AccessKey.objects.get().is_active


def test_only_a_form_that_was_sent_changes_something(alice: User, bob: User, key: AccessKey) -> None:
    assert browser_of(alice).get(page(bob, key)).status_code == 405
