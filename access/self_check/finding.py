"""One thing that is wrong, and the check that found it. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from access.self_check.facts import Facts, Link

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
Kind = Literal["root", "users", "permissions", "account"]
KINDS: dict[Kind, str] = {
    "root": "Root user",
    "users": "Users and their credentials",
    "permissions": "Permissions and trust",
    "account": "Account settings",
}


class Finding(NamedTuple):
    """`key` names what was found for good: unique ids, and the digest of a document, so that what somebody accepted
    comes back when the document changes. `link` is the page on which it is mended."""

    subject: str
    what: str  # user, role, policy, …
    sentence: str
    link: Link
    key: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the account. `reads` are the actions that show what it looks at: who may not do all of them
    does not see its answer."""

    code: str
    kind: Kind
    severity: Severity
    title: str
    why: str
    remedy: str
    link_text: str
    reads: tuple[str, ...]
    find: Callable[[Facts, datetime], Iterator[Finding]]
    root_mends: bool = False  # nobody else reaches what the link leads to


def days(age: timedelta) -> str:
    """“45 days”, “1 day”."""
    return f"{age.days} day{'' if age.days == 1 else 's'}"
