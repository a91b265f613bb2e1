"""Shapes of names, paths, aliases, e-mails and tags (the IAM service model and the user guide's quotas page). Pure.

Each check returns the sentence that a person needs, or '' when the value is fine; forms and services share them.
"""

import re
import unicodedata
from collections.abc import Mapping

_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]+")
_PATH = re.compile(r"/|/[\x21-\x7e]+/")
_POLICY_PATH = re.compile(r"(/[A-Za-z0-9.,+@=_-]+)*/")
_NOT_IN_DESCRIPTION = re.compile(r"[^\t\n\r\x20-\x7e\xa1-\xff]")
_ALIAS = re.compile(r"[a-z0-9](?:[a-z0-9]|-(?!-)){1,61}[a-z0-9]")
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+"
)
_TAG_MARKS = frozenset("_.:/=+-@")

NAME_LETTERS = "letters, digits and _ + = , . @ -"


def name_problem(value: str, limit: int, what: str = "name") -> str:
    """Names of users (64), groups and policies (128)."""
    if not value:
        return f"Enter a {what}."
    if len(value) > limit:
        return f"The {what} has {len(value)} characters; at most {limit} are allowed."
    if not _NAME.fullmatch(value):
        wrong = next((char for char in value if not _NAME.fullmatch(char)), "")
        shown = "a space" if wrong.isspace() else f"“{wrong}”"
        return f"The {what} can't contain {shown}; use {NAME_LETTERS}."
    return ""


def path_problem(value: str, *, for_policy: bool = False) -> str:
    """Paths begin and end with a slash; those of managed policies allow fewer characters."""
    if len(value) > 512:
        return f"The path has {len(value)} characters; at most 512 are allowed."
    if for_policy and not _POLICY_PATH.fullmatch(value):
        return "A policy's path begins and ends with / and holds letters, digits and . , + @ = _ - between slashes."
    if not _PATH.fullmatch(value):
        return "A path begins and ends with /, like /engineering/, and has no spaces."
    return ""


def description_problem(value: str, limit: int) -> str:
    """Descriptions of roles: printable Latin-1 with line breaks and tabs."""
    if len(value) > limit:
        return f"The description has {len(value)} characters; at most {limit} are allowed."
    if strange := _NOT_IN_DESCRIPTION.search(value):
        shown = f"“{strange.group()}”" if strange.group().isprintable() else "a control character"
        return f"The description can't contain {shown}."
    return ""


def alias_problem(value: str) -> str:
    if _ACCOUNT_ID.fullmatch(value):
        return "An alias can't be 12 digits: it would look like an account id."
    if not 3 <= len(value) <= 63:
        return f"The alias has {len(value)} characters; it needs 3 to 63."
    if not _ALIAS.fullmatch(value):
        return (
            "An alias holds lower-case letters, digits and single hyphens, and begins and ends with a letter or digit."
        )
    return ""


def is_account_id(value: str) -> bool:
    return bool(_ACCOUNT_ID.fullmatch(value))


def email_problem(value: str) -> str:
    if not value:
        return "Enter an e-mail address."
    if not value.isascii():
        return "Use an e-mail address in plain ASCII letters: look-alike letters could belong to somebody else."
    if len(value) > 254 or not _EMAIL.fullmatch(value):
        return f"“{value[:80]}” is not an e-mail address; it looks like name@example.com."
    return ""


def comparison_key(value: str) -> str:
    """The one form by which e-mails and names are compared: NFKC, case-folded."""
    return unicodedata.normalize("NFKC", value).casefold()


def _tag_text_ok(text: str) -> bool:
    return all(char in _TAG_MARKS or unicodedata.category(char)[0] in "LZN" for char in text)


def tag_problem(key: str, value: str) -> str:
    if not key:
        return "A tag needs a key."
    if len(key) > 128:
        return f"The tag key has {len(key)} characters; at most 128 are allowed."
    if len(value) > 256:
        return f"The value of tag “{key}” has {len(value)} characters; at most 256 are allowed."
    for text in (key, value):
        if text.lower().startswith("aws:"):
            return "Tag keys and values can't begin with aws: – that prefix is reserved."
        if not _tag_text_ok(text):
            return f"Tag “{key}” holds a character that is not allowed; use letters, digits, spaces and _ . : / = + - @"
    return ""


def tags_problem(tags: Mapping[str, str], limit: int, *, ignore_case: bool = True) -> str:
    """Keys of users' and roles' tags compare ignoring case, those of everything else exactly."""
    if len(tags) > limit:
        return f"{len(tags)} tags are too many; at most {limit} are allowed."
    if ignore_case and len({key.casefold() for key in tags}) < len(tags):
        return "Duplicate tag keys found. Please note that Tag keys are case insensitive."
    return next((problem for key, value in tags.items() if (problem := tag_problem(key, value))), "")
