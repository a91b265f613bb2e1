"""Finds, among the candidates of an action, one that applies to a request: by the resource first, then its conditions.

Every entry of a Resource element is a rule of its own, kept under the text that matching resources are or begin with:
a decision looks at the rules for its resource and at no others.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from policies.engine.conditions import Test
from policies.engine.index import CompiledStatement
from policies.engine.open_patterns import OpenPattern
from policies.engine.patterns import Pattern
from policies.engine.request import Request

T = TypeVar("T")
# What is left to ask once the resource was found under its key: how it ends, and a test (None when there is none).
Rules = list[tuple[str, Test | None, T]]
# Whether the key is a whole resource or a beginning, the key, and what is left to ask.
Entry = tuple[bool, str, str, Test | None]


def make_finder(found: Iterable[tuple[CompiledStatement, T]]) -> Callable[[Request], T | None] | None:
    """A function that gives one that applies, principals aside, or None; no function when there is nothing to find."""
    found = tuple(found)
    if not found:
        return None
    for compiled, one in found:
        if compiled.covers_everything:
            return lambda request: one
    exact: dict[str, Rules[T]] = {}
    by_length: dict[int, dict[str, Rules[T]]] = {}
    for compiled, one in found:
        for whole, key, ending, test in _entries(compiled):
            table = exact if whole else by_length.setdefault(len(key), {})
            table.setdefault(key, []).append((ending, test, one))
    return _finder(exact, tuple(sorted(by_length.items())))


def _finder(
    exact: dict[str, Rules[T]], beginnings: tuple[tuple[int, dict[str, Rules[T]]], ...]
) -> Callable[[Request], T | None]:
    nothing: Rules[T] = []

    def first(request: Request) -> T | None:
        resource = request.resource
        for _, test, one in exact.get(resource, nothing):
            if test is None or test(request):
                return one
        for length, table in beginnings:
            for ending, test, one in table.get(resource[:length], nothing):
                if resource.endswith(ending, length) and (test is None or test(request)):
                    return one
        return None

    return first


def _entries(compiled: CompiledStatement) -> Iterator[Entry]:
    resources, meets = compiled.resources, compiled.meets
    if resources.negated:
        yield False, "", "", compiled.applies
        return
    for text in resources.exact:
        yield True, text, "", meets
    for text in resources.prefixes:
        yield False, text, "", meets
    for beginning, ending, pattern in resources.globs:
        yield False, beginning, ending, meets if pattern is None else _with_pattern(pattern, meets)
    for open_one in resources.open_ones:
        yield False, open_one.beginning, "", _with_open_pattern(open_one, meets)


def _with_pattern(pattern: Pattern, meets: Test | None) -> Test:
    matches = pattern.matches
    if meets is None:
        return lambda request: matches(request.resource)
    return lambda request: matches(request.resource) and meets(request)


def _with_open_pattern(pattern: OpenPattern, meets: Test | None) -> Test:
    goes_on = pattern.goes_on
    if meets is None:
        return lambda request: goes_on(request.resource, request)
    return lambda request: goes_on(request.resource, request) and meets(request)
