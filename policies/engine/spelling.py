"""Guesses what was meant by a misspelt word."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint naming the closest known word, or the known ones; case makes no difference."""
    by_lower = {each.lower(): each for each in known}
    close = get_close_matches(word.lower()[:64], by_lower, n=1, cutoff=0.6)
    if close:
        return f'Did you mean "{by_lower[close[0]]}"?'
    return "Remove it." if len(by_lower) > 12 else f"Known are {', '.join(by_lower.values())}."
