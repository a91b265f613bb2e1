"""Which requirements of the security bar are held by a test: `make bar`.

A test says so by `@pytest.mark.bar(8, 9)` or by its name, `test_bar_08_…`.
"""

import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import redirect_stdout

import pytest

LAST = 143

# What the console promises today. Whoever builds more adds its numbers here.
PROMISED = "1-27, 29, 31, 33-122, 124-127, 129-134, 136-143"

NAME = re.compile(r"test_bar_(\d+(?:_\d+)*)")


def numbers(text: str) -> Iterator[int]:
    """Read "1-3, 7": 1, 2, 3, 7."""
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        yield from range(int(first), int(last or first) + 1)


def held_by(item: pytest.Item) -> set[int]:
    """The numbers one test speaks for."""
    marked = {int(number) for marker in item.iter_markers("bar") for number in marker.args}
    named = NAME.match(getattr(item, "originalname", "") or item.name)
    return marked | ({int(number) for number in named[1].split("_")} if named else set())


class Collector:
    """A plugin that only writes down what pytest finds."""

    def __init__(self) -> None:
        self.tests: dict[int, set[str]] = defaultdict(set)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for number in held_by(item):
                self.tests[number].add(item.nodeid.partition("[")[0])


def report(tests: dict[int, set[str]], promised: set[int]) -> Iterator[str]:
    for number in range(1, LAST + 1):
        if number in promised or number in tests:
            names = sorted(tests.get(number, ())) or ["NO TEST"]
            yield f"{number:>4}  {names[0]}"
            yield from (f"      {name}" for name in names[1:])


def main() -> int:
    collector = Collector()
    with open(os.devnull, "w") as silence, redirect_stdout(silence):
        outcome = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider"], plugins=[collector])
    if outcome != pytest.ExitCode.OK:
        print("The tests cannot be collected; `pytest --collect-only -q` says why.")
        return 1

    promised = set(numbers(PROMISED))
    unknown = sorted(number for number in collector.tests if not 1 <= number <= LAST)
    missing = sorted(promised - set(collector.tests))
    print("\n".join(report(collector.tests, promised)))
    print(f"\n{len(promised) - len(missing)} of {len(promised)} promised requirements have a test.")
    if missing:
        print(f"Without a test: {', '.join(map(str, missing))}.")
    if unknown:
        print(f"The bar has no number {', '.join(map(str, unknown))}.")
    return 1 if missing or unknown else 0


if __name__ == "__main__":
    sys.exit(main())
