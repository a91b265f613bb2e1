"""Checks of the users' credentials (CIS 2.10 to 2.13). Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from access.self_check.facts import Facts, Key, Person
from access.self_check.finding import Finding, days

UNUSED = timedelta(days=45)
OLD = timedelta(days=90)
# What is made within so short a time was made in one go.
TOGETHER = timedelta(minutes=10)


def _about(person: Person, sentence: str, key: str = "") -> Finding:
    """On the page of the user's credentials all of this is mended."""
    return Finding(person.name, "user", sentence, ("identities:list-access-keys", person.name), key or person.unique_id)


def without_mfa(facts: Facts, now: datetime) -> Iterator[Finding]:
    for person in facts.people:
        if person.password_set_at and not person.has_mfa:
            yield _about(person, "Signs in to the console by password alone.")


def unused_passwords(facts: Facts, now: datetime) -> Iterator[Finding]:
    for person in facts.people:
        if person.password_set_at is None:
            continue
        used = person.password_used_at
        idle = now - max(person.password_set_at, used or person.password_set_at)
        if idle > UNUSED:
            told = "was not used for" if used else "was never used in the"
            yield _about(person, f"The console password {told} {days(idle)}{'' if used else ' since it was set'}.")


def unused_keys(facts: Facts, now: datetime) -> Iterator[Finding]:
    for person, key in _keys(facts):
        idle = now - (key.used_at or key.created_at)
        if idle > UNUSED:
            told = f"was not used for {days(idle)}" if key.used_at else f"was never used in its {days(idle)}"
            yield _about(person, f"An active access key {told}.", key.access_key_id)


def old_keys(facts: Facts, now: datetime) -> Iterator[Finding]:
    for person, key in _keys(facts):
        if now - key.created_at > OLD:
            yield _about(person, f"An active access key is {days(now - key.created_at)} old.", key.access_key_id)


def two_keys(facts: Facts, now: datetime) -> Iterator[Finding]:
    for person in facts.people:
        if len(person.keys) > 1:
            yield _about(person, "Two access keys are active.")


def keys_made_with_user(facts: Facts, now: datetime) -> Iterator[Finding]:
    """Somebody with a console password who was given a key in the same breath and has never used it."""
    for person, key in _keys(facts):
        made = key.owner_made_at
        if person.password_set_at and made and key.used_at is None and key.created_at - made <= TOGETHER:
            yield _about(person, "An access key was made along with the user and never used.", key.access_key_id)


def _keys(facts: Facts) -> Iterator[tuple[Person, Key]]:
    return ((person, key) for person in facts.people for key in person.keys)
