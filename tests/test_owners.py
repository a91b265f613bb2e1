"""Whose a new thing is follows from the session, for things of every kind: no field of a form says it."""

import pytest
from django.db.models import Model
from django.urls import reverse

from accounts.models import Account
from federation.models import OIDCProvider, SAMLProvider
from identities.models import Machine, MFADevice, Role, ServerCertificate, User
from tests.access.test_create_role import review_page
from tests.api.machines import profile_of
from tests.cast import ACME, GLOBEX, browser_of, trusting
from tests.federation.companies import metadata
from tests.identities.certificates import issue

SERVED = issue("shop.example.com")
KINDS: dict[str, tuple[type[Model], dict[str, str]]] = {
    "access:create-my-mfa-device": (MFADevice, {"name": "phone"}),
    "identities:upload-server-certificate": (
        ServerCertificate,
        {"name": "shop", "path": "/", "body": SERVED.body, "private_key": SERVED.private_key},
    ),
    "identities:register-machine": (Machine, {"name": "build-1", "profile": "web"}),
    "federation:create-saml-provider": (SAMLProvider, {"name": "corp", "metadata": metadata()}),
    "federation:create-open-id-connect-provider": (OIDCProvider, {"url": "https://id.example.com"}),
    "role": (Role, {"name": "deploy"}),
}


@pytest.mark.bar(62)
@pytest.mark.parametrize("kind", KINDS)
def test_further_fields_name_no_other_owner(alice: User, acme: Account, mallory: User, kind: str) -> None:
    browser, (model, fields) = browser_of(alice), KINDS[kind]
    profile_of(acme)
    before = set(model._default_manager.values_list("pk", flat=True))
    address = review_page(browser, trusting(alice.arn), name="deploy") if kind == "role" else reverse(kind)
    theirs = {"account": GLOBEX, "account_id": GLOBEX, "user": str(mallory.pk), "user_id": str(mallory.pk)}
    # Numbers that no database comes to by itself.
    numbers = {"id": "987654321", "pk": "987654321", "slot": "31999"}
    more = theirs | numbers | {"unique_id": "X987654321", "arn": f"arn:aws:iam::{GLOBEX}:x"}
    browser.post(address, fields | more)
    (row,) = model._default_manager.exclude(pk__in=before).values()
    assert row["account_id"] == ACME and row.get("user_id") in (None, alice.pk)
    foreign = {*numbers.values(), more["unique_id"]}
    assert not [value for value in row.values() if str(value) in foreign or GLOBEX in str(value)]
