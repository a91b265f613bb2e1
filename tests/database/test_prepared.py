"""Queries that are written once: they answer what the ORM would."""

import gc
import weakref
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, QuerySet
from django.test.utils import CaptureQueriesContext

from audit.models import Event, Outcome
from database.inserts import PreparedInsert
from database.prefetch import related_rows, set_prefetched
from database.prepared import Param, Prepared, PreparedJoin, PreparedValues, constants_inlined
from identities.models import User, UserTag
from tests.cast import make_user

USERS = Prepared(lambda: User.objects.filter(name_key=Param("name")).select_related("account", "boundary"))


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
    set_prefetched(alice, "tags", [UserTag(user=alice, key="team", value="red")])
    with CaptureQueriesContext(connection) as queries:
        assert [tag.key for tag in related_rows(alice, "tags")] == ["team"]
    assert len(queries) == 0


def test_related_rows_that_were_not_prefetched_are_asked_for(alice: User) -> None:
    UserTag.objects.create(user=alice, key="team", value="red")
    read_along = User.objects.prefetch_related("tags").get(pk=alice.pk)
    assert (
        [tag.key for tag in related_rows(alice, "tags")]
        == [tag.key for tag in related_rows(read_along, "tags")]
        == ["team"]
    )


def test_anything_else_is_asked_for_as_ever(alice: User) -> None:
    other = make_user(alice.account, "carol", console=False)
    for user in (alice, other):
        UserTag.objects.create(user=user, key="kept", value=user.name)
    set_prefetched(alice, "tags", [])
    assert [tag.value for tag in alice.tags.filter(key="kept")] == ["alice"]


def test_a_row_goes_with_its_last_user_and_waits_for_no_collector(alice: User) -> None:
    found = USERS.rows(name="alice")[0]
    set_prefetched(found, "tags", [UserTag(user_id=found.pk, key="team", value="red")])
    going = weakref.ref(found)
    gc.disable()
    try:
        del found
        assert going() is None
    finally:
        gc.enable()


def test_a_row_that_is_joined_with_many_is_made_once(alice: User, bob: User) -> None:
    def users() -> QuerySet[User]:
        return User.objects.filter(name_key=Param("name")).annotate(key=F("tags__key"), value=F("tags__value"))

    for key in ("team", "cost"):
        UserTag.objects.create(user=alice, key=key, value="1")
    joined = Prepared(users)
    found, tags = joined.first_row("key", "value", name="alice")
    assert (found, sorted(tags)) == (alice, [("cost", "1"), ("team", "1")])
    assert joined.first_row("key", "value", name="bob") == (bob, [(None, None)])
    assert joined.first_row("key", "value", name="nobody") == (None, [])


def test_words_become_part_of_the_statement_and_values_do_not() -> None:
    sql = "SELECT %s, %s, %s, %s, %s"
    assert constants_inlined(sql, ["tag", "", True, Param("id"), "it's"]) == (
        "SELECT 'tag', '', TRUE, %s, %s",
        (Param("id"), "it's"),
    )


def test_a_row_comes_with_what_is_related_it(alice: User, bob: User) -> None:
    with_tags = PreparedJoin(
        lambda: User.objects.filter(name_key=Param("name")),
        lambda: UserTag.objects.filter(user__name_key=Param("name")).values_list("key", "value"),
    )
    UserTag.objects.create(user=alice, key="team", value="red")
    UserTag.objects.create(user=alice, key="cost", value="1")
    row, related = with_tags.row_and_related(name="alice")
    assert (row, sorted(related)) == (alice, [("cost", "1"), ("team", "red")])
    assert with_tags.row_and_related(name="bob") == (bob, [])
    assert with_tags.row_and_related(name="nobody") == (None, [])


def test_what_it_writes_is_what_save_writes(alice: User) -> None:
    facts = {"account_id": alice.account_id, "action": "iam:GetUser", "outcome": Outcome.DENIED, "detail": {"a": [1]}}
    written = PreparedInsert(Event).insert(Event(**facts))
    saved = Event.objects.create(**facts)
    first, second = (dict[str, Any](Event.objects.filter(pk=row.pk).values().get()) for row in (written, saved))
    unlike = {name for name in first if first[name] != second[name]}
    assert unlike == {"id", "at", "event_id"} and not written._state.adding


def test_what_the_database_works_out_is_known_at_once(alice: User) -> None:
    dora = PreparedInsert(User).insert(User(account=alice.account, name="Dora", unique_id="AIDADORA"))
    assert (dora.pk, dora.name_key) == (User.objects.get(name="Dora").pk, "dora")


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_values_come_in_their_order_and_not_too_many(alice: User, bob: User, limit: int) -> None:
    names = PreparedValues(
        lambda: User.objects.filter(account_id=Param("id")).order_by("-name").values_list("name"), [2]
    )
    assert names.rows(limit, id=alice.account_id) == [("bob",), ("alice",)][:limit]
