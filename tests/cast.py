"""The people of the tests. Acme: Alice administers it, Bob may do nothing.
Globex: Mallory administers it, and wants in."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from access import cookies, sessions
from access.models import ConsoleSession
from accounts.ids import new_unique_id
from accounts.models import Account, RootUser
from accounts.rules import comparison_key
from audit import clock
from audit.principal import Origin, Principal, root_principal
from identities.models import LoginProfile, Role, RoleInlinePolicy, User, UserAttachment, UserInlinePolicy
from identities.services.roles import create_role
from policies.models import ManagedPolicy

ROOT_PASSWORD = "harbour lantern quilt 7731"
PASSWORD = "copper meadow violin 4482"
ACME, GLOBEX = "111122223333", "444455556666"
ORIGIN = Origin(door="console", address="192.0.2.10", user_agent="tests", request_id="test", secure=False)

# Hashing is slow on purpose; every test person shares these two.
_HASHES: dict[str, str] = {}


def hashed(password: str) -> str:
    if password not in _HASHES:
        _HASHES[password] = make_password(password)
    return _HASHES[password]


def make_account(account_id: str, name: str, alias: str) -> Account:
    account = Account.objects.create(id=account_id, name=name, alias=alias)
    email = f"root@{alias}.example"
    RootUser.objects.create(
        account=account, email=email, email_key=comparison_key(email), password=hashed(ROOT_PASSWORD)
    )
    return account


def make_user(account: Account, name: str, *, console: bool = True) -> User:
    user = User.objects.create(account=account, name=name, unique_id=new_unique_id("AIDA"))
    if console:
        LoginProfile.objects.create(user=user, password=hashed(PASSWORD))
    return user


def make_administrator(account: Account, name: str) -> User:
    user = make_user(account, name)
    policy = ManagedPolicy.objects.get(account=None, name="AdministratorAccess")
    UserAttachment.objects.create(user=user, policy=policy, slot=1)
    return user


def allow(
    holder: User | Role,
    actions: str | Iterable[str],
    resources: str | Iterable[str] = "*",
    *,
    name: str = "allowed",
    **more: object,
) -> None:
    """Give a user or role an inline policy with one Allow statement; `more` adds elements such as Condition."""
    statement = {
        "Effect": "Allow",
        "Action": [actions] if isinstance(actions, str) else list(actions),
        "Resource": [resources] if isinstance(resources, str) else list(resources),
        **more,
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    if isinstance(holder, Role):
        RoleInlinePolicy.objects.update_or_create(role=holder, name=name, defaults={"document": document})
    else:
        UserInlinePolicy.objects.update_or_create(user=holder, name=name, defaults={"document": document})


def trusting(*principals: str, action: str | list[str] = "sts:AssumeRole", **more: object) -> str:
    """A trust policy that lets in AWS principals; `more` adds elements such as Condition."""
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_role(account: Account, name: str, trust: str = "", **facts: Any) -> Role:
    """A role without permissions; without `trust` it lets in nobody but whom the account itself allows."""
    role: Role = create_role(by=root_of(account), name=name, trust=trust or trusting(account.root_arn), **facts)
    return role


def principal_of(user: User) -> Principal:
    return Principal(user.account_id, "user", user.arn, user.unique_id, user.name, origin=ORIGIN)


def root_of(account: Account) -> Principal:
    return root_principal(account.id, origin=ORIGIN)


def browser_of(who: User | Account, *, fresh: bool = True, mfa: bool = False, enforce_csrf: bool = False) -> Client:
    """A signed-in browser; with `fresh=False` the person proved themselves more than five minutes ago."""
    user = who if isinstance(who, User) else None
    account_id = who.account_id if isinstance(who, User) else who.id
    owner = LoginProfile.objects.get(user=user) if user else RootUser.objects.get(account_id=account_id)
    token = sessions.open_session(
        account_id=account_id,
        user=user,
        password_binding=owner.get_session_auth_hash(),
        origin=ORIGIN,
        mfa=mfa,
    )
    if not fresh:
        earlier = clock.now() - sessions.FRESH * 2
        ConsoleSession.objects.filter(token_hash__isnull=False, user=user).update(authenticated_at=earlier)
    client = Client(enforce_csrf_checks=enforce_csrf)
    client.cookies[cookies.name(cookies.SESSION)] = token
    return client


@pytest.fixture
def acme(db: None) -> Account:
    return make_account(ACME, "Acme", "acme")


@pytest.fixture
def globex(db: None) -> Account:
    return make_account(GLOBEX, "Globex", "globex")


@pytest.fixture
def alice(acme: Account) -> User:
    return make_administrator(acme, "alice")


@pytest.fixture
def bob(acme: Account) -> User:
    return make_user(acme, "bob")


@pytest.fixture
def mallory(globex: Account) -> User:
    return make_administrator(globex, "mallory")
