"""Fill an account with made-up people, to see the console at the size of a large company."""

import random
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from accounts import ids
from accounts.models import Account
from audit import clock
from audit.principal import system
from audit.services import record
from identities.models import (
    AccessKey,
    Group,
    GroupAttachment,
    LoginProfile,
    Membership,
    User,
    UserAttachment,
    UserTag,
)
from identities.sealed import box
from policies.models import ManagedPolicy

BATCH = 1000
FIRST = [
    "ada", "amir", "anika", "aroha", "beatriz", "boris", "carmen", "chen", "dagny", "diego", "elif", "emeka",
    "esra", "farid", "freya", "gita", "hana", "hugo", "ines", "ivo", "jakub", "jamila", "joon", "kaia", "kwame",
    "lars", "leila", "lin", "luca", "maeve", "malik", "mei", "mira", "nadia", "nils", "noor", "olu", "oskar",
    "pavel", "priya", "quinn", "rania", "rohan", "saga", "samir", "sora", "tariq", "tess", "uma", "viktor", "wanda",
    "xenia", "yara", "yusuf", "zara", "zoe",
]  # fmt: skip
LAST = [
    "abara", "ahmed", "andersen", "bakker", "baptiste", "becker", "castillo", "costa", "dietrich", "dubois",
    "eriksen", "farkas", "fischer", "garcia", "haddad", "hansen", "hoffmann", "ibrahim", "ito", "janssen", "kaya",
    "keller", "kim", "kowalski", "larsen", "li", "lopez", "martin", "mensah", "moreau", "nakamura", "novak",
    "okafor", "olsen", "osei", "park", "patel", "petrov", "quist", "rahman", "rossi", "santos", "sato", "schmidt",
    "silva", "singh", "sorensen", "tanaka", "tran", "ueda", "varga", "vega", "wang", "weber", "yilmaz", "zhang",
]  # fmt: skip
TEAMS = [
    "admins", "analytics", "audit", "billing", "builds", "data", "design", "devops", "docs", "finance", "frontend",
    "hardware", "hiring", "incident", "infra", "kernel", "legal", "mail", "mobile", "network", "operations",
    "payments", "platform", "privacy", "product", "quality", "research", "sales", "search", "security", "site",
    "storage", "support", "testing", "training", "travel", "video", "web",
]  # fmt: skip
STAGES = ("", "-dev", "-test", "-staging", "-production", "-readers", "-leads", "-oncall")
GROUP_POLICIES = ("ReadOnlyAccess", "IAMReadOnlyAccess", "SecurityAudit", "PowerUserAccess", "IAMUserChangePassword")


