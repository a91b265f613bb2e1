"""Wildcard patterns, matched in linear time and without regular expressions.

A pattern is cut at its `*` into segments. The first and last are compared in place; those between are each searched
for from where the one before ended, and taken at their first place, which is enough because a `*` may stand for
anything: there is nothing to go back for. `a*a*a*…b` costs no more than reading the value once.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policies.engine.variables import Literal, Part, Variable

# What a validated pattern may have between two `*` when a `?` is there, so that searching it stays cheap.
MAX_GAPS = 16
MAX_GAPPED_LENGTH = 256

_BETWEEN_GAPS = re.compile(r"[^?]+")
_LONG_RUN = 8
_TRIES = 16
_FIRST_WINDOW = 64
_LARGEST_WINDOW = 8192


@dataclass(frozen=True, slots=True)
class Segment:
    """What stands between two `*`: pieces of text at their distance from the segment's start; `?` is a gap."""

    length: int
    pieces: tuple[tuple[int, str], ...]

    def at(self, value: str, start: int) -> bool:
        for offset, text in self.pieces:  # noqa: SIM110 - a generator costs more than the comparison
            if not value.startswith(text, start + offset):
                return False
        return True

    def find(self, value: str, start: int, end: int) -> int:
        """The first place from `start` on where the segment stands before `end`; -1 when there is none."""
        last = end - self.length
        if not self.pieces:
            return start if start <= last else -1
        offset, anchor = max(self.pieces, key=lambda piece: len(piece[1]))
        for _ in range(_TRIES):
            start = value.find(anchor, start + offset) - offset
            if start < 0 or start > last:
                return -1
            if self.at(value, start):
                return start
            start += 1
        return self._search(value, start, last)

    def _search(self, value: str, start: int, last: int) -> int:
        """As `find`, for a value full of near misses: looks at many places at once, a bit of a number for each."""
        window = _FIRST_WINDOW
        while start <= last:
            size = min(window, last - start + 1)
            place = self._in_window(value[start : start + size + self.length - 1], size)
            if place >= 0:
                return start + place
            start += size
            window = min(window * 2, _LARGEST_WINDOW)
        return -1

    def _in_window(self, text: str, size: int) -> int:
        backwards = text[::-1]
        alive = (1 << size) - 1
        places: dict[str, int] = {}
        for offset, piece in self.pieces:
            for at, sign in enumerate(piece, offset):
                if sign not in places:
                    places[sign] = int(backwards.translate(_Marks(sign)), 2)
                alive &= places[sign] >> at
                if not alive:
                    return -1
        return (alive & -alive).bit_length() - 1


class _Marks(dict[int, str]):
    """A translation of one character to "1" and all others to "0"."""

    def __init__(self, sign: str) -> None:
        super().__init__({ord(sign): "1"})

    def __missing__(self, key: int) -> str:
        return "0"


@dataclass(frozen=True, slots=True)
class Run:
    """The same text many times over, with a `*` between each."""

    text: str
    times: int

    def end(self, value: str, start: int, end: int) -> int:
        """Where the run ends at the earliest; -1 when it does not stand before `end`. Counting goes by halves."""
        if value.count(self.text, start, end) < self.times:
            return -1
        low, high = start, end
        while low < high:
            middle = (low + high) // 2
            if value.count(self.text, start, middle) >= self.times:
                high = middle
            else:
                low = middle + 1
        return low


