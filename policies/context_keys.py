"""The condition keys that documents mention, in conditions and in variables: what a simulation has to be told."""

from collections.abc import Iterable, Iterator

from policies.engine import Document, Statement
from policies.engine.catalog import BUILT_IN
from policies.engine.index import candidates
from policies.engine.variables import Variable, VariableError, split


def keys_of(documents: Iterable[Document]) -> list[str]:
    """Every key once, in the order of the alphabet."""
    return _sorted(key for document in documents for each in document.statements for key in _keys(each, document))


def keys_asked(documents: Iterable[Document], action: str) -> list[str]:
    """The keys of the statements that speak about an action."""
    return _sorted(
        key
        for document in documents
        for compiled in candidates(document, action.lower())
        for key in _keys(compiled.statement, document)
    )


def _sorted(keys: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for key in keys:
        found.setdefault(key.lower(), key)
    return [found[key] for key in sorted(found)]


def _keys(statement: Statement, document: Document) -> Iterator[str]:
    for condition in statement.conditions:
        yield condition.key
    if document.has_variables:
        for text in _texts(statement):
            yield from _variables(text)


def _texts(statement: Statement) -> Iterator[str]:
    yield from statement.resources
    yield from statement.not_resources
    for condition in statement.conditions:
        yield from condition.values


def _variables(text: str) -> Iterator[str]:
    try:
        parts = split(text, active=True)
    except VariableError:
        return
    for part in parts:
        if isinstance(part, Variable):
            yield _spelled(part.key)


def _spelled(key: str) -> str:
    """Variables are kept in lower case; the catalogue knows how the key is written."""
    known = BUILT_IN.condition_key(key)
    return known.name if known and "${" not in known.name else key
