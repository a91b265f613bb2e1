"""What may become a password, and making one. Two sets of rules: those of the account's password policy (or, without
one, AWS's built-in default), and for the console's own pages also NIST SP 800-63B's: long, and not one that is known.
"""

import re
import secrets
import threading
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from accounts.models import Account, PasswordPolicy
from audit.errors import PasswordPolicyViolation

MAXIMUM_LENGTH = 128
CONSOLE_LENGTH, CONSOLE_LENGTH_WITH_MFA = 15, 8
AWS_LENGTH = 8
PRODUCT = "IAM Console"

SYMBOLS = "!@#$%^&*()_+-=[]{}|'"
_GENERATED_LENGTH = 20
# Nothing that is easily taken for something else when a person copies it from paper.
_GENERATED_KINDS = ("ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789", "!#$%&*+-=_")

# zxcvbn's cost grows with the square of the length; what stands behind these characters only makes a password better.
_ESTIMATED = 72
# Signs that stand for letters ("p4$$"). All readings of them together are tried, so many of them cost seconds.
_SIGNS = frozenset("4@8({[<3691!|7105$+2%")
_MOST_SIGNS, _ESTIMATED_WITH_MORE = 8, 16
_EASY_GUESSES_LOG10 = 8
# zxcvbn keeps the words it is given in a dictionary of the whole process: two threads would mix them.
_ONE_AT_A_TIME = threading.Lock()


def normalise(password: str) -> str:
    """The one form of a password, used when it is set and when it is checked: NFC, else exactly as typed.

    Raises PasswordPolicyViolation for more than 128 characters, before any work is done with them.
    """
    if len(password) > MAXIMUM_LENGTH:
        raise _violation(f"The password has {len(password)} characters; at most {MAXIMUM_LENGTH} are allowed.")
    return unicodedata.normalize("NFC", password)


def check_new_password(
    password: str, *, policy: PasswordPolicy | None, words: Iterable[str], has_mfa: bool, for_console: bool
) -> None:
    """Raise PasswordPolicyViolation, with the reason, for a password that may not be set.

    `words` are what others know of its owner: see `context_words`. `for_console` adds the rules of our own pages.
    Whether it was used before is asked where the earlier ones are known.
    """
    password, words = normalise(password), list(words)
    _check_length(password, minimum_length(policy, has_mfa=has_mfa, for_console=for_console))
    if policy is not None:
        _check_policy_kinds(password, policy)
    elif not for_console:
        _check_builtin_default(password, words)
    if for_console:
        _check_context(password, words)
        _check_known(password)
        _check_guessable(password, words)


def minimum_length(policy: PasswordPolicy | None, *, has_mfa: bool, for_console: bool) -> int:
    """The account's policy decides where there is one (our own pages never go below 8); else length makes up for a
    missing second factor."""
    if policy is not None:
        return max(policy.minimum_password_length, CONSOLE_LENGTH_WITH_MFA if for_console else 0)
    if not for_console:
        return AWS_LENGTH
    return CONSOLE_LENGTH_WITH_MFA if has_mfa else CONSOLE_LENGTH


def context_words(account: Account, *, user_name: str = "", email: str = "") -> list[str]:
    """What an attacker tries first: the account, its alias, the person's name and address."""
    return [word for word in (account.name, account.alias or "", account.id, user_name, email) if word]


def password_policy_of(account_id: str) -> PasswordPolicy | None:
    return PasswordPolicy.objects.filter(account_id=account_id).first()


def rules_in_words(policy: PasswordPolicy | None, *, has_mfa: bool) -> str:
    """One sentence for the help text under a password field of the console."""
    minimum = minimum_length(policy, has_mfa=has_mfa, for_console=True)
    kinds = [name for wanted, name, _ in _wanted_kinds(policy) if wanted] if policy else []
    wanted = f" and needs {' and '.join(kinds)}" if kinds else ""
    return (
        f"It has {minimum} to {MAXIMUM_LENGTH} characters{wanted}. Several words in a row are easy to remember; "
        "common passwords and names of yours are refused."
    )


def generate_password(policy: PasswordPolicy | None) -> str:
    """A random password of at least 20 characters with all four kinds, so that it fits any policy. It begins with a
    letter: a spreadsheet that opens the .csv file must not take it for a formula."""
    length = max(_GENERATED_LENGTH, policy.minimum_password_length if policy else 0)
    letters = _GENERATED_KINDS[0] + _GENERATED_KINDS[1]
    while True:
        rest = "".join(secrets.choice("".join(_GENERATED_KINDS)) for _ in range(length - 1))
        password = secrets.choice(letters) + rest
        if all(any(char in kind for char in password) for kind in _GENERATED_KINDS):
            return password


