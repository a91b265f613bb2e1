"""How hard a password is to guess, in words, while somebody thinks one up. The rules themselves are elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from zxcvbn import zxcvbn

from accounts.passwords import MAXIMUM_LENGTH

# The cost of an estimate grows with the square of the length; more characters only make a password better.
_ESTIMATED = 72
# Signs that stand for letters ("p4$$"). All readings of them together are tried, so many of them cost seconds.
_SIGNS = frozenset("4@8({[<3691!|7105$+2%")
_MOST_SIGNS, _ESTIMATED_WITH_MORE = 8, 16
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
    if not 0 < len(password) <= MAXIMUM_LENGTH:
        return None
    found = zxcvbn(password[: _reach(password)], user_inputs=list(words))
    advice = " ".join(part for part in (found["feedback"]["warning"], *found["feedback"]["suggestions"][:1]) if part)
    return Strength(found["score"], _WORDS[found["score"]], advice, len(password))


def _reach(password: str) -> int:
    """How many characters are looked at. Anybody may ask, so that the answer has to be cheap for every text."""
    return _ESTIMATED if len(_SIGNS & set(password)) <= _MOST_SIGNS else _ESTIMATED_WITH_MORE
