"""Whatever page or call changes something leaves an event that says so, and without its event nothing changes."""

import json
from collections import Counter
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from access.models import ActionUse, ConsoleSession, OneTimeToken, SignInAttempt, Throttle
from audit.models import Event
from database.inserts import PreparedInsert
from identities.models import AccessKey, User
from identities.models.credentials import KeyStatus
from identities.services.access_keys import create_access_key
from tests import addresses
from tests.addresses import PATTERNS, address
from tests.cast import allow, browser_of, make_user, principal_of

acme, alice = addresses.acme, addresses.alice

DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "a:B", "Resource": "*"}]})
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
# The machinery of signing in; what it means is recorded by the sign-in itself.
UNRECORDED = {model._meta.label for model in (ActionUse, ConsoleSession, OneTimeToken, SignInAttempt, Throttle, Event)}
# What the forms of most pages take, so that most of them do what they are for.
FORM = {
    "name": "new-name",
    "new_name": "new-name",
    "path": "/moved/",
    "key": "Team",
    "value": "Storage",
    "tag_key": "Team",
    "document": DOCUMENT,
    "description": "words",
    "policies": READ_ONLY,
    "policy": READ_ONLY,
    "boundary": READ_ONLY,
    "users": "carol",
    "status": "Active",
    "sure": "on",
    "alias": "new-alias",
    "minimum_password_length": "20",
    "reason": "words",
}
SURE = {
    "identities:create-user-review",
    "identities:update-user",
    "identities:delete-user",
    "identities:tag-user",
    "identities:attach-user-policy",
    "identities:put-user-policy",
    "identities:delete-user-policy",
    "identities:put-user-permissions-boundary",
    "identities:delete-login-profile",
    "identities:create-access-key",
    "identities:update-access-key",
    "identities:delete-access-key",
    "identities:create-group-review",
    "identities:update-group",
    "identities:delete-group",
    "identities:add-user-to-group",
    "identities:attach-group-policy",
    "identities:update-role",
    "identities:delete-role",
    "identities:put-role-policy-revoke-sessions",
    "identities:tag-role",
    "identities:attach-role-policy",
    "identities:put-role-policy",
    "identities:delete-role-policy",
    "identities:put-role-permissions-boundary",
    "identities:register-machine",
    "identities:update-machine",
    "identities:create-machine-join-token",
    "identities:remove-machine",
    "identities:create-instance-profile",
    "identities:delete-instance-profile",
    "policies:create-policy",
    "policies:create-policy-version",
    "policies:set-default-policy-version",
    "policies:delete-policy-version",
    "policies:delete-policy",
    "accounts:create-account-alias",
    "accounts:update-account-password-policy",
    "access:accept-finding",
    "access:create-my-access-key",
    "access:create-my-mfa-device",
}


def contents() -> dict[str, Counter[str]]:
    """All that there is, but for the machinery of signing in."""
    models = [model for model in apps.get_models() if model._meta.label not in UNRECORDED]
    return {
        model._meta.label: Counter(str(sorted(row.items())) for row in model._default_manager.values())
        for model in models
    }


def send(browser: Client, name: str, words: dict[str, Any]) -> None:
    path = address(name, words)
    query = "?name=new-name&groups=Lookers&source=carol&reviewed=carol&console=on&reset=on"
    named = next((str(words[word]) for word in reversed(PATTERNS[name].pattern.converters)), "")
    page = browser.get(path + query)
    form = (page.context or {}).get("form")
    shown = {field.name: field.value() for field in form if field.value() is not None} if form else {}
    browser.post(path + query, shown | FORM | {"confirmation": named})


@pytest.fixture
def asked(alice: User, words: dict[str, Any]) -> dict[str, Any]:
    """Carol, about whom the pages are asked, so that Alice may go on."""
    carol = make_user(alice.account, "carol")
    allow(carol, "iam:ListUsers", name="look")
    key, _ = create_access_key(by=principal_of(alice), user=carol)
    AccessKey.objects.filter(pk=key.pk).update(status=KeyStatus.INACTIVE)
    return words | {"user_name": "carol", "other_key": key.access_key_id}


def words_for(name: str, asked: dict[str, Any]) -> dict[str, Any]:
    return asked if name.startswith("access:") else asked | {"access_key_id": asked["other_key"]}


PAGES = sorted(PATTERNS.keys() - {"api:endpoint", "healthz", "readyz"})


@pytest.mark.bar(121)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_changes_something_records_it(name: str, alice: User, asked: dict[str, Any]) -> None:
    browser, before, events = browser_of(alice), contents(), Event.objects.count()
    send(browser, name, words_for(name, asked))
    changed = contents() != before
    assert not changed or Event.objects.filter(outcome="Success").count() > 0 and Event.objects.count() > events, name
    assert changed or name not in SURE, "This form no longer changes anything here: give it what it needs."


@pytest.mark.bar(75, 121)
@pytest.mark.parametrize("name", sorted(SURE))
def test_without_its_event_nothing_changes(
    name: str, alice: User, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, before = browser_of(alice), contents()
    browser.raise_request_exception = False

    def fail(self: PreparedInsert[Event], *args: object, **options: object) -> None:
        raise RuntimeError("The disk is full.")

    monkeypatch.setattr(PreparedInsert, "insert", fail)
    send(browser, name, words_for(name, asked))
    assert contents() == before