Floating = str | Segment | Run


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern ready to be matched. `middle` is None when it has no `*`."""

    first: Segment
    middle: tuple[Floating, ...] | None
    last: Segment
    shortest: int

    def matches(self, value: str) -> bool:
        if self.middle is None:
            return len(value) == self.shortest and self.first.at(value, 0)
        size = len(value)
        if size < self.shortest or not self.first.at(value, 0):
            return False
        end = size - self.last.length
        return self.last.at(value, end) and _in_order(value, self.middle, self.first.length, end)

    @property
    def prefix(self) -> str:
        """The text every match begins with."""
        if self.first.pieces and self.first.pieces[0][0] == 0:
            return self.first.pieces[0][1]
        return ""

    @property
    def is_exact(self) -> bool:
        return self.middle is None and len(self.prefix) == self.first.length

    @property
    def ending(self) -> str:
        """The text every match of a pattern with a `*` ends with, behind its prefix."""
        if self.middle is None or not self.last.pieces:
            return ""
        offset, text = self.last.pieces[-1]
        return text if offset + len(text) == self.last.length else ""

    @property
    def is_told_by_ends(self) -> bool:
        """Whether prefix and ending, with one `*` between them, are all of it."""
        return self.middle == () and len(self.prefix) == self.first.length and len(self.ending) == self.last.length


def _in_order(value: str, middle: tuple[Floating, ...], at: int, end: int) -> bool:
    find = value.find
    for floating in middle:
        if isinstance(floating, str):
            place = find(floating, at, end)
            if place < 0:
                return False
            at = place + len(floating)
        elif isinstance(floating, Run):
            at = floating.end(value, at, end)
            if at < 0:
                return False
        else:
            place = floating.find(value, at, end)
            if place < 0:
                return False
            at = place + floating.length
    return True


def compile_pattern(parts: Sequence[Part] | str) -> Pattern:
    """A pattern from the parts of a text; variables must have been filled in before."""
    if len(parts) == 1 and isinstance(parts[0], str):
        parts = parts[0]
    if isinstance(parts, str) and "?" not in parts:
        return _compile_stars(parts)
    atoms = _split_at_stars((parts,) if isinstance(parts, str) else parts)
    first, last = _segment(atoms[0]), _segment(atoms[-1])
    shortest = len(parts) - parts.count("*") if isinstance(parts, str) else sum(_length(each) for each in atoms)
    if len(atoms) == 1:
        return Pattern(first, None, last, shortest)
    return Pattern(first, _floating(atoms[1:-1]), last, shortest)


# What a text that matches begins and ends with, and the pattern where these are not all.
Glob = tuple[str, str, Pattern | None]


def compile_glob(parts: Sequence[Part] | str) -> Glob:
    """A pattern for a quick look: most are told by their ends."""
    pattern = compile_pattern(parts)
    return pattern.prefix, pattern.ending, None if pattern.is_told_by_ends else pattern


def _compile_stars(text: str) -> Pattern:
    """The common case, which is read much more often than anything else: text and `*`, but no `?`."""
    first, *others = text.split("*")
    if not others:
        return Pattern(_text(first), None, _text(first), len(text))
    *middle, last = others
    floating = tuple(_with_runs([each for each in middle if each]))
    return Pattern(_text(first), floating, _text(last), len(text) - len(others))


def _text(text: str) -> Segment:
    return Segment(len(text), ((0, text),) if text else ())


Atoms = str | list[str | Literal]


def _split_at_stars(parts: Sequence[Part]) -> list[Atoms]:
    """What stands between the `*`: plain text, in which only `?` is left, or a list with literals in it."""
    segments: list[Atoms] = [""]
    for part in parts:
        if isinstance(part, Variable):
            raise TypeError("variables are filled in before a pattern is compiled")
        if isinstance(part, Literal):
            segments[-1] = [*([segments[-1]] if isinstance(segments[-1], str) else segments[-1]), part]
            continue
        beginning, *others = part.split("*")
        before = segments[-1]
        segments[-1] = before + beginning if isinstance(before, str) else [*before, beginning]
        segments.extend(others)
    return segments


def _length(atoms: Atoms) -> int:
    if isinstance(atoms, str):
        return len(atoms)
    return sum(len(atom) if isinstance(atom, str) else len(atom.text) for atom in atoms)


def _floating(segments: list[Atoms]) -> tuple[Floating, ...]:
    """What is searched for in order. Gaps alone that follow each other go together: only their number counts."""
    found: list[str | Segment] = []
    gaps = 0
    for atoms in segments:
        if isinstance(atoms, str) and not atoms.strip("?"):
            gaps += len(atoms)
            continue
        if gaps:
            found.append(Segment(gaps, ()))
            gaps = 0
        found.append(atoms if isinstance(atoms, str) and "?" not in atoms else _segment(atoms))
    if gaps:
        found.append(Segment(gaps, ()))
    return tuple(_with_runs(found))


def _with_runs(texts: Sequence[str | Segment]) -> Sequence[Floating]:
    """The texts and segments, with long repetitions of one text as runs."""
    return texts if len(texts) < _LONG_RUN else tuple(_runs(texts))


def _runs(texts: Sequence[str | Segment]) -> Iterator[Floating]:
    at = 0
    while at < len(texts):
        text = texts[at]
        end = at + 1
        while isinstance(text, str) and end < len(texts) and texts[end] == text:
            end += 1
        if isinstance(text, str) and end - at >= _LONG_RUN:
            yield Run(text, end - at)
        else:
            yield from texts[at:end]
        at = end


def _segment(atoms: Atoms) -> Segment:
    if isinstance(atoms, str):
        return Segment(len(atoms), tuple(_pieces(atoms))) if "?" in atoms else _text(atoms)
    pieces: list[tuple[int, str]] = []
    length = 0
    for atom in atoms:
        text = atom if isinstance(atom, str) else atom.text
        for offset, piece in _pieces(atom) if isinstance(atom, str) else [(0, text)]:
            if pieces and pieces[-1][0] + len(pieces[-1][1]) == length + offset:
                pieces[-1] = (pieces[-1][0], pieces[-1][1] + piece)
            elif piece:
                pieces.append((length + offset, piece))
        length += len(text)
    return Segment(length, tuple(pieces))


def _pieces(text: str) -> list[tuple[int, str]]:
    """What stands between the `?` of a text, with its place."""
    return [(match.start(), match.group()) for match in _BETWEEN_GAPS.finditer(text)]


def is_costly(text: str) -> bool:
    """Whether a text has more between two `*`, with a `?` in it, than can be searched for quickly."""
    return any(
        "?" in segment
        and (len(segment) > MAX_GAPPED_LENGTH or sum(1 for piece in segment.split("?") if piece) > MAX_GAPS + 1)
        for segment in text.split("*")[1:-1]
        if segment.strip("?")
    )
