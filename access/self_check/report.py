"""What the self-check says to somebody: the findings of the checks whose reads they may do, the gravest first."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from access.models import AcceptedFinding
from access.self_check.checks import CHECKS
from access.self_check.facts import Facts
from access.self_check.finding import SEVERITIES, Check, Finding
from access.self_check.reading import read_facts
from audit import clock

# So many policies that nobody has looked at yet are looked at in one request: well under a second.
MOST_NEW = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """A finding with its check; `accepted` where somebody accepted it for a while."""

    check: Check
    finding: Finding
    accepted: AcceptedFinding | None = None

    def id_in(self, account_id: str) -> str:
        """How an address names it: keys of findings may hold what not everybody may see, such as key ids."""
        return finding_id(account_id, self.check.code, self.finding.key)


def finding_id(account_id: str, code: str, key: str) -> str:
    return sha256(f"{account_id}\n{code}\n{key}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Report:
    """`checked` are the checks that were made; `unread` counts the documents whose turn comes the next time."""

    account_id: str
    at: datetime
    checked: tuple[Check, ...]
    open: tuple[Found, ...]
    accepted: tuple[Found, ...]
    unread: int

    def find(self, wanted: str) -> Found | None:
        return next((each for each in (*self.open, *self.accepted) if each.id_in(self.account_id) == wanted), None)

    def by_severity(self) -> list[tuple[str, int]]:
        """How many are open of each, those of which there is none included."""
        return [(name, sum(each.check.severity == name for each in self.open)) for name in SEVERITIES]

    def by_check(self) -> Iterator[tuple[Check, Sequence[Found]]]:
        """The open findings of each check that was made, those without any included."""
        found: dict[str, list[Found]] = {check.code: [] for check in self.checked}
        for each in self.open:
            found[each.check.code].append(each)
        return ((check, found[check.code]) for check in self.checked)


def make_report(account_id: str, may_read: Collection[str], most: int = MOST_NEW) -> Report:
    """Check an account, as far as somebody with these actions may know it."""
    now = clock.now()
    checks = tuple(check for check in CHECKS if all(action in may_read for action in check.reads))
    facts = read_facts(account_id, may_read, most)
    accepted = _accepted(account_id, now)
    found = [
        Found(check, finding, accepted.get((check.code, finding.key)))
        for check in checks
        for finding in check.find(facts, now)
    ]
    return Report(
        account_id,
        now,
        checks,
        tuple(each for each in found if each.accepted is None),
        tuple(each for each in found if each.accepted is not None),
        _unread(facts),
    )


def _accepted(account_id: str, now: datetime) -> Mapping[tuple[str, str], AcceptedFinding]:
    rows = AcceptedFinding.objects.filter(account_id=account_id, until__gt=now)
    return {(row.code, row.key): row for row in rows}


def _unread(facts: Facts) -> int:
    digests = {policy.digest for policy in facts.policies.values()}
    digests.update(inline.digest for holder in facts.holders() for inline in holder.inline)
    trusts = {trust.digest for trust in facts.trusts}
    return len(digests - facts.powers.keys()) + len(trusts - facts.openings.keys())
