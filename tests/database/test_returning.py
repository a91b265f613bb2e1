"""Rows that are deleted or changed say what they were, or are, with the types of their columns."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.lookups import Exact

from database.returning import delete_row_returning, update_returning
from federation.models import OIDCProvider, OIDCProviderTag
from identities.models import User
from tests.cast import make_user


@pytest.fixture
def provider(alice: User) -> OIDCProvider:
    prints = ["a" * 40]
    return OIDCProvider.objects.create(account=alice.account, url="id.example.com", issuer="x", thumbprints=prints)


def test_a_row_is_told_as_the_database_held_it(provider: OIDCProvider) -> None:
    OIDCProvider.objects.update(issuer="https://id.example.com")
    found = delete_row_returning(provider)
    assert found is not None and not OIDCProvider.objects.exists()
    assert (found.issuer, found.thumbprints, found.created_at) == (
        "https://id.example.com",
        ["a" * 40],
        provider.created_at,
    )
    assert delete_row_returning(provider) is None


def test_what_hangs_on_it_has_to_follow(provider: OIDCProvider) -> None:
    OIDCProviderTag.objects.create(provider=provider, key="team", value="red")
    with pytest.raises(IntegrityError), transaction.atomic():
        delete_row_returning(provider)
        connection.check_constraints()
    assert OIDCProvider.objects.exists()


def test_what_was_changed_is_told_as_it_is_now(alice: User) -> None:
    make_user(alice.account, "bob", console=False)
    assert update_returning(User.objects.filter(name="alice"), "name", "path", path="/a/") == [("alice", "/a/")]
    assert update_returning(User.objects.filter(name="nobody"), "name", path="/b/") == []
    assert sorted(update_returning(User.objects.all(), "name_key", path=F("name_key"))) == [("alice",), ("bob",)]
    assert User.objects.filter(Exact(F("path"), F("name_key"))).count() == 2
