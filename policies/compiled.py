"""What is compiled from stored documents, kept between requests in caches that are bounded in bytes.

Documents are kept by digest, and a digest's text never changes; policy sets by the digests, sources and origins of
all their documents, so that a set can answer for exactly the policies that were just read and for no others. Which
policies those are is read from the database at every decision; nothing here can be stale.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.conf import settings

from policies.engine import AttachedPolicy, Document, DocumentError, DocumentKind, PolicySet, parse, unreadable
from policies.engine.index import weight_of as weight_of_document
from policies.engine.plan import weight_of as weight_of_plans

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_BYTES_PER_POLICY = 1500
# How many policy sets are asked for between two lines in the log.
REPORT_EVERY = 50_000
logger = logging.getLogger("iamconsole.policies")


@dataclass(slots=True)
class Kept(Generic[V]):
    value: V
    weigh: Callable[[], int]
    weight: int


class ByteCache(Generic[K, V]):
    """The values used last, as many as weigh no more than `limit_bytes`. What is compiled grows while it is used, so
    a value is weighed again whenever it is asked for."""

    def __init__(self, limit_bytes: int, dropped: Callable[[K, V], None] = lambda key, value: None) -> None:
        self.limit = limit_bytes
        self.hits = 0
        self.misses = 0
        self.weight = 0
        self._dropped = dropped
        self._kept: OrderedDict[K, Kept[V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        kept = self._kept.get(key)
        if kept is None:
            self.misses += 1
            return None
        self.hits += 1
        self._kept.move_to_end(key)
        weight = kept.weigh()
        self.weight += weight - kept.weight
        kept.weight = weight
        self._make_room()
        return kept.value

    def put(self, key: K, value: V, weigh: Callable[[], int]) -> None:
        self.drop(key)
        self._kept[key] = Kept(value, weigh, weigh())
        self.weight += self._kept[key].weight
        self._make_room()

    def peek(self, key: K) -> V | None:
        """As `get`, without counting."""
        kept = self._kept.get(key)
        return None if kept is None else kept.value

    def drop(self, key: K) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.weight -= kept.weight
            self._dropped(key, kept.value)

    def _make_room(self) -> None:
        while self.weight > self.limit:
            self.drop(next(iter(self._kept)))

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def asked(self) -> int:
        return self.hits + self.misses

    @property
    def hit_rate(self) -> float:
        """The share of questions answered from the cache since the process started; 0 before the first."""
        return self.hits / self.asked if self.hits else 0.0


DocumentKey = tuple[DocumentKind, str]
Layers = tuple[tuple[str, tuple[AttachedPolicy, ...]], ...]


class CompiledDocuments:
    """Half of the bytes are for documents, half for what is planned from them. A document that goes takes the policy
    sets along that were made with it, so that nothing is held uncounted."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self.documents: ByteCache[DocumentKey, Document] = ByteCache(limit_bytes // 2, self._document_dropped)
        self.policy_sets: ByteCache[Hashable, PolicySet] = ByteCache(limit_bytes // 2, self._set_dropped)
        self._made_with: dict[DocumentKey, set[Hashable]] = {}
        self._lock = threading.RLock()

    def get_many(
        self,
        digests: Iterable[str],
        load_texts: Callable[[set[str]], Mapping[str, str]],
        kind: DocumentKind = "identity",
    ) -> dict[str, Document]:
        """Documents by digest; `load_texts` is asked once, for the digests that are not compiled yet."""
        wanted = set(digests)
        with self._lock:
            cached = {digest: self.documents.get((kind, digest)) for digest in wanted}
        found = {digest: document for digest, document in cached.items() if document is not None}
        missing = wanted - found.keys()
        if missing:
            texts = load_texts(missing)
            found.update({digest: self._add(kind, digest, texts[digest]) for digest in missing & texts.keys()})
            # Changed between two queries: it denies now, and is not kept, for the text may come back.
            found.update({digest: unreadable("") for digest in missing - texts.keys()})
        return found

    def _add(self, kind: DocumentKind, digest: str, text: str) -> Document:
        document, length = compile_text(text, kind), len(text)
        with self._lock:
            if self.documents.peek((kind, digest)) is None:
                self.documents.put((kind, digest), document, lambda: weight_of_document(document, length))
        return document

    def cached_set(self, key: Hashable) -> PolicySet | None:
        """The policy set that was shared by this key, while it is kept."""
        with self._lock:
            return self.policy_sets.get(key)

    def shared(self, policies: PolicySet, key: Hashable = None) -> PolicySet:
        """The policy set that was made of the same documents before, with the plans it carries; else this one. `key`
        tells the sets apart, where it is known before they are made: then `cached_set` has been asked."""
        find = self.policy_sets.get if key is None else self.policy_sets.peek
        layers = _layers(policies)
        attached = [(_key(name, policy), policy) for name, layer in layers for policy in layer]
        if key is None:
            named = ((name, *((each.source, each.origin, each.digest) for each in layer)) for name, layer in layers)
            key = (policies.resource_required, *named)
        with self._lock:
            # Documents that are not kept, as those that could not be found, must not be answered for later.
            if any(self.documents.peek(document) is not each.document for document, each in attached):
                return policies
            known = find(key)
            if known is None:
                weight = _BYTES_PER_POLICY * (len(attached) + 1)
                for document, _ in attached:
                    self._made_with.setdefault(document, set()).add(key)
                self.policy_sets.put(key, policies, lambda: weight + weight_of_plans(policies.plans))
            if self.policy_sets.asked % REPORT_EVERY == 0:
                logger.info(self.report())
        return known or policies

    def report(self) -> str:
        """For operators: whether the cache pays off, and whether its bytes suffice."""
        documents, sets = self.documents, self.policy_sets
        taken, limit = self.weight // 1024, self._limit // 1024
        return (
            f"Compiled policies: {len(documents)} documents ({documents.hit_rate:.1%} found) and "
            f"{len(sets)} policy sets ({sets.hit_rate:.1%} found) in {taken} KiB of {limit}."
        )

    def _document_dropped(self, document: DocumentKey, compiled: Document) -> None:
        for key in self._made_with.pop(document, ()):
            self.policy_sets.drop(key)

    def _set_dropped(self, key: Hashable, policies: PolicySet) -> None:
        for name, layer in _layers(policies):
            for document in (_key(name, each) for each in layer):
                made = self._made_with.get(document, set())
                made.discard(key)
                if not made:
                    self._made_with.pop(document, None)

    @property
    def weight(self) -> int:
        """About how many bytes are held."""
        return self.documents.weight + self.policy_sets.weight


def _key(layer: str, policy: AttachedPolicy) -> DocumentKey:
    """What a resource's policy says is a role's trust policy here: the same text is read as another kind there."""
    return ("trust" if layer == "resource" else "identity"), policy.digest


def _layers(policies: PolicySet) -> Layers:
    """All documents of a policy set, layer by layer and level by level."""
    single = (("boundary", policies.boundary), ("resource", policies.resource))
    several = (("identity", policies.identity), ("session", policies.session), ("endpoint", policies.endpoint))
    levels = (("service control", policies.service_control), ("resource control", policies.resource_control))
    return (
        *((name, (policy,)) for name, policy in single if policy is not None),
        *((name, layer) for name, layer in several if layer is not None),
        *((name, level) for name, some in levels for level in some),
    )


def compile_text(text: str, kind: DocumentKind = "identity") -> Document:
    """A stored text as the engine wants it; one that can't be read becomes a document that denies everything."""
    try:
        return parse(text, kind)
    except DocumentError:
        return unreadable(text)


compiled_documents = CompiledDocuments(settings.COMPILED_DOCUMENTS_BYTES)
