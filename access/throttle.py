"""How often something may be tried: per person, per address, and all together. Counted in the database, so that every
server process counts the same; keys are hashed, so that the table names nobody.

A stranger's try is counted before its proof is looked at, by one statement with a condition: twenty at once are twenty
tries. For somebody who is known, and for codes, the same statement stands between looking and telling (Tries).
A browser that a person has signed in with before has a count of its own for that person and skips the others: whoever
attacks from elsewhere can slow down new browsers, but not lock the owner out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from ipaddress import ip_address, ip_network
from operator import or_
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from access.models import Throttle
from access.tokens import token_hash
from accounts.rules import comparison_key
from audit import clock
from audit.errors import ServiceError
from audit.periodic import Periodic
from audit.principal import Principal

LONGEST_WINDOW = timedelta(hours=1)
_SWEEPING = Periodic(timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Limit:
    """With `by_address`, its subject is an address, and a whole network counts as one."""

    name: str
    tries: int
    window: timedelta
    by_address: bool = False


PERSON = Limit("password-of-person", 10, timedelta(minutes=15))
KNOWN_BROWSER = Limit("password-in-known-browser", 10, timedelta(minutes=15))
ADDRESS = Limit("password-from-address", 60, timedelta(minutes=15), by_address=True)
EVERYWHERE = Limit("password-everywhere", 3000, timedelta(minutes=15))
CODE = Limit("code-of-person", 5, timedelta(minutes=5))
# For what gives no proof but costs something: mails, rows, estimates.
MAILS_TO_ONE = Limit("mail-to", 3, timedelta(hours=1))
TYPED_MAILS_TO_ONE = Limit("typed-mail-to", 3, timedelta(hours=1))
TYPED_MAILS_OF_ACCOUNT = Limit("typed-mail-of-account", 10, timedelta(hours=1))
STEPS_FROM_ADDRESS = Limit("steps-from-address", 120, timedelta(minutes=15), by_address=True)
ESTIMATES_FROM_ADDRESS = Limit("estimates-from-address", 120, timedelta(minutes=1), by_address=True)
# Refused tries of machines to join.
JOINS_FROM_ADDRESS = Limit("joins-from-address", 60, timedelta(minutes=15), by_address=True)

# Tries that were not even looked at, in the trail of whose account they were about: one for each network.
UNSEEN_TRIES = Limit("unseen-tries", 1, timedelta(minutes=15))

# As much of an IPv6 address as one customer of a network gets: whoever has one address of it has all the others.
IPV6_PREFIX = 64


class Throttled(ServiceError):
    """Too many tries; `until` is when the next one is looked at."""

    code = "Throttling"

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(f"Too many tries. Wait {self.wait_in_words} and try again.")

    @property
    def seconds(self) -> int:
        return max(1, int((self.until - clock.now()).total_seconds()))

    @property
    def wait_in_words(self) -> str:
        minutes = -(-self.seconds // 60)
        return "a minute" if minutes == 1 else f"{minutes} minutes"


Counter = tuple[Limit, str]


@dataclass(frozen=True, slots=True)
class Try:
    """One try that was counted."""

    counters: tuple[Counter, ...]

    def succeeded(self) -> None:
        """It was no failure: take it back from each count. What others failed before stays counted; only the count
        that belongs to this very browser starts anew."""
        # In the order of their keys, as they are counted: nobody waits for somebody who waits for them.
        rows = Throttle.objects.filter(key__in=[_key(limit, subject) for limit, subject in self.counters])
        with transaction.atomic():
            counted = rows.order_by("key").select_for_update().values("key")
            Throttle.objects.filter(key__in=counted, failures__gt=0).update(failures=F("failures") - 1)
        _start_anew(self.counters)


@dataclass(frozen=True, slots=True)
class Tries:
    """Tries of somebody who is known, to be told whether one was right before anybody else is: a right one costs the
    same statement, which counts nothing, and there is nothing to take back. Of twenty guesses at once no more are
    answered than there is room for, as if they had come one after the other."""

    counters: tuple[Counter, ...]

    def __call__(self, is_right: bool) -> None:
        """Raises Throttled."""
        _take(self.counters, failures=0 if is_right else 1)
        if is_right:
            _start_anew(self.counters)

    def full(self) -> QuerySet[Throttle]:
        """The counts that have no room, for whoever asks for something else in the same query: work that will not be
        answered need not be done. That alone keeps nobody out; of many at once all may find room."""
        now = clock.now()
        at_limit = (
            Q(key=_key(limit, subject), failures__gte=limit.tries, window_started_at__gt=now - limit.window)
            for limit, subject in self.counters
        )
        return Throttle.objects.filter(reduce(or_, at_limit))

    def refuse(self, is_full: bool) -> None:
        """Raises Throttled where one of the counts was found full."""
        if is_full:
            raise _refusal(self.counters)


def password_try(*, person: str, address: str, browser: str = "") -> Try:
    """Count a try at somebody's password. `person` is what was typed or who it is, in one spelling; `browser` is the
    id of a browser known to that person. Raises Throttled."""
    return _counted(_of_password(person, address, browser))


def password_tries(*, person: str, address: str, browser: str = "") -> Tries:
    """Tries at one's own password, counted with those of strangers."""
    return Tries(_of_password(person, address, browser))