class Command(BaseCommand):
    help = "Fill an account with made-up users and groups. They can't sign in: none has a password anybody knows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--users", type=int, default=1000)
        parser.add_argument("--groups", type=int, default=300)
        parser.add_argument("--account", help="12-digit id; not needed when there is only one account")

    def handle(self, *args: Any, **options: Any) -> None:
        account = _account(options["account"])
        chance = random.Random(20_100_508)  # noqa: S311 # the same made-up people every time; nothing secret
        with transaction.atomic():
            groups = self._groups(account, options["groups"], chance)
            users = self._users(account, options["users"], chance)
            self._belongings(account, users, groups, chance)
            _raise_quotas(account)
            record(system(account.id), "iamconsole:LoadDemo", account.root_arn, users=len(users), groups=len(groups))
        self.stdout.write(f"{len(users)} users and {len(groups)} groups are in account {account.id}.")

    def _groups(self, account: Account, count: int, chance: random.Random) -> list[Group]:
        names = [team + stage for stage in STAGES for team in TEAMS]
        names += [f"team-{number:04d}" for number in range(max(0, count - len(names)))]
        taken = set(Group.objects.filter(account=account).values_list("name_key", flat=True))
        rows = [
            Group(account=account, name=name, path="/demo/", unique_id=ids.new_unique_id("AGPA"))
            for name in names[:count]
            if name not in taken
        ]
        groups = self._insert(Group, rows, "groups")
        policies = list(ManagedPolicy.objects.filter(account=None, name__in=GROUP_POLICIES))
        attached = [
            GroupAttachment(group=group, policy=policy, slot=slot)
            for group in groups
            for slot, policy in enumerate(chance.sample(policies, chance.randint(0, 2)), start=1)
        ]
        self._insert(GroupAttachment, attached, "policies on groups")
        return groups

    def _users(self, account: Account, count: int, chance: random.Random) -> list[User]:
        taken = set(User.objects.filter(account=account).values_list("name_key", flat=True))
        names: list[str] = []
        while len(names) < count:
            name = f"{chance.choice(FIRST)}.{chance.choice(LAST)}"
            name = name if name not in taken else f"{name}{len(names)}"
            taken.add(name)
            names.append(name)
        now = clock.now()
        rows = [
            User(
                account=account,
                name=name,
                path="/demo/",
                unique_id=ids.new_unique_id("AIDA"),
                created_at=now - timedelta(days=chance.randint(0, 1500), minutes=chance.randint(0, 1440)),
                password_last_used_at=now - timedelta(hours=chance.randint(1, 9000)) if chance.random() < 0.6 else None,
            )
            for name in names
        ]
        return self._insert(User, rows, "users")

    def _belongings(
        self, account: Account, users: Sequence[User], groups: Sequence[Group], chance: random.Random
    ) -> None:
        self._each(users, "memberships", Membership, lambda user: _memberships(user, groups, chance))
        self._each(users, "tags", UserTag, lambda user: _tags(user, chance))
        self._each(users, "console passwords", LoginProfile, lambda user: _login_profile(user, chance))
        self._each(users, "access keys", AccessKey, lambda user: _access_keys(account, user, chance))
        change_password = ManagedPolicy.objects.get(account=None, name="IAMUserChangePassword")
        self._each(
            users,
            "policies on users",
            UserAttachment,
            lambda user: [UserAttachment(user=user, policy=change_password, slot=1)] if chance.random() < 0.1 else [],
        )

    def _each(
        self, users: Sequence[User], what: str, model: type[models.Model], make: Callable[[User], Sequence[Any]]
    ) -> None:
        self._insert(model, [row for user in users for row in make(user)], what)

    def _insert(self, model: type[models.Model], rows: Sequence[Any], what: str) -> list[Any]:
        made: list[Any] = []
        for start in range(0, len(rows), BATCH):
            made += model._default_manager.bulk_create(rows[start : start + BATCH])
            self.stdout.write(f"\r  {what}: {len(made)} of {len(rows)}", ending="")
            self.stdout.flush()
        self.stdout.write("")
        return made


def _account(account_id: str | None) -> Account:
    accounts = Account.objects.filter(id=account_id) if account_id else Account.objects.all()[:2]
    if len(accounts) != 1:
        raise CommandError("Name the account with --account and its 12-digit id; an account must exist first.")
    return accounts[0]


def _raise_quotas(account: Account) -> None:
    """A demo of 10,000 must leave room for the next user to be made by hand."""
    have = {
        "users": User.objects.filter(account=account).count(),
        "groups": Group.objects.filter(account=account).count(),
    }
    for name, count in have.items():
        account.quota_overrides[name] = max(account.quota(name), count + 1000)
    account.save(update_fields=["quota_overrides"])


def _memberships(user: User, groups: Sequence[Group], chance: random.Random) -> list[Membership]:
    joined = chance.sample(list(groups), min(len(groups), chance.choice((0, 1, 1, 2, 3))))
    return [Membership(user=user, group=group, slot=slot) for slot, group in enumerate(joined, start=1)]


def _tags(user: User, chance: random.Random) -> list[UserTag]:
    value = chance.choice(TEAMS)
    return [UserTag(user=user, key="Team", key_folded="team", value=value)] if chance.random() < 0.5 else []


def _login_profile(user: User, chance: random.Random) -> list[LoginProfile]:
    if chance.random() > 0.7:
        return []
    # "!" is Django's mark of a password that nothing matches.
    return [LoginProfile(user=user, password="!" + ids.new_unique_id(""), created_at=user.created_at)]


def _access_keys(account: Account, user: User, chance: random.Random) -> list[AccessKey]:
    now = clock.now()
    keys = []
    for slot in range(1, chance.choice((0, 0, 1, 1, 2)) + 1):
        key = AccessKey(
            access_key_id=ids.new_access_key_id(account.id),
            account=account,
            user=user,
            slot=slot,
            status=chance.choice(("Active", "Active", "Inactive")),
            created_at=now - timedelta(days=chance.randint(0, 400)),
            last_used_at=now - timedelta(hours=chance.randint(1, 2000)) if chance.random() < 0.6 else None,
            last_used_service="iam",
            last_used_region="us-east-1",
        )
        key.secret_encrypted = box().seal(ids.new_secret_access_key(), key.sealed_row)
        keys.append(key)
    return keys
