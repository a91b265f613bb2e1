"""What was built from fetched rows, for as long as the database goes on returning equal rows."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from database.prepared import FetchedRow

Built = TypeVar("Built")


class RowCache(Generic[Built]):
    """The database is asked at every call; what `build` made of its answer is returned again while the next answer is
    equal, so that nothing can be stale. To compare two answers takes a tenth of building. Values are shared between
    calls: who gets one only reads it.

    At most `most_rows` rows are kept; the oldest answer goes first.
    """

    def __init__(self, build: Callable[[FetchedRow], Built], most_rows: int = 10_000) -> None:
        self._build, self._most = build, most_rows
        self._kept: dict[Hashable, tuple[FetchedRow, Built]] = {}
        self._rows = 0
        self._changing = Lock()

    def get(self, key: Hashable, fetched: FetchedRow) -> Built:
        """`key` names the query and its values: one answer is kept for each."""
        kept = self._kept.get(key)
        if kept is not None and kept[0] == fetched:
            return kept[1]
        built = self._build(fetched)
        with self._changing:
            self._keep(key, fetched, built)
        return built

    def _keep(self, key: Hashable, fetched: FetchedRow, built: Built) -> None:
        self._drop(key)
        self._kept[key] = fetched, built
        self._rows += _rows(fetched)
        while self._rows > self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        if key in self._kept:
            fetched, _ = self._kept.pop(key)
            self._rows -= _rows(fetched)


def _rows(fetched: FetchedRow) -> int:
    return 1 + len(fetched.related)
