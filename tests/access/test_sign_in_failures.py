"""Whatever is wrong, the answer, and the work for it, are the same."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access import sign_in as steps_of_sign_in
from access.models import ConsoleSession, SignInAttempt
from accounts.hashers import Argon2idHasher
from accounts.models import PasswordPolicy, RootUser
from audit.models import Event, Outcome
from identities.models import LoginProfile, User
from identities.services.users import delete_user_with_everything
from tests.access.steps import ROOT_EMAIL, ROOT_PASSWORD_PAGE, SIGN_IN, facts, is_in, logins, sign_in, sign_in_root
from tests.cast import PASSWORD, ROOT_PASSWORD, make_user, root_of
from tests.identities.devices import device_of

WRONG = "wrong horse battery staple"


@pytest.fixture
def people(alice: User, mallory: User) -> User:
    """Besides Alice: one without a console password, one with an unusable one, one whose password is over for good."""
    make_user(alice.account, "keyss", console=False)
    LoginProfile.objects.filter(user=make_user(alice.account, "noone")).update(password=make_password(None))
    old = make_user(alice.account, "olden")
    LoginProfile.objects.filter(user=old).update(password_changed_at="2020-01-01T00:00Z")
    PasswordPolicy.objects.create(account=alice.account, max_password_age=90, hard_expiry=True)
    return alice


# (account, user name, password): all as long as each other, since the page repeats account and name.
CASES = [
    ("acme", "alice", WRONG),
    ("acmx", "alice", PASSWORD),
    ("acme", "alicx", PASSWORD),
    ("acme", "keyss", PASSWORD),
    ("acme", "noone", PASSWORD),
    ("acme", "olden", PASSWORD),
    ("glob", "alice", PASSWORD),
    ("acme", "root@", ROOT_PASSWORD),
]


def seen(reply: Any, account: str, name: str) -> tuple[object, ...]:
    return facts(reply, (account, "ACCOUNT"), (f'value="{name}"', "NAME"))


@pytest.mark.bar(8)
@pytest.mark.parametrize(("account", "name", "password"), CASES[1:])
def test_every_failure_looks_the_same(people: User, account: str, name: str, password: str) -> None:
    expected = seen(sign_in(Client(), "alice", WRONG), "acme", "alice")
    browser = Client()
    assert seen(sign_in(browser, name, password, account), account, name) == expected
    assert not is_in(browser)


@pytest.fixture
def hashings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every time that a password is hashed, to be set or to be checked."""
    done: list[str] = []
    encode, verify = Argon2idHasher.encode, Argon2idHasher.verify

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            done.append(original.__name__)
            return original(*args)

        return call

    monkeypatch.setattr(Argon2idHasher, "encode", counted(encode))
    monkeypatch.setattr(Argon2idHasher, "verify", counted(verify))
    return done


@pytest.mark.bar(8)
@pytest.mark.parametrize(("account", "name", "password"), CASES)
def test_every_failure_costs_one_hash(
    people: User, hashings: list[str], account: str, name: str, password: str
) -> None:
    sign_in(Client(), name, password, account)
    assert len(hashings) == 1


@pytest.mark.bar(8)
def test_every_failure_asks_the_database_as_often(people: User) -> None:
    sign_in(Client(), "somebody", WRONG)  # the counts of this address and of all exist from here on
    counts = {}
    for account, name, password in CASES[:5]:
        with CaptureQueriesContext(connection) as queries:
            sign_in(Client(), name, password, account)
        counts[account, name] = len(queries)
    assert len(set(counts.values())) == 1, counts


ROOT_CASES = [
    ("root@acme.example", WRONG),
    ("rooz@acme.example", ROOT_PASSWORD),
    ("alice@acme.exampl", PASSWORD),
    ("not an address at", PASSWORD),
]


@pytest.mark.bar(8, 9)
@pytest.mark.parametrize(("email", "password"), ROOT_CASES[1:])
def test_roots_two_steps_look_the_same_for_nobody(alice: User, email: str, password: str) -> None:
    def both(browser: Client, email: str, password: str) -> list[object]:
        first = browser.post(ROOT_EMAIL, {"email": email})
        second = browser.get(ROOT_PASSWORD_PAGE), browser.post(ROOT_PASSWORD_PAGE, {"password": password})
        return [facts(reply, (email, "EMAIL")) for reply in (first, *second)]

    assert both(Client(), email, password) == both(Client(), *ROOT_CASES[0])


@pytest.mark.bar(8)
@pytest.mark.parametrize(("email", "password"), ROOT_CASES)
def test_roots_password_step_costs_one_hash(alice: User, hashings: list[str], email: str, password: str) -> None:
    sign_in_root(Client(), password, email)
    assert len(hashings) == 1


def test_an_iam_user_is_not_found_on_roots_page_and_root_not_on_theirs(client: Client, alice: User) -> None:
    RootUser.objects.filter(account=alice.account).update(email="alice", email_key="alice")
    sign_in_root(client, PASSWORD, "alice")
    sign_in(client, "alice", ROOT_PASSWORD)
    sign_in(client, "root", ROOT_PASSWORD)
    assert not is_in(client)


@pytest.mark.bar(121, 122)
@pytest.mark.parametrize(
    ("account", "name", "reason"),
    [
        ("acme", "alice", "wrong password"),
        ("acme", "nobody", "no such user"),
        ("acme", "keyss", "no console password"),
        ("nowhere", "alice", "no such account"),
    ],
)
def test_it_records_why_but_not_what_was_typed(people: User, account: str, name: str, reason: str) -> None:
    sign_in(Client(), name, WRONG, account)
    (event,) = logins()
    assert (event.outcome, event.error_code) == (Outcome.FAILURE, "FailedAuthentication")
    assert event.detail == {"page": "IAM user", "reason": reason}
    assert event.principal_name == (name if reason in ("wrong password", "no console password") else "")
    assert WRONG not in str(Event.objects.values())


@pytest.mark.bar(20)
@pytest.mark.parametrize("email", ["ROOT@ACME.EXAMPLE", " root@acme.example ", "root@acme.example"])
def test_roots_address_compares_without_case(client: Client, alice: User, email: str) -> None:
    sign_in_root(client, email=email)
    assert is_in(client)


@pytest.mark.bar(20)
@pytest.mark.parametrize(
    "email", ["roOt@acmé.example", "rооt@acme.example", "root@acme.exampłe", "root@acme.example.evil"]
)
def test_a_look_alike_address_is_nobodys(client: Client, alice: User, email: str) -> None:
    sign_in_root(client, email=email)
    assert not is_in(client)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mfa", [False, True])
def test_who_is_deleted_after_the_password_begins_anew(
    client: Client, alice: User, mfa: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mfa:
        device_of(alice)
    asked = steps_of_sign_in.next_step

    def deleted_meanwhile(*words: Any, **more: Any) -> Any:
        step = asked(*words, **more)
        delete_user_with_everything(by=root_of(alice.account), user=alice)
        return step

    monkeypatch.setattr(steps_of_sign_in, "next_step", deleted_meanwhile)
    assert sign_in(client).headers["Location"] == SIGN_IN
    assert not ConsoleSession.objects.exists() and not SignInAttempt.objects.exists()
