"""Patterns on values full of near misses, which are searched for in another way; the table says who is right."""

from itertools import product

import pytest

from policies.engine.patterns import compile_pattern, is_costly
from policies.engine.variables import Literal
from tests.policies import reference

pytestmark = pytest.mark.sqlite  # the engine knows no database

NEAR = "ab" * 60
MATCHING = (
    ("*a?c*", NEAR + "abc"),
    ("*a?c*", NEAR + "ab"),
    ("*ab?ab?ab*", "abab" * 40 + "ab.ab.ab"),
    ("*ab?ab?ab*", "abab" * 40 + "ab.ab.a"),
    ("*a?a?b*b", "aa" * 100 + "b"),
    ("*a?a?b*b", "aa" * 100 + "bb"),
    ("*" + "a?" * 9 + "c*", "ab" * 90 + "abcd"),
    ("*" + "a?" * 9 + "c*", "a" * 90 + "c"),
    ("*a?b*a?b*", "a" * 80 + "b" + "a" * 80 + "b"),
    ("*a?b*a?b*", "a" * 80 + "bb"),
    ("?*?*?", "ab"),
    ("?*?*?", "abc"),
    ("*??*", "a"),
    ("*??*", "ab"),
    ("a" + "*b" * 9, "a" + "b" * 9),
    ("a" + "*b" * 9, "a" + "b" * 8),
    ("*b" * 9 + "*c", "xb" * 9 + "c"),
    ("*b" * 9 + "*c", "xb" * 8 + "c"),
    ("*bb" * 9 + "*", "b" * 18),
    ("*bb" * 9 + "*", "b" * 17),
    ("*b" * 9 + "*bc*", "b" * 9 + "bc"),
    # What is before the run and behind it is not counted.
    ("*c" + "*b" * 8 + "*", "b" * 8 + "c"),
    ("*c" + "*b" * 8 + "*", "b" * 8 + "c" + "b" * 8),
    ("*c" + "*b" * 8 + "*d*", "b" * 8 + "cd" + "b" * 8),
    ("*b" * 8 + "*bb", "x" * 5 + "b" * 9),
    ("*b" * 8 + "*bb", "x" * 5 + "b" * 10),
    ("*b" * 9 + "*bc*", "b" * 9 + "c"),
    ("*a*?*", "xxa"),
    ("*a*?*", "xax"),
    ("*a*??*", "xax"),
    ("*a*??*", "xaxx"),
    ("*a?a*", "aaba"),
    ("*a?a*", "xaba"),
    ("*b*a?a*", "cacabaacc"),
    ("*b*a?a*", "cacabaaca"),
    # After sixteen near misses whole windows are searched: a match where the first one begins, where the second one
    # does, and what would be one if the value did not end.
    ("*a?c*", "x" + "ab" * 15 + "aaxc"),
    ("*a?c*", "x" + "ab" * 47 + "xabc"),
    ("*a?c*d*", "ab" * 20 + "axcdaxc"),
    ("*a?b?*", "ac" * 40 + "axb"),
    ("*a?b?*", "ac" * 40 + "axbx"),
    # Gaps alone between wildcards; a blank is none.
    ("a*?*?*b*", "axbxx"),
    ("a*?*?*b*", "axxbx"),
    ("*?*a*?*c*", "xaxc"),
    ("*?*a*?*c*", "xac"),
    ("*?*a*??*c*d", "xaxxcd"),
    ("a?* *", "abcd"),
    ("a?* *", "ab d"),
    ("a?*X*", "abcd"),
    ("*b*c" + "*b" * 6 + "*", "bc" + "b" * 6),
    ("*b*c" + "*b" * 6 + "*", "b" * 8),
    ("*b*c*d*e*f*g*h*i*", "bcdefghi"),
    ("a?*?b", "a12b"),
    ("a?*?b", "a1b"),
    ("ab*ba", "aba"),
    ("ab*ba", "abba"),
    ("", ""),
    ("", "a"),
    ("?", ""),
    ("a?c", "abc"),
    ("a?c", "abcd"),
    ("a?c", "xbc"),
)


@pytest.mark.parametrize(("pattern", "value"), MATCHING)
def test_it_matches_as_the_table_says(pattern: str, value: str) -> None:
    assert compile_pattern(pattern).matches(value) == reference.glob(pattern, value)


def test_it_matches_all_short_texts_as_the_table_says() -> None:
    texts = ["".join(signs) for length in range(6) for signs in product("ab", repeat=length)]
    for length in range(5):
        for signs in product("ab*?", repeat=length):
            pattern = compile_pattern("".join(signs))
            assert [pattern.matches(text) for text in texts] == [reference.glob("".join(signs), text) for text in texts]


def test_literals_are_no_wildcards() -> None:
    pattern = compile_pattern(("a", Literal("*"), "?", Literal("??"), "*b"))
    assert pattern.matches("a*x??b")
    assert pattern.matches("a*x??...b")
    assert not pattern.matches("aax??b")
    assert not pattern.matches("a*x?xb")
    assert (pattern.prefix, pattern.ending, pattern.shortest, pattern.is_told_by_ends) == ("a*", "b", 6, False)


def test_an_empty_literal_between_gaps() -> None:
    pattern = compile_pattern(("x?", Literal(""), "?c"))
    assert pattern.matches("xabc")
    assert not pattern.matches("xcab")


def test_a_literal_between_stars() -> None:
    pattern = compile_pattern(("*", "x", Literal("?"), "*"))
    assert pattern.matches("abx?c")
    assert not pattern.matches("abxyc")


@pytest.mark.parametrize(
    ("text", "prefix", "ending", "told"),
    [
        ("abc", "abc", "", False),
        ("abc*", "abc", "", True),
        ("ab*c", "ab", "c", True),
        ("*c", "", "c", True),
        ("ab?", "ab", "", False),
        ("ab?*", "ab", "", False),
        ("?b*", "", "", False),
        ("ab*?c", "ab", "c", False),
        ("ab*c?", "ab", "", False),
        ("a*b*c", "a", "c", False),
    ],
)
def test_it_knows_how_matches_begin_and_end(text: str, prefix: str, ending: str, told: bool) -> None:
    pattern = compile_pattern(text)
    assert (pattern.prefix, pattern.ending, pattern.is_told_by_ends) == (prefix, ending, told)


@pytest.mark.parametrize(
    ("text", "costly"),
    [
        ("*" + "a?" * 16 + "*", False),
        ("*" + "a?" * 16 + "a*", False),
        ("*" + "a?" * 17 + "b*", True),
        ("?" * 500, False),
        ("*" + "?" * 500 + "*", False),
        ("*" + "a" * 500 + "*", False),
        ("*?" + "a" * 255 + "*", False),
        ("*?" + "a" * 256 + "*", True),
        ("?" + "a" * 300 + "*", False),
        ("*" + "X?" * 40 + "*", True),
    ],
)
def test_what_would_take_long_is_told(text: str, costly: bool) -> None:
    assert is_costly(text) is costly
