"""The estimate of a password, which anybody may ask for."""

import pytest

from access.password_strength import estimate
from tests.rig.work import at_most


def test_a_longer_password_of_words_is_judged_better() -> None:
    weak, strong = estimate("passw0rd", []), estimate("copper meadow violin 4482", [])
    assert weak and strong and weak.score < strong.score


@pytest.mark.bar(129)
@pytest.mark.parametrize("text", ["@4{(<6931!|7105$+2%" * 4, "({[<1!|17+@4$5" * 6])
def test_signs_that_stand_for_letters_cost_little(text: str) -> None:
    with at_most(60_000):
        assert estimate(text, []) is not None
