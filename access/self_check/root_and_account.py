"""Checks of the root user and of the account's settings (CIS 2.2 to 2.9, 2.15, 2.17, 2.19). Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from access.self_check.facts import Facts
from access.self_check.finding import Finding, days

RESTING = timedelta(days=90)
# Nobody but root can open an account and make its first administrator.
SETTING_UP = timedelta(days=7)
# So few people can be looked after by hand.
FEW_PEOPLE = 10
GOOD_LENGTH, GOOD_REUSE = 14, 24
AUDITOR = "SecurityAudit"
# Domains that no mail reaches (RFC 2606, RFC 6761).
_NOWHERE = ("example", "invalid", "localhost", "test", "local")
_EXAMPLES = ("example.com", "example.net", "example.org")
_SETTINGS = ("accounts:get-account-settings",)
_PASSWORDS = ("accounts:update-account-password-policy",)


def _of_root(sentence: str, *link: str) -> Finding:
    return Finding("root user", "root", sentence, link)


def root_keys(facts: Facts, now: datetime) -> Iterator[Finding]:
    if facts.root and facts.root.keys:
        many = "an access key" if facts.root.keys == 1 else f"{facts.root.keys} access keys"
        yield _of_root(f"The root user has {many}.", "access:my-access-keys")


def root_without_mfa(facts: Facts, now: datetime) -> Iterator[Finding]:
    if facts.root and not facts.root.has_mfa:
        yield _of_root("A password alone opens the whole account.", "access:my-mfa-devices")


def root_in_use(facts: Facts, now: datetime) -> Iterator[Finding]:
    if facts.root is None or facts.root.used_at is None:
        return
    used = facts.root.used_at
    if now - used < RESTING and used - facts.root.since > SETTING_UP:
        when = f"{days(now - used)} ago" if (now - used).days else "today"
        yield _of_root(f"The root user's password or key was last used {when}.", "access:who-needs-access")


def root_out_of_reach(facts: Facts, now: datetime) -> Iterator[Finding]:
    if facts.root is None:
        return
    domain = facts.root.email.rpartition("@")[2].lower()
    if domain.rpartition(".")[2] in _NOWHERE or domain in _EXAMPLES:
        yield _of_root("The root user's e-mail address is in a domain that no mail reaches.", *_SETTINGS)
    elif not facts.root.mail_is_sent:
        yield _of_root("This console sends no mail: it only prints what it would send.", *_SETTINGS)


def short_passwords(facts: Facts, now: datetime) -> Iterator[Finding]:
    length = facts.password_length
    if length < GOOD_LENGTH:
        asked = f"It asks for {length} characters." if length else "There is none: programs may set short passwords."
        yield Finding("password policy", "account", asked, _PASSWORDS)


def reused_passwords(facts: Facts, now: datetime) -> Iterator[Finding]:
    if facts.password_reuse < GOOD_REUSE:
        remembered = facts.password_reuse
        kept = "password" if remembered == 1 else f"{remembered} passwords"
        told = f"Only the last {kept} can't be used again." if remembered else "Any earlier password can be used again."
        yield Finding("password policy", "account", told, _PASSWORDS)


def ended_certificates(facts: Facts, now: datetime) -> Iterator[Finding]:
    for each in facts.certificates:
        if each.expires_at <= now:
            link = ("identities:get-server-certificate", each.name)
            sentence = f"It ended on {each.expires_at:%Y-%m-%d}, and its private key is still kept."
            yield Finding(each.name, "server certificate", sentence, link, each.unique_id)


def no_auditor(facts: Facts, now: datetime) -> Iterator[Finding]:
    built_in = {number for number, policy in facts.policies.items() if policy.is_built_in and policy.name == AUDITOR}
    if not any(built_in.intersection(holder.attached) for holder in facts.holders()):
        link = ("policies:get-policy", "aws", AUDITOR)
        yield Finding(AUDITOR, "policy", f"No role, group or user has the policy {AUDITOR}.", link)


def no_federation(facts: Facts, now: datetime) -> Iterator[Finding]:
    people = sum(person.password_set_at is not None for person in facts.people)
    if not facts.has_providers and people >= FEW_PEOPLE:
        link = ("federation:list-identity-providers",)
        sentence = f"{people} users have a console password, and no identity provider is set up."
        yield Finding("identity providers", "account", sentence, link)