def code_tries(*, person: str) -> Tries:
    """Tries at somebody's one-time codes, from wherever they come: looking at one costs next to nothing."""
    return Tries(((CODE, person),))


def step_try(limit: Limit, subject: str) -> Try:
    """Count something that only costs work. Raises Throttled."""
    return _counted(((limit, subject),), durable=False)


def is_first(limit: Limit, subject: str) -> bool:
    """Whether there was room, for what is written down once in a while: strangers could have it written without end."""
    try:
        step_try(limit, subject)
    except Throttled:
        return False
    return True


def is_first_unseen(*, account_id: str, address: str) -> bool:
    """Whether to record that a stranger's try was not looked at."""
    return is_first(UNSEEN_TRIES, f"{account_id}/{network_of(address)}")


def count_mail(*, by: Principal, to: str) -> None:
    """A mail to an address that somebody signed in has typed. Raises Throttled."""
    _counted(((TYPED_MAILS_TO_ONE, comparison_key(to)), (TYPED_MAILS_OF_ACCOUNT, by.account_id)), durable=False)


def person_key(account_id: str, user_id: str | None) -> str:
    """One name for a person, by the unique id of the user, or root where there is none: another name must bring no new
    tries to whoever may rename."""
    return f"{account_id}/root" if user_id is None else f"{account_id}/user-id/{user_id}"


def stranger_key(account: str, user_name: str) -> str:
    """The same for somebody who is not there, whatever the case it is typed in."""
    return f"{account}/user/{user_name}".casefold()


def _of_password(person: str, address: str, browser: str) -> tuple[Counter, ...]:
    if browser:
        return ((KNOWN_BROWSER, f"{browser}/{person}"),)
    return (EVERYWHERE, ""), (ADDRESS, address), (PERSON, person)


def _counted(counters: tuple[Counter, ...], *, durable: bool = True) -> Try:
    _take(counters, failures=1, durable=durable)
    return Try(counters)


def _take(counters: Sequence[Counter], *, failures: int, durable: bool = True) -> None:
    """All or none: a try that is refused is counted nowhere. Of a proof the count is durable: a transaction around it,
    undone because the proof was wrong, would take the count back, so there must be none."""
    with transaction.atomic(durable=durable):
        is_counted = _count(counters, failures)
        transaction.set_rollback(not is_counted)
    if not is_counted:
        raise _refusal(counters)


# What is there for each key, or a new row: counts the try, in a new window where the old one is over. Where neither has
# room, nothing is written.
_COUNT = """
INSERT INTO access_throttle (key, window_started_at, failures) VALUES {rows}
ON CONFLICT (key) DO UPDATE SET
    failures = CASE WHEN access_throttle.window_started_at > %(begun)s
        THEN access_throttle.failures + excluded.failures ELSE excluded.failures END,
    window_started_at = CASE WHEN access_throttle.window_started_at > %(begun)s
        THEN access_throttle.window_started_at ELSE excluded.window_started_at END
WHERE access_throttle.failures < CASE excluded.key {tries} END OR access_throttle.window_started_at <= %(begun)s
"""


def _count(counters: Sequence[Counter], failures: int) -> bool:
    """Whether there was room at each; what is counted together has the same window."""
    (window,) = {limit.window for limit, _ in counters}
    tries = sorted((_key(limit, subject), limit.tries) for limit, subject in counters)
    moment, now = connection.ops.adapt_datetimefield_value, clock.now()
    values: dict[str, Any] = {"now": moment(now), "begun": moment(now - window), "failures": failures}
    for number, (key, most) in enumerate(tries):
        values |= {f"key{number}": key, f"tries{number}": most}
    sql = _COUNT.format(
        rows=", ".join(f"(%(key{number})s, %(now)s, %(failures)s)" for number in range(len(tries))),
        tries=" ".join(f"WHEN %(key{number})s THEN %(tries{number})s" for number in range(len(tries))),
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return bool(cursor.rowcount == len(tries))


def _start_anew(counters: Sequence[Counter]) -> None:
    """After a right one: the count of the very browser it came from, and what is over."""
    for limit, subject in counters:
        if limit is KNOWN_BROWSER:
            Throttle.objects.filter(key=_key(limit, subject)).delete()
    if _SWEEPING.is_due():
        _sweep()


def _sweep() -> None:
    """What somebody counts at this moment is not waited for: they might wait for what is swept already."""
    old = Throttle.objects.filter(window_started_at__lt=clock.now() - 2 * LONGEST_WINDOW)
    with transaction.atomic():
        Throttle.objects.filter(key__in=old.select_for_update(skip_locked=True).values("key")).delete()


def _refusal(counters: Sequence[Counter]) -> Throttled:
    """When the first that has no room will have some again; now, if it has by now."""
    rows = Throttle.objects.in_bulk([_key(limit, subject) for limit, subject in counters])
    full = ((rows.get(_key(limit, subject)), limit) for limit, subject in counters)
    ends = (row.window_started_at + limit.window for row, limit in full if row and row.failures >= limit.tries)
    return Throttled(next((end for end in ends if end > clock.now()), clock.now()))


def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, the /64 of an IPv6 address; what is neither stands for itself."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return str(ip)
    return str(ip.ipv4_mapped or ip_network((ip, IPV6_PREFIX), strict=False))


def _key(limit: Limit, subject: str) -> str:
    subject = network_of(subject) if limit.by_address else subject
    return token_hash(subject, f"throttle:{limit.name}")
