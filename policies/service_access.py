"""Which services a document opens at all, whatever the resource and the condition (service last accessed)."""

from collections.abc import Iterable
from functools import cache

from policies.engine import Document, Statement
from policies.engine.catalog import Catalog
from policies.engine.patterns import compile_pattern


@cache
def service_names() -> dict[str, str]:
    """Every service that AWS has, by namespace, with its name for people."""
    return Catalog().service_names()


def services_granted(document: Document, namespaces: Iterable[str]) -> set[str]:
    """Those of the namespaces in which some statement allows some action."""
    allows = [statement for statement in document.statements if statement.effect == "Allow"]
    return {name for name in namespaces if any(_opens(statement, name) for statement in allows)}


def _opens(statement: Statement, namespace: str) -> bool:
    if statement.not_actions:
        return not any(_covers_whole(pattern, namespace) for pattern in statement.not_actions)
    return any(_names(pattern, namespace) for pattern in statement.actions)


def _names(pattern: str, namespace: str) -> bool:
    return compile_pattern(pattern.partition(":")[0].lower()).matches(namespace)


def _covers_whole(pattern: str, namespace: str) -> bool:
    return pattern.partition(":")[2] in ("", "*") and _names(pattern, namespace)
