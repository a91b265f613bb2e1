import sys
import unicodedata
from time import process_time

import pytest

from api import shapes
from api.patterns import compiled

TAG = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"


def test_unicode_classes_are_exactly_javas() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    expected = {sign for sign in everything if unicodedata.category(sign)[0] in "LZN" or sign in "_.:/=+-@"}
    taken = set("".join(compiled(TAG).findall(everything)))
    assert sorted(map(ord, taken ^ expected)) == []


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"[\w+=,.@-]+", "Ab_1+=,.@-", "ünal"),
        (r"[\d]+", "0123", "٣"),
        (r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "acme-1", "acme--1"),
        (r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "acme", "acme\n"),
        (r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", "/a/b/", "a/b/"),
        (r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+", "{😀}", "\0"),
    ],
)
def test_a_pattern_means_what_it_means_in_java(pattern: str, good: str, bad: str) -> None:
    assert compiled(pattern).fullmatch(good)
    assert not compiled(pattern).fullmatch(bad)


def test_it_refuses_a_class_that_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="not known"):
        compiled(r"\p{Sc}+")


@pytest.mark.bar(69)
def test_no_pattern_of_the_models_can_be_made_slow() -> None:
    hostile = ("/" + "a" * 3000 + "\x7f", "a-" * 1500 + "!", "/a" * 1500, "v1." + "-" * 3000 + "!")
    operations = [
        shapes.operation(service, name) for service in shapes.SERVICES for name in shapes.operation_names(service)
    ]
    members = [member for operation in operations for member in operation.input.members.values()]
    patterns = {member.pattern for member in members if member.pattern}
    started = process_time()
    assert len(patterns) > 20
    assert sum(bool(pattern.fullmatch(text)) for pattern in patterns for text in hostile) < len(patterns) * 4
    # All of it takes milliseconds; a pattern that goes back and forth would take minutes.
    assert process_time() - started < 10
