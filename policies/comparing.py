"""Two documents side by side, line by line. Both are indented the same way first: layout is no difference."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Literal

from policies.documents import pretty

# Pairs of equal lines times lines: beyond it a few kilobytes of repeated lines would keep a worker busy for a minute.
MOST_WORK = 20_000_000

Change = tuple[str, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of either document; its number in a document that does not have it is 0."""

    kind: Literal["same", "removed", "added"]
    old: int
    new: int
    text: str

    @property
    def sign(self) -> str:
        return {"same": " ", "removed": "−", "added": "+"}[self.kind]


def compared(old: str, new: str) -> list[Line]:
    return list(_lines(pretty(old).split("\n"), pretty(new).split("\n")))


def _changes(old: list[str], new: list[str]) -> list[Change]:
    """What is equal and what changed; where to find out line by line would take too long, all between the first and
    the last change counts as changed."""
    head = _common(zip(old, new, strict=False))
    tail = _common(zip(reversed(old[head:]), reversed(new[head:]), strict=False))
    last, end = len(old) - tail, len(new) - tail
    return [
        ("equal", 0, head, 0, head),
        *(_moved(change, head) for change in _changes_within(old[head:last], new[head:end])),
        ("equal", last, len(old), end, len(new)),
    ]


def _moved(change: Change, by: int) -> Change:
    tag, first, last, start, end = change
    return tag, first + by, last + by, start + by, end + by


def _changes_within(old: list[str], new: list[str]) -> Sequence[Change]:
    counts = Counter(new)
    if sum(counts[line] for line in old) * (len(old) + len(new)) > MOST_WORK:
        return [("replace", 0, len(old), 0, len(new))]
    return SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


def _common(pairs: Iterable[tuple[str, str]]) -> int:
    """How many pairs of lines are alike before the first that is not."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _lines(old: list[str], new: list[str]) -> Iterator[Line]:
    for tag, first, last, start, end in _changes(old, new):
        if tag == "equal":
            for offset in range(last - first):
                yield Line("same", first + offset + 1, start + offset + 1, old[first + offset])
            continue
        for at in range(first, last):
            yield Line("removed", at + 1, 0, old[at])
        for at in range(start, end):
            yield Line("added", 0, at + 1, new[at])
