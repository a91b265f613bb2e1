"""Access keys for the people of `cast.py`, and the programs that hold them."""

from collections.abc import Callable

import pytest

from accounts.ids import new_access_key_id
from accounts.models import Account
from api import dispatch
from identities.models import AccessKey, Role, User
from identities.models.credentials import KeyStatus
from identities.sealed import box
from policies.models import ManagedPolicy
from tests.api import bounds
from tests.api.program import Program
from tests.cast import acme, alice, allow, bob, globex, make_role, mallory, trusting

__all__ = ["acme", "alice", "bob", "globex", "mallory"]

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

READ = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}]}'

ProgramOf = Callable[..., Program]


def key_of(who: User | Account, *, slot: int = 1, status: str = KeyStatus.ACTIVE) -> AccessKey:
    account_id = who.account_id if isinstance(who, User) else who.id
    key_id = new_access_key_id(account_id)
    return AccessKey.objects.create(
        access_key_id=key_id,
        account_id=account_id,
        user=who if isinstance(who, User) else None,
        slot=slot,
        secret_encrypted=box().seal(SECRET, f"access-key:{key_id}"),
        status=status,
    )


@pytest.fixture(autouse=True)
def _within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call of every test here is held to the number of questions that it may ask the database."""
    monkeypatch.setattr(dispatch, "_answered", bounds.held(dispatch._answered))


@pytest.fixture
def program_of(db: None) -> ProgramOf:
    """A program with a fresh key of a user, or of an account's root user."""

    def make(who: User | Account, **facts: str) -> Program:
        return Program(key_of(who).access_key_id, SECRET, **facts)

    return make


@pytest.fixture
def readers(acme: Account) -> ManagedPolicy:
    """A managed policy of Acme's own."""
    policy = ManagedPolicy.objects.create(account=acme, name="readers", unique_id="ANPAREADERS", newest_version=1)
    policy.versions.create(number=1, slot=1, is_default=True, document=READ)
    return policy


@pytest.fixture
def bobs(program_of: ProgramOf, bob: User) -> Program:
    return program_of(bob)


@pytest.fixture
def deploy(acme: Account, bob: User) -> Role:
    """A role that names Bob, so that he needs no permission of his own."""
    role = make_role(acme, "deploy", trusting(bob.arn), path="/ci/", max_session_seconds=7200)
    allow(role, ["iam:List*", "iam:Get*"])
    return role
