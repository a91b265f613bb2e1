"""How hard a password is to guess, in words, while somebody thinks one up. The rules themselves are elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts import passwords

_WORDS = ("Very weak", "Weak", "Fair", "Good", "Strong")


@dataclass(frozen=True, slots=True)
class Strength:
    """`score` is 0 to 4."""

    score: int
    word: str
    advice: str
    length: int


def estimate(password: str, words: Sequence[str]) -> Strength | None:
    """None for nothing typed, or more than can be a password."""
    if not 0 < len(password) <= passwords.MAXIMUM_LENGTH:
        return None
    found = passwords.estimate(password, words)
    advice = " ".join(part for part in (found["feedback"]["warning"], *found["feedback"]["suggestions"][:1]) if part)
    return Strength(found["score"], _WORDS[found["score"]], advice, len(password))
