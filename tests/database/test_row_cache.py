"""What is made of rows is used again only for the same rows, and only so much of it is kept."""

from typing import Any

import pytest

from database.prepared import FetchedRow
from database.row_cache import RowCache

TAGS = [("team", "red"), ("site", "north")]


def fetched(name: str = "alice", related: Any = ()) -> FetchedRow:
    return FetchedRow((name, True), list(related))


@pytest.fixture
def made() -> RowCache[list[FetchedRow]]:
    """Makes something new each time, of at most six rows."""
    return RowCache(lambda rows: [rows], most_rows=6)


def test_of_the_same_rows_it_is_made_once(made: RowCache[list[FetchedRow]]) -> None:
    first = made.get("key", fetched(related=TAGS))
    assert first == [fetched(related=TAGS)]
    assert made.get("key", fetched(related=list(TAGS))) is first


@pytest.mark.parametrize(
    "other",
    [
        fetched("bob", TAGS),
        fetched(related=TAGS[:1]),
        fetched(related=[*TAGS, TAGS[0]]),
        fetched(related=[("team", "blue")]),
    ],
)
def test_of_others_it_is_made_anew(made: RowCache[list[FetchedRow]], other: FetchedRow) -> None:
    made.get("key", fetched(related=TAGS))
    assert made.get("key", other) == [other]
    assert made.get("key", fetched(related=TAGS)) == [fetched(related=TAGS)]


def test_each_key_has_its_own(made: RowCache[list[FetchedRow]]) -> None:
    first, second = made.get("one", fetched()), made.get("two", fetched())
    assert first is not second
    assert (made.get("one", fetched()), made.get("two", fetched())) == (first, second)
    assert made.get("one", fetched()) is first


def test_so_many_rows_are_kept_and_the_oldest_goes_first(made: RowCache[list[FetchedRow]]) -> None:
    one, two = made.get("one", fetched(related=TAGS)), made.get("two", fetched())
    for _ in range(5):  # the same again takes no room
        made.get("two", fetched())
    three = made.get("three", fetched())
    assert made.get("one", fetched(related=TAGS)) is one
    made.get("four", fetched(related=TAGS[:1]))
    assert made.get("two", fetched()) is two and made.get("three", fetched()) is three
    assert made.get("one", fetched(related=TAGS)) is not one


def test_what_is_too_much_is_made_each_time(made: RowCache[list[FetchedRow]]) -> None:
    many = fetched(related=TAGS * 4)
    assert made.get("key", many) is not made.get("key", many)
    small = made.get("other", fetched())
    assert made.get("other", fetched()) is small
