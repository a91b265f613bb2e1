import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from audit import clock
from audit.models import Event
from identities.models import AccessKey, User
from identities.services.access_keys import create_access_key, note_use, update_access_key
from policies.models import ManagedPolicy
from tests.cast import ACME, allow, browser_of, make_account, make_user, principal_of, root_of

LIST, CREATE = reverse("access:my-access-keys"), reverse("access:create-my-access-key")
OWN = ["iam:ListAccessKeys", "iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey"]


def seen(browser: Client) -> str:
    return str(browser.get(CREATE).context["form"].present)


def make(browser: Client, **more: str) -> Any:
    return browser.post(CREATE, {"seen": seen(browser), **more})


def key_of(user: User) -> AccessKey:
    return create_access_key(by=principal_of(user), user=user)[0]


def page(action: str, key: AccessKey) -> str:
    return reverse(f"access:{action}-my-access-key", args=[key.pk])


@pytest.mark.bar(78, 43, 54)
def test_the_secret_is_shown_once(alice: User) -> None:
    browser = browser_of(alice)
    reply = make(browser)
    secret = reply.context["secret"]
    assert secret in reply.content.decode() and secret not in reply.wsgi_request.get_full_path()
    assert reply.headers["Cache-Control"] == "no-store"
    assert secret not in browser.get(LIST).content.decode() + browser.get(CREATE).content.decode()
    assert reply.context["file_name"] == "alice_accessKeys.csv"


@pytest.mark.bar(78)
def test_reloading_the_page_of_the_secret_makes_no_other_key(alice: User) -> None:
    browser = browser_of(alice)
    before = seen(browser)
    browser.post(CREATE, {"seen": before})
    again = browser.post(CREATE, {"seen": before})
    assert "have changed since" in again.content.decode()
    assert alice.access_keys.count() == 1
    assert browser.post(CREATE, {"seen": again.context["form"].present}).context["secret"]


@pytest.mark.bar(84)
def test_a_third_key_is_refused_with_the_ways_out(alice: User) -> None:
    browser = browser_of(alice)
    before = seen(browser)
    first, second = key_of(alice), key_of(alice)
    for reply in (browser.get(CREATE), browser.post(CREATE, {"seen": before})):
        text = reply.content.decode()
        assert "There can't be a third access key." in text
        assert all(way in text for way in (page("delete", first), page("delete", second)))
        assert reverse("access:rotate-my-access-key") in text
    assert alice.access_keys.count() == 2


@pytest.mark.bar(74, 84)
@pytest.mark.django_db(transaction=True)
def test_two_browsers_at_once_get_one_key_and_one_explanation() -> None:
    bob = make_user(make_account(ACME, "Acme", "acme"), "bob")
    allow(bob, OWN, bob.arn)
    key_of(bob)
    browsers, replies = [browser_of(bob) for _ in range(4)], []
    before, start = seen(browsers[0]), threading.Barrier(4)

    def send(browser: Client) -> None:
        start.wait()
        replies.append(browser.post(CREATE, {"seen": before}).content.decode())
        connection.close()

    threads = [threading.Thread(target=send, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [sum(words in reply for reply in replies) for words in ("only time", "third access key")] == [1, 3]
    assert bob.access_keys.count() == 2


def test_it_shows_age_status_and_use(alice: User) -> None:
    key = key_of(alice)
    AccessKey.objects.update(created_at=clock.now() - timedelta(days=100))
    note_use(key, service="sts", region="eu-west-1", address="192.0.2.10")
    text = browser_of(alice).get(LIST).content.decode()
    assert all(part in text for part in ("3 months ago", "Active", "just now", "for sts in eu-west-1"))


@pytest.mark.bar(76)
def test_use_is_shown_by_its_own_permission(bob: User) -> None:
    note_use(key_of(bob), service="sts", region="eu-west-1", address="192.0.2.10")
    allow(bob, OWN, bob.arn)
    text = browser_of(bob).get(LIST).content.decode()
    assert "eu-west-1" not in text and "iam:GetAccessKeyLastUsed" in text


def test_it_deactivates_and_activates(alice: User) -> None:
    browser, key = browser_of(alice), key_of(alice)
    for status in ("Inactive", "Active"):
        browser.post(page("update", key), {"status": status})
        assert AccessKey.objects.get().status == status


def test_an_active_key_is_not_deleted(alice: User) -> None:
    browser, key = browser_of(alice), key_of(alice)
    reply = browser.post(page("delete", key), {"confirmation": key.pk})
    assert "Deactivate it first" in reply.content.decode()
    assert AccessKey.objects.exists()


def test_an_inactive_key_is_deleted_once_its_id_is_typed(alice: User) -> None:
    browser, key = browser_of(alice), key_of(alice)
    update_access_key(by=principal_of(alice), key=key, status="Inactive")
    assert "is not this key" in browser.post(page("delete", key), {"confirmation": "yes"}).content.decode()
    assert browser.post(page("delete", key), {"confirmation": key.pk}).status_code == 302
    assert not AccessKey.objects.exists()
    assert Event.objects.filter(action="iam:DeleteAccessKey", resource=alice.arn).count() == 1


@pytest.mark.bar(61, 62)
@pytest.mark.parametrize("action", ["update", "delete"])
def test_nobody_elses_key_is_reached(action: str, alice: User, bob: User, mallory: User, acme: Account) -> None:
    theirs = [key_of(bob), key_of(mallory), create_access_key(by=root_of(acme), user=None)[0]]
    browser = browser_of(alice)
    for key in theirs:
        reply = browser.post(page(action, key), {"status": "Inactive", "confirmation": key.pk})
        assert reply.status_code == 404
    assert AccessKey.objects.filter(status="Active").count() == 3


@pytest.mark.bar(62)
def test_the_owner_is_not_taken_from_the_form(alice: User, bob: User) -> None:
    browser = browser_of(alice)
    make(browser, user=str(bob.pk), user_id=str(bob.pk), account_id="444455556666", user_name="bob")
    key = AccessKey.objects.get()
    assert (key.user, key.account_id) == (alice, ACME)


def test_each_action_needs_its_permission(bob: User) -> None:
    browser, key = browser_of(bob), key_of(bob)
    for address in (LIST, CREATE, page("delete", key)):
        assert browser.get(address).status_code == 403
    assert browser.post(page("update", key), {"status": "Inactive"}).status_code == 403
    allow(bob, OWN, bob.arn)
    for address in (LIST, CREATE, page("delete", key)):
        assert browser.get(address).status_code == 200
    assert browser.post(page("update", key), {"status": "Inactive"}).status_code == 302


def test_root_is_warned_and_has_to_tick(acme: Account) -> None:
    browser = browser_of(acme)
    assert "could do everything" in browser.get(CREATE).content.decode()
    assert "Tick the box" in make(browser).content.decode()
    assert not AccessKey.objects.exists()


def test_root_gets_a_key_in_its_own_file(acme: Account) -> None:
    reply = make(browser_of(acme), understood="on")
    key = AccessKey.objects.get()
    assert (key.user, key.account_id) == (None, ACME)
    assert reply.context["file_name"] == "rootkey.csv"


@pytest.mark.bar(63)
def test_a_boundary_limits_making_ones_own_key(alice: User) -> None:
    alice.boundary = ManagedPolicy.objects.get(account=None, name="IAMReadOnlyAccess")
    alice.save(update_fields=["boundary"])
    assert browser_of(alice).get(LIST).status_code == 200
    assert browser_of(alice).post(CREATE, {"seen": ""}).status_code == 403
    assert not AccessKey.objects.exists()
