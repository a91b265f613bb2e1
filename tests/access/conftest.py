"""Whom a broker acts for: Bob by a long-term key, and a role that he may take on."""

import pytest

from access.principals import load_for_access_key
from accounts.models import Account
from audit.principal import Principal
from identities.models import Role, User
from identities.services.access_keys import create_access_key
from tests.cast import ORIGIN, allow, make_role, root_of, trusting


@pytest.fixture
def bobs(acme: Account, bob: User) -> Principal:
    """Bob, by a long-term key."""
    allow(bob, ["iam:ListUsers", "iam:ListGroups", "sts:AssumeRole"])
    key, _ = create_access_key(by=root_of(acme), user=bob)
    holder = load_for_access_key(key.access_key_id, ORIGIN)
    assert holder is not None
    return holder.principal()


@pytest.fixture
def ops(acme: Account, bob: User) -> Role:
    role = make_role(acme, "ops", trusting(bob.arn))
    allow(role, ["iam:ListUsers", "sts:AssumeRole"])
    return role
