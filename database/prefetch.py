"""Related rows that were read together with their owner. Django's own place for them wants a queryset for each, which
costs more than most of what is in it."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model

_PREFETCHED = "_prefetched"


def set_prefetched(row: Model, name: str, related: Iterable[Any]) -> None:
    """Let `related_rows(row, name)` return these rows without a query."""
    row.__dict__.setdefault(_PREFETCHED, {})[name] = list(related)


def related_rows(row: Model, name: str) -> Iterable[Any]:
    """The rows of `row.<name>.all()`: those of `set_prefetched` or of Django's `prefetch_related`, or else asked for
    now."""
    for place in (_PREFETCHED, "_prefetched_objects_cache"):
        known: Iterable[Any] | None = row.__dict__.get(place, {}).get(name)
        if known is not None:
            return known
    everything: Iterable[Any] = getattr(row, name).all()
    return everything
