"""A document's statements, compiled when first needed, and found by action.

The index answers "which statements speak about this action?" without looking at the others, so that a decision costs
what its candidates cost, however many statements there are.
"""

from collections.abc import Callable, Iterable

from policies.engine.conditions import Test, compile_condition
from policies.engine.document import Condition, Document, Statement
from policies.engine.patterns import Glob, compile_glob, compile_pattern
from policies.engine.principals import PrincipalMatcher
from policies.engine.request import Request
from policies.engine.resources import ResourceMatcher

MAX_ACTIONS = 512
_BYTES_PER_DOCUMENT = 4096
_BYTES_PER_CHARACTER = 26
_BYTES_PER_ACTION = 250
_ALL_ACTIONS = ("*", "*:*")


class CompiledStatement:
    """A statement ready to be asked: does it apply to this request?"""

    __slots__ = (
        "denies",
        "document",
        "excludes",
        "meets",
        "principals",
        "resource_element",
        "resources",
        "statement",
        "tests",
    )

    def __init__(self, statement: Statement, document: Document) -> None:
        self.statement = statement
        self.document = document
        self.denies = statement.effect == "Deny"
        self.resources = ResourceMatcher(
            statement.not_resources or statement.resources or ("*",),
            negated=bool(statement.not_resources),
            variables=document.has_variables,
            complete_arns=document.completes_arns,
        )
        self.resource_element = (
            ("NotResource", statement.not_resources) if statement.not_resources else ("Resource", statement.resources)
        )
        self.tests: tuple[Test, ...] = tuple(
            compile_condition(condition, variables=document.has_variables) for condition in statement.conditions
        )
        self.meets = _all_of(self.tests)
        self.principals = PrincipalMatcher(statement.principals) if statement.principals else None
        self.excludes = PrincipalMatcher(statement.not_principals) if statement.not_principals else None

    @property
    def covers_everything(self) -> bool:
        """Applies to every resource, whatever the request."""
        return self.resources.everything and not self.tests

    def applies(self, request: Request) -> bool:
        """Whether resource and conditions match; the index has matched the action."""
        return self.resources.matches(request) and (self.meets is None or self.meets(request))

    def failed_condition(self, request: Request) -> Condition | None:
        """The first condition that the request does not meet."""
        for number, test in enumerate(self.tests):
            if not test(request):
                return self.statement.conditions[number]
        return None


def _all_of(tests: tuple[Test, ...]) -> Test | None:
    """One test for all conditions of a statement; None when it has none."""
    if len(tests) < 2:
        return tests[0] if tests else None

    def meets(request: Request) -> bool:
        for test in tests:  # noqa: SIM110 - a generator costs more than the tests
            if not test(request):
                return False
        return True

    return meets


class ActionIndex:
    """Which statements of a document speak about an action, in the order of the document."""

    __slots__ = ("_compiled", "_document", "_everywhere", "_exact", "_found", "_globs")

    def __init__(self, document: Document) -> None:
        self._document = document
        self._exact: dict[str, list[int]] = {}
        self._globs: dict[str, list[tuple[Glob, int]]] = {}
        self._everywhere: list[tuple[Callable[[str], bool], int]] = []
        self._compiled: dict[int, CompiledStatement] = {}
        self._found: dict[str, tuple[CompiledStatement, ...]] = {}
        for number, statement in enumerate(document.statements):
            self._add(number, statement)

    def _add(self, number: int, statement: Statement) -> None:
        if statement.not_actions:
            self._everywhere.append((_none_of(statement.not_actions), number))
        for text in statement.actions:
            action = text.lower()
            service, _, name = action.partition(":")
            if action in _ALL_ACTIONS:
                self._everywhere.append((_any_action, number))
            elif "*" in name or "?" in name:
                self._globs.setdefault(service, []).append((compile_glob(name), number))
            else:
                self._exact.setdefault(action, []).append(number)

    @property
    def found(self) -> int:
        """For how many actions the statements are remembered."""
        return len(self._found)

    def candidates(self, action: str) -> tuple[CompiledStatement, ...]:
        """The statements whose Action or NotAction fits an action, which is given in lower case."""
        found = self._found.get(action)
        if found is None:
            found = tuple(self._compile(number) for number in sorted(self._numbers(action)))
            if len(self._found) >= MAX_ACTIONS:
                self.forget()
            self._found[action] = found
        return found

    def forget(self) -> None:
        """Let go of what was found by action; what is compiled stays."""
        self._found.clear()

    def _numbers(self, action: str) -> set[int]:
        service, _, name = action.partition(":")
        numbers = set(self._exact.get(action, ()))
        for (beginning, ending, pattern), number in self._globs.get(service, ()):
            at_ends = name.startswith(beginning) and name.endswith(ending, len(beginning))
            if at_ends and (pattern is None or pattern.matches(name)):
                numbers.add(number)
        for fits, number in self._everywhere:
            if fits(action):
                numbers.add(number)
        return numbers

    def _compile(self, number: int) -> CompiledStatement:
        compiled = self._compiled.get(number)
        if compiled is None:
            compiled = CompiledStatement(self._document.statements[number], self._document)
            self._compiled[number] = compiled
        return compiled


def _any_action(action: str) -> bool:
    return True


def _none_of(texts: Iterable[str]) -> Callable[[str], bool]:
    patterns = tuple(compile_pattern("*" if text in _ALL_ACTIONS else text.lower()) for text in texts)
    return lambda action: not any(pattern.matches(action) for pattern in patterns)


def candidates(document: Document, action: str) -> tuple[CompiledStatement, ...]:
    """The statements of a document that speak about an action (in lower case). Compiles what is not compiled yet."""
    index = document.index
    if index is None:
        index = ActionIndex(document)
        object.__setattr__(document, "index", index)
    return index.candidates(action)


def weight_of(document: Document, length: int) -> int:
    """About how many bytes a document of so many characters holds, with all that can be compiled from it and what was
    found by action: rather too many than too few."""
    found = 0 if document.index is None else document.index.found
    return _BYTES_PER_DOCUMENT + _BYTES_PER_CHARACTER * length + _BYTES_PER_ACTION * found
