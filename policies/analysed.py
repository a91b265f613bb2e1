"""What was found out about stored documents, by digest, kept between requests. A digest's text never changes, so
nothing here can be stale; what somebody has is read anew by whoever asks."""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

from policies.compiled import ByteCache, compile_text
from policies.engine import Document, DocumentKind
from policies.engine.findings import Problem
from policies.engine.powers import Powers, powers_of, trust_openings

V = TypeVar("V")
_KEPT_BYTES = 16 * 1024 * 1024
_BYTES_PER_RESULT, _BYTES_PER_ITEM = 600, 100


class Analysed(Generic[V]):
    """The results of one way of looking at documents of one kind."""

    def __init__(self, kind: DocumentKind, look: Callable[[Document], V], size: Callable[[V], int]) -> None:
        self._kind, self._look, self._size = kind, look, size
        self._kept: ByteCache[str, V] = ByteCache(_KEPT_BYTES)
        self._lock = threading.Lock()

    def get_many(
        self, digests: Iterable[str], load_texts: Callable[[set[str]], Mapping[str, str]], most: int
    ) -> dict[str, V]:
        """Results by digest. `load_texts` is asked once, for documents that nobody has looked at yet, and `most` of
        those are looked at now: the others are missing in the answer, and their turn comes the next time."""
        wanted = set(digests)
        with self._lock:
            known = {digest: self._kept.get(digest) for digest in wanted}
        found = {digest: result for digest, result in known.items() if result is not None}
        if missing := sorted(wanted - found.keys())[:most]:
            texts = load_texts(set(missing))
            found.update({digest: self._look_at(digest, texts[digest]) for digest in missing if digest in texts})
        return found

    def _look_at(self, digest: str, text: str) -> V:
        result = self._look(compile_text(text, self._kind))
        weight = _BYTES_PER_RESULT + _BYTES_PER_ITEM * self._size(result)
        with self._lock:
            self._kept.put(digest, result, lambda: weight)
        return result


powers: Analysed[Powers] = Analysed("identity", powers_of, lambda found: len(found.allowed) + len(found.denied))
openings: Analysed[tuple[Problem, ...]] = Analysed("trust", trust_openings, len)
