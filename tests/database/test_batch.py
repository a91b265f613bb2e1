"""Several lists in one statement: each finds what its query would alone."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet, Value
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from database.batch import AnyOf, QueryBatch, by_first
from database.prepared import Param
from identities.models import User, UserTag
from tests.cast import make_user

TEXT = '{"Sid": "Grüße \\"x\\"\t\\u0041 🗝", "at": null}' * 500


FACTS = ("name", "created_at", "password_last_used_at", "boundary_id", "account_id", "pk")


def users() -> QuerySet[Any, Any]:
    return User.objects.filter(account_id=Param("account_id")).order_by("-name").values_list(*FACTS)


def tags() -> QuerySet[Any, Any]:
    rows = UserTag.objects.filter(AnyOf("user_id", Param("users"))).order_by("key")
    return rows.values_list("user_id", "key", "value", Value(True))


LISTS = QueryBatch({"users": users, "tags": tags})


def test_each_list_tells_what_its_query_would(alice: User, bob: User, mallory: User) -> None:
    UserTag.objects.create(user=alice, key="b", value=TEXT[:200])
    UserTag.objects.create(user=alice, key="a", value="")
    UserTag.objects.create(user=mallory, key="a", value="hers")
    User.objects.filter(pk=bob.pk).update(created_at=datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC))
    User.objects.filter(pk=alice.pk).update(
        password_last_used_at=datetime(1999, 12, 31, 23, 59, 59, 900000, tzinfo=UTC)
    )
    with CaptureQueriesContext(connection) as queries:
        found = LISTS.rows(account_id=alice.account_id, users=[alice.pk, bob.pk])
    assert len(queries) == 1
    alone = User.objects.filter(account_id=alice.account_id).order_by("-name")
    assert found["users"] == list(alone.values_list(*FACTS))
    assert {type(row[1]) for row in found["users"]} == {datetime} and found["users"][0][1].tzinfo is UTC
    assert found["tags"] == [(alice.pk, "a", "", True), (alice.pk, "b", TEXT[:200], True)]
    assert found["tags"][0][3] is True


@pytest.mark.parametrize("number", [0, 1, 40_000])
def test_a_list_may_be_of_any_number_of_things(alice: User, number: int) -> None:
    UserTag.objects.create(user=alice, key="a", value="1")
    found = LISTS.rows(account_id="nobody", users=[alice.pk, *range(-number, 0)][: number + (number > 0)])
    assert found == {"users": [], "tags": [(alice.pk, "a", "1", True)] if number else []}


def test_texts_of_any_kind_stay_as_they_are(alice: User) -> None:
    alice.inline_policies.create(name="it's 100%", document=TEXT)
    lists = QueryBatch({"texts": lambda: alice.inline_policies.values_list("name", "document", "digest")})
    assert lists.rows()["texts"] == list(alice.inline_policies.values_list("name", "document", "digest"))


def test_a_thing_is_found_by_the_whole_of_its_name(alice: User) -> None:
    named = QueryBatch({"names": lambda: User.objects.filter(AnyOf("unique_id", Param("ids"))).values_list("name")})
    longer = f"{alice.unique_id}{'X' * 30}"
    assert named.rows(ids=[longer, "it's %s"]) == {"names": []}
    assert named.rows(ids=[longer, alice.unique_id]) == {"names": [("alice",)]}


@pytest.mark.parametrize(
    ("limit", "people", "keys"), [(1, "c", ""), (3, "cba", ""), (4, "cba", "a"), (9, "cba", "abc")]
)
def test_a_limit_is_one_for_all_lists(alice: User, bob: User, limit: int, people: str, keys: str) -> None:
    carol = make_user(alice.account, "carol", console=False)
    for user in (alice, bob, carol):
        UserTag.objects.create(user=user, key=user.name, value="")
    lists = QueryBatch({"users": users, "tags": tags}, usual=[3])
    found = lists.rows(limit=limit, account_id=alice.account_id, users=[alice.pk, bob.pk, carol.pk])
    assert "".join(row[0][0] for row in found["users"]) == people
    assert "".join(row[1][0] for row in found["tags"]) == keys


def test_only_what_is_named_is_asked_for(alice: User) -> None:
    assert list(LISTS.rows(["users"], account_id=alice.account_id)) == ["users"]
    assert LISTS.rows([]) == {}


def test_what_json_does_not_keep_is_refused(alice: User) -> None:
    with pytest.raises(TypeError, match="JSONField"):
        QueryBatch({"events": lambda: Event.objects.values_list("detail")}).rows()


def test_rows_are_told_apart_by_what_stands_first() -> None:
    assert by_first([(1, "a"), (2, "b"), (1, "c")]) == {1: [("a",), ("c",)], 2: [("b",)]}
