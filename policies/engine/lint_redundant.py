"""What could be left out of a document: it says it twice, or something wider says it too."""

from collections import Counter
from collections.abc import Iterator

from policies.engine.document import Document, Statement
from policies.engine.findings import Problem
from policies.engine.lint_subject import EVERYTHING, Located, Subject
from policies.engine.patterns import Pattern, compile_pattern

# Lists too long for comparing each entry with each are only looked through for doubles.
_COMPARED_CHARACTERS = 500_000
# Statements are compared with each other where there are few texts in them.
_COMPARED_TEXTS = 120


def redundant_texts(statement: Statement, subject: Subject) -> Iterator[Located]:
    """Texts of a list that another text of it covers."""
    actions = tuple(text.lower() for text in (statement.actions or statement.not_actions))
    resources = statement.resources or statement.not_resources
    lists = (
        (actions, "NotAction" if statement.not_actions else "Action", "REDUNDANT_ACTION"),
        (resources, "NotResource" if statement.not_resources else "Resource", "REDUNDANT_RESOURCE"),
    )
    for texts, element, code in lists:
        for text in _covered(texts):
            message = f'"{text}" is covered by another entry of the list.'
            yield (statement.index, element), Problem(code, message, "Remove it.", "suggestion", text)


def _covered(texts: tuple[str, ...]) -> list[str]:
    counts = Counter(texts)
    covered = [text for text, times in counts.items() if times > 1]
    wild = [text for text in counts if "*" in text or "?" in text]
    if len(wild) * sum(map(len, counts)) > _COMPARED_CHARACTERS:
        return covered
    wide = [(text, compile_pattern(text)) for text in wild]
    return [
        text for text in counts if text in covered or any(text != wider and each.matches(text) for wider, each in wide)
    ]


def redundant_statements(document: Document) -> Iterator[Located]:
    """Statements that another one makes superfluous."""
    seen: dict[object, int] = {}
    doubles: set[int] = set()
    for statement in document.statements:
        content = (
            statement.effect,
            *_texts(statement),
            statement.principals,
            statement.not_principals,
            _when(statement),
        )
        if content in seen:
            message = f"This statement says the same as statement {seen[content] + 1}."
            doubles.add(statement.index)
            yield (statement.index, ""), Problem("REDUNDANT_STATEMENT", message, "Remove it.", "suggestion")
        seen.setdefault(content, statement.index)
    yield from _covered_statements([each for each in document.statements if each.index not in doubles])


def _texts(statement: Statement) -> tuple[frozenset[str], ...]:
    return (
        frozenset(statement.actions),
        frozenset(statement.not_actions),
        frozenset(statement.resources),
        frozenset(statement.not_resources),
    )


def _when(statement: Statement) -> frozenset[object]:
    return frozenset(statement.conditions)


def _covered_statements(statements: list[Statement]) -> Iterator[Located]:
    if sum(len(each.actions) + len(each.resources) for each in statements) > _COMPARED_TEXTS:
        return
    for statement in statements:
        wider = next((each for each in statements if each is not statement and _covers(each, statement)), None)
        if wider is not None:
            message = f"Statement {wider.index + 1} says all that this one says."
            yield (statement.index, ""), Problem("REDUNDANT_STATEMENT", message, "Remove it.", "suggestion")


def _covers(wider: Statement, statement: Statement) -> bool:
    """Whether a statement applies wherever another one does, with the same effect."""
    if wider.effect != statement.effect or wider.principals != statement.principals:
        return False
    if any((each.not_actions or each.not_resources or each.not_principals) for each in (wider, statement)):
        return False
    if not _when(wider) <= _when(statement):
        return False
    lower = [text.lower() for text in statement.actions]
    actions = [compile_pattern("*" if text in EVERYTHING else text.lower()) for text in wider.actions]
    resources = [compile_pattern(text) for text in wider.resources]
    return _all_match(actions, lower) and _all_match(resources, statement.resources)


def _all_match(patterns: list[Pattern], texts: "list[str] | tuple[str, ...]") -> bool:
    return all(any(pattern.matches(text) for pattern in patterns) for text in texts)


RULES = (redundant_texts,)
