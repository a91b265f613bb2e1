"""Queries that are written once: they answer what the ORM would."""

from datetime import datetime

from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.prepared import Given, Prepared, prefetched
from identities.models import User, UserTag
from tests.cast import make_user

USERS = Prepared(lambda: User.objects.filter(name_key=Given("name")).select_related("account", "boundary"))


def test_it_answers_what_the_orm_does(alice: User) -> None:
    (found,) = USERS.rows(name="alice")
    assert found == alice and found.arn == alice.arn
    assert (type(found.created_at), found.created_at) == (datetime, User.objects.get().created_at)
    with CaptureQueriesContext(connection) as queries:
        assert (found.account.name, found.boundary) == ("Acme", None)
    assert len(queries) == 0


def test_each_run_has_its_own_values(alice: User, bob: User) -> None:
    assert [user.name for name in ("alice", "bob", "nobody") for user in USERS.rows(name=name)] == ["alice", "bob"]


def test_what_is_handed_over_is_not_asked_for(alice: User) -> None:
    prefetched(alice, "tags", [UserTag(user=alice, key="team", value="red")])
    with CaptureQueriesContext(connection) as queries:
        assert [tag.key for tag in alice.tags.all()] == ["team"]
    assert len(queries) == 0


def test_anything_else_is_asked_for_as_ever(alice: User) -> None:
    other = make_user(alice.account, "carol", console=False)
    for user in (alice, other):
        UserTag.objects.create(user=user, key="kept", value=user.name)
    prefetched(alice, "tags", [])
    assert [tag.value for tag in alice.tags.filter(key="kept")] == ["alice"]
