"""Which requirements of the security bar are held by a test: `make bar`.

A test says so by `@pytest.mark.bar(8, 9)` or by its name, `test_bar_08_…`; docs/security-requirements.md says what each
number asks for.
"""

import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest

LAST = 143

# What the console promises today. Whoever builds more adds its numbers here.
PROMISED = "1-27, 29, 31, 33-122, 124-127, 129-134, 136-143"

NAME = re.compile(r"test_bar_(\d+(?:_\d+)*)")
PAGE = Path(__file__).resolve().parents[1] / "docs/security-requirements.md"
ROW = re.compile(r"^\| (\d+) \| (.+?) \|", re.MULTILINE)


def numbers(text: str) -> Iterator[int]:
    """Read "1-3, 7": 1, 2, 3, 7."""
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        yield from range(int(first), int(last or first) + 1)


def rows() -> list[tuple[int, str]]:
    """Number and text of each row of the page, in its order."""
    return [(int(number), text) for number, text in ROW.findall(PAGE.read_text())]


def first_sentence(text: str) -> str:
    return text.partition(". ")[0].removesuffix(".") + "."


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


def report(tests: dict[int, set[str]], promised: set[int], asked: dict[int, str]) -> Iterator[str]:
    for number in range(1, LAST + 1):
        if number in promised or number in tests:
            yield f"{number:>4}  {first_sentence(asked.get(number, 'NO ROW'))}"
            yield from (f"        {name}" for name in sorted(tests.get(number, ())) or ["NO TEST"])


def main() -> int:
    collector = Collector()
    with open(os.devnull, "w") as silence, redirect_stdout(silence):
        outcome = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider"], plugins=[collector])
    if outcome != pytest.ExitCode.OK:
        print("The tests cannot be collected; `pytest --collect-only -q` says why.")
        return 1

    promised, asked = set(numbers(PROMISED)), dict(rows())
    unknown = sorted(number for number in collector.tests if not 1 <= number <= LAST)
    missing = sorted(promised - set(collector.tests))
    untold = sorted(promised - set(asked))
    print("\n".join(report(collector.tests, promised, asked)))
    print(f"\n{len(promised) - len(missing)} of {len(promised)} promised requirements have a test.")
    if missing:
        print(f"Without a test: {', '.join(map(str, missing))}.")
    if untold:
        print(f"Without a row in {PAGE.name}: {', '.join(map(str, untold))}.")
    if unknown:
        print(f"The bar has no number {', '.join(map(str, unknown))}.")
    return 1 if missing or untold or unknown else 0


if __name__ == "__main__":
    sys.exit(main())
