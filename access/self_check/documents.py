"""Checks of what policies open and whom roles trust (CIS 2.14, 2.21, prowler's escalations). Pure: what a single
document opens was found out before, by its digest."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256

from access.self_check.facts import NOTHING, Facts, Holder, Inline, Policy
from access.self_check.finding import Finding
from policies.engine.powers import Powers, Ways, ways_of

_MOST_WAYS = 2
ADMINISTRATOR, SELF_MANAGED = "AdministratorAccess", "IAMSelfManageCredentials"


def direct_policies(facts: Facts, now: datetime) -> Iterator[Finding]:
    """Full rights have a check of their own, and what is about nobody but oneself is everybody's own."""
    for user in facts.users:
        attached = sum(not _goes_without_group(facts.policies[number]) for number in user.attached)
        kinds = ((attached, "attached"), (len(user.inline), "inline"))
        counts = " and ".join(f"{count} {kind}" for count, kind in kinds if count)
        if counts:
            many = "policy" if attached + len(user.inline) == 1 else "policies"
            yield Finding(user.name, "user", f"Has {counts} {many} besides those of groups.", user.link, user.unique_id)


def _goes_without_group(policy: Policy) -> bool:
    return policy.is_built_in and policy.name in (ADMINISTRATOR, SELF_MANAGED)


def full_access(facts: Facts, now: datetime) -> Iterator[Finding]:
    """Own policies and inline ones; the built-in one for administrators has a check of its own."""
    for holder, policy in _full(facts):
        if not policy.is_built_in:
            yield _attachment(holder, policy, f"Has every right, by the policy {policy.name}.")
    for holder, inline in _inline(facts):
        if _is_full(facts, holder, inline.digest):
            sentence = f"Has every right, by the inline policy {inline.name}."
            yield Finding(holder.name, holder.kind, sentence, holder.link_of(inline), _key(holder, inline))


def administrators(facts: Facts, now: datetime) -> Iterator[Finding]:
    """An only administrator is left alone, since every account needs one."""
    found = [(holder, policy) for holder, policy in _full(facts) if policy.is_built_in]
    if _is_one_person(facts, [holder for holder, _ in found]):
        return
    for holder, policy in found:
        yield _attachment(holder, policy, f"Has every right, by the built-in policy {policy.name}.")


def _is_one_person(facts: Facts, holders: Sequence[Holder]) -> bool:
    """A user, or groups of which nobody else is a member."""
    users = {holder.unique_id for holder in holders if holder.kind == "user"}
    groups = {holder.unique_id for holder in holders if holder.kind == "group"}
    for user in facts.users if groups else ():
        if any(facts.groups[number].unique_id in groups for number in user.groups if number in facts.groups):
            users.add(user.unique_id)
    return len(users) <= 1 and not any(holder.kind == "role" for holder in holders)


def escalations(facts: Facts, now: datetime) -> Iterator[Finding]:
    attached = _attached(facts)
    for number, policy in facts.policies.items():
        if number in attached:
            yield from _ways_of_policy(facts, policy)
    for holder, inline in _inline(facts):
        powers = facts.powers.get(inline.digest, NOTHING)
        if not powers.full and (ways := ways_of([powers], facts.boundary_of(holder))):
            sentence = f"The inline policy {inline.name} lets its holder {_in_words(ways)}."
            yield Finding(holder.name, holder.kind, sentence, holder.link_of(inline), _key(holder, inline))


def waiting_escalations(facts: Facts, now: datetime) -> Iterator[Finding]:
    """In own policies that nobody has yet."""
    attached = _attached(facts)
    for number, policy in facts.policies.items():
        if number not in attached:
            yield from _ways_of_policy(facts, policy)