def _violation(reason: str) -> PasswordPolicyViolation:
    return PasswordPolicyViolation(reason, field="password")


def _check_length(password: str, minimum: int) -> None:
    if len(password) < minimum:
        raise _violation(f"The password has {len(password)} characters; it needs at least {minimum}.")


def _wanted_kinds(policy: PasswordPolicy) -> tuple[tuple[bool, str, re.Pattern[str]], ...]:
    return (
        (policy.require_uppercase_characters, "an upper-case letter", _UPPER),
        (policy.require_lowercase_characters, "a lower-case letter", _LOWER),
        (policy.require_numbers, "a digit", _DIGIT),
        (policy.require_symbols, f"one of the symbols {SYMBOLS}", _SYMBOL),
    )


_UPPER, _LOWER, _DIGIT = re.compile("[A-Z]"), re.compile("[a-z]"), re.compile("[0-9]")
_SYMBOL = re.compile(f"[{re.escape(SYMBOLS)}]")


def _check_policy_kinds(password: str, policy: PasswordPolicy) -> None:
    missing = [name for wanted, name, kind in _wanted_kinds(policy) if wanted and not kind.search(password)]
    if missing:
        raise _violation(f"This account's password policy asks for {' and '.join(missing)}.")


def _check_builtin_default(password: str, words: list[str]) -> None:
    """AWS's default for accounts without a policy (id_credentials_passwords_account-policy)."""
    if sum(bool(kind.search(password)) for kind in (_UPPER, _LOWER, _DIGIT, _SYMBOL)) < 3:
        raise _violation(
            "The password needs three of these four: upper-case letters, lower-case letters, digits, symbols."
        )
    if password.casefold() in {word.casefold() for word in words}:
        raise _violation("The password can't be the account's name or an e-mail address of it.")


def _check_context(password: str, words: Iterable[str]) -> None:
    """A name counts as contained even when it is spread with marks: `a.c.m.e` is `acme`."""
    folded = _letters_and_digits(password)
    for word in sorted(_parts((*words, PRODUCT.replace(" ", ""))), key=len, reverse=True):
        is_most_of_it = not re.sub(r"\d", "", folded.replace(word, ""))
        if word in folded and (len(word) >= 4 or is_most_of_it):
            raise _violation(f"The password contains “{word}”, which is among the first things tried for you.")


def _letters_and_digits(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _parts(words: Iterable[str]) -> set[str]:
    """Each word as a whole, and the parts of it that are words themselves (of an address not its `.example`)."""
    found = set()
    for word in words:
        name = word.rpartition(".")[0] if "@" in word else word
        found |= {_letters_and_digits(name), *(part for part in re.split(r"[\W_]+", name.casefold()) if len(part) >= 4)}
    return found - {""}


@cache
def known_passwords() -> frozenset[str]:
    """About 15,000 passwords of 8 characters or more that were found in breaches, in lower case. Two lists, offline."""
    listed = (*CommonPasswordValidator().passwords, *FREQUENCY_LISTS["passwords"])
    return frozenset(word for word in listed if len(word) >= AWS_LENGTH)


@cache
def _known_cores() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"][:10_000])


def _check_known(password: str) -> None:
    """Also one that is only dressed up: digits and marks around it, or the same thing over and over."""
    folded = password.casefold()
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", folded)
    if folded in known_passwords() or core in known_passwords():
        raise _violation("This password is on the lists of stolen passwords that attackers try first.")
    repeated = re.fullmatch(r"(.{1,16}?)\1+", folded, re.DOTALL)
    if repeated and (len(repeated[1]) < 4 or repeated[1] in _known_cores()):
        raise _violation("This password is one short piece over and over, which is soon guessed.")


def estimate(password: str, words: Iterable[str]) -> dict[str, Any]:
    """What zxcvbn says of a password; `words` are what others know of its owner. Cheap for every text."""
    reach = _ESTIMATED if len(_SIGNS & set(password)) <= _MOST_SIGNS else _ESTIMATED_WITH_MORE
    with _ONE_AT_A_TIME:
        found: dict[str, Any] = zxcvbn(password[:reach], user_inputs=list(words))
    return found


def _check_guessable(password: str, words: list[str]) -> None:
    found = estimate(password, words)
    if found["guesses_log10"] < _EASY_GUESSES_LOG10:
        warning = (found["feedback"]["warning"] or "This is soon guessed").rstrip(".")
        raise _violation(f"{warning}. Add more words that have nothing to do with each other.")
