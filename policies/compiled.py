"""Documents compiled once per digest, in a cache bounded by the length of the texts. A digest's text never changes,
so an entry can never be stale; a text that can't be read is cached too, as a document that denies."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

from django.conf import settings

from policies.engine import Document, DocumentError, parse, unreadable


class CompiledDocuments:
    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._entries: OrderedDict[str, tuple[Document, int]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get_many(
        self, digests: Iterable[str], load_texts: Callable[[set[str]], Mapping[str, str]]
    ) -> dict[str, Document]:
        """Documents by digest; `load_texts` is asked once, for the digests that are not compiled yet."""
        wanted = set(digests)
        with self._lock:
            found = {digest: self._entries[digest][0] for digest in wanted if digest in self._entries}
            for digest in found:
                self._entries.move_to_end(digest)
        missing = wanted - found.keys()
        if missing:
            texts = load_texts(missing)
            found.update({digest: self._add(digest, texts[digest]) for digest in missing & texts.keys()})
            # Changed between two queries: it denies now, and is not kept, for the text may come back.
            found.update({digest: unreadable("") for digest in missing - texts.keys()})
        return found

    def _add(self, digest: str, text: str) -> Document:
        document = compile_text(text)
        with self._lock:
            if digest not in self._entries:
                self._entries[digest] = (document, len(text))
                self._size += len(text)
            while self._size > self._limit and len(self._entries) > 1:
                _, (_, length) = self._entries.popitem(last=False)
                self._size -= length
        return document


def compile_text(text: str) -> Document:
    """A stored text as the engine wants it; one that can't be read becomes a document that denies everything."""
    try:
        return parse(text)
    except DocumentError:
        return unreadable(text)


compiled_documents = CompiledDocuments(settings.COMPILED_DOCUMENTS_BYTES)
