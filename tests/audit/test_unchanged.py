"""What is made of rows is used again only for the same rows, and only so much of it is kept."""

from typing import Any

import pytest

from audit.prepared import Told
from audit.unchanged import Unchanged

TAGS = [("team", "red"), ("site", "north")]


def told(name: str = "alice", beside: Any = ()) -> Told:
    return Told((name, True), list(beside))


@pytest.fixture
def made() -> Unchanged[list[Told]]:
    """Makes something new each time, of at most six rows."""
    return Unchanged(lambda rows: [rows], most_rows=6)


def test_of_the_same_rows_it_is_made_once(made: Unchanged[list[Told]]) -> None:
    first = made.of("key", told(beside=TAGS))
    assert first == [told(beside=TAGS)]
    assert made.of("key", told(beside=list(TAGS))) is first


@pytest.mark.parametrize(
    "other", [told("bob", TAGS), told(beside=TAGS[:1]), told(beside=[*TAGS, TAGS[0]]), told(beside=[("team", "blue")])]
)
def test_of_others_it_is_made_anew(made: Unchanged[list[Told]], other: Told) -> None:
    made.of("key", told(beside=TAGS))
    assert made.of("key", other) == [other]
    assert made.of("key", told(beside=TAGS)) == [told(beside=TAGS)]


def test_each_key_has_its_own(made: Unchanged[list[Told]]) -> None:
    first, second = made.of("one", told()), made.of("two", told())
    assert first is not second
    assert (made.of("one", told()), made.of("two", told())) == (first, second)
    assert made.of("one", told()) is first


def test_so_many_rows_are_kept_and_the_oldest_goes_first(made: Unchanged[list[Told]]) -> None:
    one, two = made.of("one", told(beside=TAGS)), made.of("two", told())
    for _ in range(5):  # the same again takes no room
        made.of("two", told())
    three = made.of("three", told())
    assert made.of("one", told(beside=TAGS)) is one
    made.of("four", told(beside=TAGS[:1]))
    assert made.of("two", told()) is two and made.of("three", told()) is three
    assert made.of("one", told(beside=TAGS)) is not one


def test_what_is_too_much_is_made_each_time(made: Unchanged[list[Told]]) -> None:
    many = told(beside=TAGS * 4)
    assert made.of("key", many) is not made.of("key", many)
    small = made.of("other", told())
    assert made.of("other", told()) is small
