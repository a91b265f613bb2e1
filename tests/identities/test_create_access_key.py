import base64
import configparser
import csv
import io
import threading
from typing import Any

import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.ids import account_of_access_key
from accounts.models import Account
from audit.errors import LimitExceeded
from audit.models import Event
from identities.models import AccessKey, User
from identities.sealed import box
from identities.services.access_keys import create_access_key
from tests.cast import ACME, allow, browser_of, make_account, make_user, principal_of, root_of


def test_it_creates_an_active_key_that_knows_its_account(alice: User, bob: User) -> None:
    key, secret = create_access_key(by=principal_of(alice), user=bob)
    assert (key.user, key.slot, key.status) == (bob, 1, "Active")
    assert account_of_access_key(key.access_key_id) == ACME
    assert box().open(key.secret_encrypted, key.sealed_row) == secret


def test_it_creates_root_keys_without_a_user(acme: Account) -> None:
    key, _ = create_access_key(by=root_of(acme), user=None)
    assert (key.user, key.account, key.owner_name) == (None, acme, "root user")


@pytest.mark.bar(78)
def test_a_secret_has_240_random_bits(alice: User) -> None:
    _, secret = create_access_key(by=principal_of(alice), user=alice)
    assert len(base64.b64decode(secret)) * 8 == 240


@pytest.mark.bar(84)
def test_it_refuses_a_third_key_in_aws_words(alice: User, acme: Account) -> None:
    for user in (alice, None):
        create_access_key(by=principal_of(alice), user=user)
        create_access_key(by=principal_of(alice), user=user)
        with pytest.raises(LimitExceeded) as refused:
            create_access_key(by=principal_of(alice), user=user)
        assert refused.value.message == "Cannot exceed quota for AccessKeysPerUser: 2"


def test_an_inactive_key_counts_too(alice: User) -> None:
    for _ in range(2):
        create_access_key(by=principal_of(alice), user=alice)
    AccessKey.objects.update(status="Inactive")
    with pytest.raises(LimitExceeded):
        create_access_key(by=principal_of(alice), user=alice)


@pytest.mark.bar(74, 84)
@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_make_two_keys() -> None:
    bob = make_user(make_account(ACME, "Acme", "acme"), "bob")
    outcomes: list[str] = []
    start = threading.Barrier(20)

    def one() -> None:
        start.wait()
        try:
            create_access_key(by=principal_of(bob), user=bob)
            outcomes.append("made")
        except LimitExceeded:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["made"] * 2 + ["refused"] * 18
    assert sorted(AccessKey.objects.values_list("slot", flat=True)) == [1, 2]
    assert Event.objects.filter(action="iam:CreateAccessKey").count() == 2


@pytest.mark.bar(121, 122)
def test_it_records_who_made_it_but_not_the_secret(alice: User, bob: User) -> None:
    key, secret = create_access_key(by=principal_of(alice), user=bob)
    event = Event.objects.get(action="iam:CreateAccessKey")
    assert (event.principal_name, event.resource, event.detail) == (
        "alice",
        bob.arn,
        {"access_key_id": key.access_key_id},
    )
    assert secret not in str(vars(event))


@pytest.mark.bar(125)
def test_it_tells_root_by_mail(
    alice: User, bob: User, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        key, secret = create_access_key(by=principal_of(alice), user=bob)
    (mail,) = mailoutbox
    assert mail.to == ["root@acme.example"]
    assert key.access_key_id in mail.subject and "by alice from 192.0.2.10" in mail.body
    assert secret not in mail.body


def create_page(user: User) -> str:
    return reverse("identities:create-access-key", args=[user.name])


def make(browser: Client, user: User) -> Any:
    seen = browser.get(create_page(user)).context["form"]["seen"].value()
    return browser.post(create_page(user), {"seen": seen})


@pytest.mark.bar(78, 54)
def test_the_page_shows_the_secret_once(alice: User, bob: User) -> None:
    browser = browser_of(alice)
    reply = make(browser, bob)
    secret = reply.context["secret"]
    assert reply.status_code == 200 and secret in reply.content.decode()
    assert reply.headers["Cache-Control"] == "no-store"
    for page in ("identities:list-access-keys", "identities:create-access-key"):
        assert secret not in browser.get(reverse(page, args=["bob"])).content.decode()


@pytest.mark.bar(78)
def test_sending_the_form_again_makes_no_second_key(alice: User, bob: User) -> None:
    browser = browser_of(alice)
    seen = browser.get(create_page(bob)).context["form"]["seen"].value()
    browser.post(create_page(bob), {"seen": seen})
    again = browser.post(create_page(bob), {"seen": seen})
    assert "secret" not in again.context
    assert "have changed" in again.content.decode()
    assert bob.access_keys.count() == 1


def test_the_file_is_what_the_aws_cli_imports(alice: User, bob: User) -> None:
    reply = make(browser_of(alice), bob)
    rows = list(csv.reader(io.StringIO(reply.context["csv"])))
    assert rows == [
        ["Access key ID", "Secret access key"],
        [reply.context["key"].access_key_id, reply.context["secret"]],
    ]


def test_the_page_requires_permission(bob: User, alice: User) -> None:
    browser = browser_of(bob)
    assert browser.post(create_page(alice), {"seen": ""}).status_code == 403
    allow(bob, "iam:CreateAccessKey", alice.arn)
    assert browser.get(create_page(alice)).status_code == 200
    assert browser.get(create_page(bob)).status_code == 403


@pytest.mark.bar(61, 127)
def test_the_page_hides_other_accounts(alice: User, mallory: User) -> None:
    assert browser_of(alice).post(create_page(mallory), {"seen": ""}).status_code == 404
    assert not mallory.access_keys.exists()


@pytest.mark.bar(40)
def test_the_page_wants_a_fresh_sign_in(alice: User, bob: User) -> None:
    reply = browser_of(alice, fresh=False).post(create_page(bob), {"seen": ""})
    assert reply.status_code == 302 and "confirm" in reply.headers["Location"]
    assert not bob.access_keys.exists()


@pytest.mark.bar(62)
def test_the_owner_is_not_taken_from_the_form(alice: User, bob: User, mallory: User) -> None:
    browser_of(alice).post(
        create_page(bob), {"seen": "", "user": mallory.pk, "user_id": mallory.pk, "account": "444455556666"}
    )
    key = AccessKey.objects.get()
    assert (key.user, key.account_id) == (bob, ACME)


def test_the_profile_says_where_the_service_is(alice: User, bob: User) -> None:
    """The AWS command line would ask AWS."""
    reply = make(browser_of(alice), bob)
    secret = reply.context["secret"]
    profile = configparser.ConfigParser()
    profile.read_string(reply.context["profile"])
    assert dict(profile["acme"]) == {
        "aws_access_key_id": bob.access_keys.get().pk,
        "aws_secret_access_key": secret,
        "endpoint_url": settings.SITE_URL,
        "region": "us-east-1",
    }
    assert "Append to ~/.aws/credentials" in reply.text
