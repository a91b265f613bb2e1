"""What the gate has allowed while one request is answered, so that the event of the change can name what allowed it.

The gate notes, `audit.services.record` looks up; in between are services that know neither. Pure: a context variable,
emptied by the guard at the beginning and at the end of each request.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from audit.explanation import Explanation, brief
from policies.engine import Decision, PolicySet

# A page that asks for very many things is a list, and lists change nothing.
MOST_NOTES = 1000

_Note = tuple[str, str, Decision, PolicySet]
_notes: ContextVar[list[_Note] | None] = ContextVar("decisions", default=None)


@contextmanager
def noting() -> Iterator[None]:
    """One request: what is noted inside is forgotten at its end."""
    token = _notes.set([])
    try:
        yield
    finally:
        _notes.reset(token)


def note(action: str, resource: str, decision: Decision, policies: PolicySet) -> None:
    """Remember something that was allowed."""
    notes = _notes.get()
    if notes is not None and len(notes) < MOST_NOTES:
        notes.append((action, resource, decision, policies))


def explained(action: str, resource: str) -> Explanation | None:
    """What allowed an action, on that resource if it was asked for, or else on the last one that was."""
    notes = [each for each in _notes.get() or () if each[0] == action]
    if not notes:
        return None
    _, _, decision, policies = next((each for each in notes if each[1] == resource), notes[-1])
    return brief(policies, decision)
