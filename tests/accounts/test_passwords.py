import time
from collections.abc import Iterable
from typing import Any

import pytest

from accounts.models import Account, PasswordPolicy
from accounts.passwords import check_new_password, context_words, generate_password, known_passwords, normalise
from audit.errors import PasswordPolicyViolation
from tests.rig.work import at_most

GOOD = "copper meadow violin 4482"


def check(
    password: str,
    *,
    policy: PasswordPolicy | None = None,
    words: Iterable[str] = ("Acme", "alice"),
    has_mfa: bool = False,
    for_console: bool = True,
) -> None:
    check_new_password(password, policy=policy, words=words, has_mfa=has_mfa, for_console=for_console)


def reason(password: str, **facts: Any) -> str:
    with pytest.raises(PasswordPolicyViolation) as refused:
        check(password, **facts)
    assert refused.value.field == "password"
    return refused.value.message


@pytest.mark.bar(2)
@pytest.mark.parametrize(
    ("length", "has_mfa", "for_console", "accepted"),
    [(14, False, True, False), (15, False, True, True), (7, True, True, False), (8, True, True, True)]
    + [(7, False, False, False), (8, False, False, True), (64, False, True, True), (128, False, True, True)]
    + [(129, False, True, False), (129, False, False, False)],
)
def test_it_asks_for_length(length: int, has_mfa: bool, for_console: bool, accepted: bool) -> None:
    password = ("uG7#kz!Qv2mWx9Lp" * 9)[:length] if length < 16 else ("uG7#kz!Qv2mWx9Lp-" + "tr9-Vb" * 30)[:length]
    if accepted:
        check(password, has_mfa=has_mfa, for_console=for_console)
    else:
        assert "characters" in reason(password, has_mfa=has_mfa, for_console=for_console)


@pytest.mark.bar(3)
def test_a_password_keeps_case_and_spaces_and_has_one_form() -> None:
    assert normalise("  Ünter Den Linden ") == normalise("  U\u0308nter Den Linden ") == "  Ünter Den Linden "


@pytest.mark.bar(3)
def test_it_never_cuts_a_password() -> None:
    assert "129 characters" in reason("x" * 129)


@pytest.mark.bar(24)
def test_a_very_long_password_costs_nothing() -> None:
    password = "\u0958" * 10_000_000  # Seconds of work for whoever brings it into its normal form.
    began = time.process_time()
    with pytest.raises(PasswordPolicyViolation):
        normalise(password)
    assert "10000000" in reason(password)
    assert time.process_time() - began < 0.5


@pytest.mark.bar(129)
def test_signs_that_stand_for_letters_cost_little() -> None:
    """All readings of them together would keep everybody else waiting for seconds who sets a password."""
    with at_most(100_000):
        check("@{4($<1!|7105+2%63[" + "q{w" * 12)


@pytest.mark.bar(4)
def test_it_knows_thousands_of_stolen_passwords() -> None:
    assert len(known_passwords()) >= 3000
    assert all(len(password) >= 8 for password in known_passwords())


@pytest.mark.bar(4)
@pytest.mark.parametrize("password", ["password", "Password123!", "sunshine", "TRUSTNO1", "football99999999"])
def test_it_refuses_stolen_passwords(password: str) -> None:
    assert "stolen passwords" in reason(password, has_mfa=True)


@pytest.mark.bar(4)
@pytest.mark.parametrize("password", ["aaaaaaaaaaaaaaaa", "abcabcabcabcabc", "lovelovelovelove"])
def test_it_refuses_repetition(password: str) -> None:
    assert "over and over" in reason(password)


@pytest.mark.bar(4)
@pytest.mark.parametrize("password", ["qwertyuiopasdfg", "abcdefghijklmnop", "12345678901234567"])
def test_it_refuses_what_is_soon_guessed(password: str) -> None:
    assert reason(password)


@pytest.mark.bar(4)
@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("Rockets are fine 1977", "rockets"),
        ("we are a.c.m.e-rockets", "acmerockets"),
        ("my ALICE is lovely 12", "alice"),
        ("long live iam-console", "iamconsole"),
        ("owner at harbourmail", "harbourmail"),
    ],
)
def test_it_refuses_names_that_others_know(password: str, word: str) -> None:
    account = Account(id="111122223333", name="Acme Rockets", alias="acme-rockets")
    words = context_words(account, user_name="alice", email="root@harbourmail.example")
    assert f"“{word}”" in reason(password, words=words)


@pytest.mark.bar(4)
def test_a_short_name_inside_a_word_is_no_reason_to_refuse() -> None:
    check("the bobcat sleeps soundly", words=["bob"])
    assert "“bob”" in reason("bob19731973197319", words=["bob"])


@pytest.mark.bar(5)
def test_the_console_asks_for_no_kinds_and_knows_no_expiry() -> None:
    check("nothing but small letters here")
    assert PasswordPolicy().max_password_age == 0
    assert not PasswordPolicy().require_symbols


@pytest.mark.parametrize("password", ["Abcdef12", "abcdef1!", "ABCDEF1!", "Abcdefg!"])
def test_programs_may_set_what_aws_accepts(password: str) -> None:
    check(password, for_console=False)


@pytest.mark.parametrize("password", ["abcdefgh", "ABCDEFG1", "abcdef12", "abcdef!!"])
def test_programs_need_three_kinds(password: str) -> None:
    assert "three of these four" in reason(password, for_console=False)


def test_programs_may_not_set_the_account_name() -> None:
    assert "account's name" in reason("Rockets-4-all", words=["rockets-4-ALL"], for_console=False)


@pytest.mark.parametrize(
    ("rule", "password", "wanted"),
    [
        ("require_symbols", "copper meadow violin", "symbols"),
        ("require_numbers", "copper meadow violin", "a digit"),
        ("require_uppercase_characters", "copper meadow violin", "an upper-case letter"),
        ("require_lowercase_characters", "COPPER MEADOW VIOLIN", "a lower-case letter"),
    ],
)
def test_a_policy_decides_the_kinds_for_both_doors(rule: str, password: str, wanted: str) -> None:
    for door in (True, False):
        assert wanted in reason(password, policy=PasswordPolicy(**{rule: True}), for_console=door)


def test_a_policy_decides_the_length() -> None:
    assert "at least 30" in reason(GOOD, policy=PasswordPolicy(minimum_password_length=30), has_mfa=True)
    check("zy9!xk", policy=PasswordPolicy(), for_console=False)
    assert "at least 8" in reason("zy9!xk", policy=PasswordPolicy())


def test_a_generated_password_fits_every_policy() -> None:
    everything = PasswordPolicy(
        minimum_password_length=100,
        require_symbols=True,
        require_numbers=True,
        require_uppercase_characters=True,
        require_lowercase_characters=True,
    )
    for policy in (None, everything):
        password = generate_password(policy)
        assert password[0].isalpha()
        check(password, policy=policy)
        check(password, policy=policy, for_console=False)
    assert len({generate_password(None) for _ in range(50)}) == 50