def joint_escalations(facts: Facts, now: datetime) -> Iterator[Finding]:
    """Ways that no single policy opens, but all together that somebody has, those of groups included."""
    known: dict[tuple[frozenset[Powers], Powers | None], Ways] = {}
    of_groups = {number: _powers(facts, group) for number, group in facts.groups.items()}
    for holder in (*facts.users, *facts.roles):
        groups = (of_groups.get(number, frozenset()) for number in holder.groups)
        place = (_powers(facts, holder).union(*groups), facts.boundary_of(holder))
        if place not in known:
            known[place] = _joint_ways(*place)
        if ways := known[place]:
            sentence = f"Several policies together let this {holder.kind} {_in_words(ways)}."
            yield Finding(holder.name, holder.kind, sentence, holder.link, f"{holder.unique_id}:{_name_of(ways)}")


def open_trust(facts: Facts, now: datetime) -> Iterator[Finding]:
    yield from _trust(facts, "PUBLIC", "NOT_PRINCIPAL_ALLOW")


def shared_providers(facts: Facts, now: datetime) -> Iterator[Finding]:
    yield from _trust(facts, "SHARED_PROVIDER")


def confused_deputies(facts: Facts, now: datetime) -> Iterator[Finding]:
    yield from _trust(facts, "CONFUSED_DEPUTY")


def _trust(facts: Facts, *codes: str) -> Iterator[Finding]:
    for trust in facts.trusts:
        found = [problem for problem in facts.openings.get(trust.digest, ()) if problem.code in codes]
        if found:
            link = ("identities:get-role-trust", trust.role)
            yield Finding(trust.role, "role", found[0].message, link, f"{trust.unique_id}:{trust.digest[:16]}")


def _ways_of_policy(facts: Facts, policy: Policy) -> Iterator[Finding]:
    if policy.is_built_in:
        return
    if ways := facts.powers.get(policy.digest, NOTHING).ways:
        sentence = f"It lets its holder {_in_words(ways)}."
        yield Finding(policy.name, "policy", sentence, policy.link, f"{policy.unique_id}:{policy.digest[:16]}")


def _joint_ways(powers: frozenset[Powers], boundary: Powers | None) -> Ways:
    if any(each.full for each in powers):
        return []
    alone = {what for each in powers for what, _ in ways_of([each], boundary)}
    return [way for way in ways_of(powers, boundary) if way[0] not in alone]


def _name_of(ways: Ways) -> str:
    """Another way that opens later is another finding."""
    return sha256(" ".join(sorted(what for what, _ in ways)).encode()).hexdigest()[:16]


def _in_words(ways: Ways) -> str:
    """The first ways in words, and how many more there are."""
    texts = [f"{what} ({', '.join(actions)})" for what, actions in ways[:_MOST_WAYS]]
    more = len(ways) - len(texts)
    return ", ".join(texts) if len(texts) == 1 else " and ".join(texts) + (f", and in {more} more ways" if more else "")


def _full(facts: Facts) -> Iterator[tuple[Holder, Policy]]:
    for holder in facts.holders():
        for number in holder.attached:
            policy = facts.policies[number]
            if _is_full(facts, holder, policy.digest):
                yield holder, policy


def _is_full(facts: Facts, holder: Holder, digest: str) -> bool:
    boundary = facts.boundary_of(holder)
    return facts.powers.get(digest, NOTHING).full and (boundary is None or boundary.full)


def _attachment(holder: Holder, policy: Policy, sentence: str) -> Finding:
    key = f"{holder.unique_id}:{policy.unique_id}:{policy.digest[:16]}"
    return Finding(holder.name, holder.kind, sentence, holder.link, key)


def _key(holder: Holder, inline: Inline) -> str:
    return f"{holder.unique_id}:{inline.name}:{inline.digest[:16]}"


def _inline(facts: Facts) -> Iterator[tuple[Holder, Inline]]:
    return ((holder, inline) for holder in facts.holders() for inline in holder.inline)


def _attached(facts: Facts) -> set[int]:
    return {number for holder in facts.holders() for number in holder.attached}


def _powers(facts: Facts, holder: Holder) -> frozenset[Powers]:
    """What a holder's own documents say about ways to more power. Most say nothing: so few sets differ."""
    digests = (*(facts.policies[number].digest for number in holder.attached), *(each.digest for each in holder.inline))
    found = (facts.powers.get(digest, NOTHING) for digest in digests)
    return frozenset(powers for powers in found if powers != NOTHING)
