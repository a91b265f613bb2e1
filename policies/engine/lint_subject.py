"""What the rules of validation look at: a document, the catalogue, and how much work is still allowed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from policies.engine.catalog import Action, Catalog, Service
from policies.engine.document import Document, Statement
from policies.engine.findings import Problem
from policies.engine.overlap import arns_overlap
from policies.engine.spelling import did_you_mean

Place = tuple[int, str] | tuple[int, str, str]
Located = tuple[Place, Problem]

EVERYTHING = ("*", "*:*")
# Guessing what was meant and comparing patterns cost time; a hostile document gets no more of them than these.
_GUESSES = 6
_WORK = 6_000
_NAMES_PER_UNIT = 2


@dataclass(slots=True)
class Subject:
    """One document under validation. What is asked of the catalogue is remembered, for statements repeat it.

    `work` is what is left to do, in units of a few microseconds; when it is used up, questions are answered so that
    nothing is found.
    """

    document: Document
    catalog: Catalog
    unknown_services: bool = True
    guesses: int = _GUESSES
    work: int = _WORK
    _actions: dict[str, tuple[Action, ...]] = field(default_factory=dict)
    _kinds: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    _fits: dict[tuple[str, str], bool] = field(default_factory=dict)

    @property
    def grants(self) -> bool:
        """Whether its Allow statements allow by themselves: boundaries and control policies only limit."""
        return self.document.kind in ("identity", "session", "resource", "trust")

    def guess(self, word: str, known: list[str]) -> str:
        """What was meant, if there is time left for guessing; "" when nothing is close."""
        if self.guesses <= 0:
            return ""
        self.guesses -= 1
        hint = did_you_mean(word, [each for each in known if abs(len(each) - len(word)) <= 8])
        return hint if hint.startswith("Did") else ""

    def service_of(self, action: str) -> Service | None:
        return self.catalog.service(action.partition(":")[0])

    def actions(self, text: str) -> tuple[Action, ...] | None:
        """The actions that a text of an Action element names; None when there are too many to look at."""
        key = text.lower()
        if key not in self._actions:
            if self.is_tired:
                return None
            service = self.service_of(key)
            self.work -= 1
            if service is not None and ("*" in key[:-1] or "?" in key):
                self.work -= len(service.actions) // _NAMES_PER_UNIT
            self._actions[key] = tuple(self.catalog.matching(key))
        return self._actions[key]

    def kinds(self, text: str) -> tuple[str, ...] | None:
        """The ARN patterns of the resources that the actions of a text work on; None when not all are known."""
        key = text.lower()
        if key not in self._kinds:
            self._kinds[key] = self._kinds_of(self.actions(text))
        return self._kinds[key]

    def _kinds_of(self, found: tuple[Action, ...] | None) -> tuple[str, ...] | None:
        service = self.catalog.service(found[0].service) if found else None
        if not found or service is None or not all(action.is_complete for action in found):
            return None
        names = {name.lower() for action in found for name in action.resource_types}
        return tuple(service.resource_types[name].pattern for name in sorted(names))

    def fits(self, resource: str, arn: str) -> bool:
        """Whether a resource of a statement can name a thing of an ARN pattern; True when there is no time to look."""
        if resource == "*":
            return True
        key = (resource, arn)
        if key not in self._fits:
            if self.is_tired:
                return True
            self.work -= 1 + len(resource) // 64
            self._fits[key] = arns_overlap(resource, arn)
        return self._fits[key]

    @property
    def is_tired(self) -> bool:
        return self.work <= 0


Rule = Callable[[Statement, Subject], Iterator[Located]]
