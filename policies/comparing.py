"""Two documents side by side, line by line. Both are indented the same way first: layout is no difference."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from policies.documents import pretty


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


def _lines(old: list[str], new: list[str]) -> Iterator[Line]:
    for tag, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            for offset in range(last - first):
                yield Line("same", first + offset + 1, start + offset + 1, old[first + offset])
            continue
        for at in range(first, last):
            yield Line("removed", at + 1, 0, old[at])
        for at in range(start, end):
            yield Line("added", 0, at + 1, new[at])
