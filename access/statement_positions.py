"""Where the statements that decided a simulation stand, as AWS says it: policy, its type, line and column."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from access.policy_rows import texts_of
from access.simulation import Result
from policies.engine import DocumentError
from policies.engine.reader import Node, read
from policies.engine.reader import Positions as Lines
from policies.models import document_digest

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Positioned:
    """A statement; without places when its text can't be had."""

    policy_id: str
    policy_type: str
    start: Place | None = None
    end: Place | None = None


class Positions:
    """Finds the statements of results in their texts: those given, and those that are stored."""

    def __init__(self, given: Iterable[str]) -> None:
        self._texts = {document_digest(text): text for text in given}
        self._places: dict[str, list[tuple[Place, Place]]] = {}

    def of(self, result: Result) -> list[Positioned]:
        """The statements that decided. A Deny stands alone, without the Allows that it beats."""
        explanation = result.explanation
        lines = [line for line in explanation["statements"] if line["decided"]]
        return [self._positioned(explanation["policies"][line["policy"]], line["index"]) for line in lines]

    def _positioned(self, policy: Mapping[str, str], index: int) -> Positioned:
        places = self._places_in(policy["digest"])
        start, end = places[index] if index < len(places) else (None, None)
        return Positioned(*_named(policy), start, end)

    def _places_in(self, digest: str) -> list[tuple[Place, Place]]:
        if digest not in self._places:
            if digest and digest not in self._texts:
                self._texts.update(texts_of({digest}))
            text = self._texts.get(digest)
            self._places[digest] = [] if text is None else places_of_statements(text)
        return self._places[digest]


def places_of_statements(text: str) -> list[tuple[Place, Place]]:
    """Of each statement the place where what is before it ends, and the place after its brace: what AWS calls its
    start and end."""
    lines = Lines(text)
    try:
        root = read(text)
    except DocumentError:
        return []
    return [
        (lines.line_and_column(len(text[: node.start].rstrip(" \t\r\n"))), lines.line_and_column(node.end))
        for node in _statements(root)
    ]


def _statements(root: Node) -> list[Node]:
    found = next((value for name, value in root.members if name.text == "Statement"), None)
    if found is None:
        return []
    return list(found.items) if found.kind == "array" else [found]


def _named(policy: Mapping[str, Any]) -> tuple[str, str]:
    """SourcePolicyId and SourcePolicyType."""
    source, origin = policy["source"], policy["origin"]
    if source.startswith("arn:"):
        return source.rpartition("/")[2], "aws-managed" if source.startswith("arn:aws:iam::aws:") else "user-managed"
    kind, _, path = origin.rpartition(":")[2].partition("/")
    if kind in ("user", "group", "role"):
        return f"{kind}_{path.rpartition('/')[2]}_{source}", kind
    return source, "resource" if policy["layer"] == "resource" else "none"
